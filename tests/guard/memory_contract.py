# SPDX-License-Identifier: Apache-2.0
"""What every Memory does, as one suite: run over each implementation.

Each function of CHECKS takes a factory of empty memories.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.known import HiddenAudience, Known, MailingSoFar
from undisclosed.core.mailing import Wave
from undisclosed.core.strangers import Strangers
from undisclosed.guard.ports import Memory, Reservation, WaveState

Factory = Callable[[], Memory]
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
WINDOW = timedelta(days=14)


def name_of(check: Callable[[Factory], None]) -> str:
    """The id of a check in a test report."""
    return check.__name__


def people(numbers: Iterable[int]) -> frozenset[Address]:
    return frozenset(Address(f"p{number}", "a.example") for number in numbers)


def pieces(text: str, count: int = 200, changed: int = 0) -> frozenset[bytes]:
    """Shingles of a text, of which some were changed."""
    return frozenset(
        f"{text} {number} {'changed' if number < changed else ''}".encode()
        for number in range(count)
    )


def wave(digest: str, shown: Iterable[int] = range(100), **changes: object) -> Wave:
    audience = people(shown)
    made = Wave(
        digest=digest.encode().ljust(32, b"."),
        sender="olive@council.example",
        people=audience,
        audience=audience,
        disclosures=len(audience) * (len(audience) - 1),
        adds_up=len(audience) >= 3,
        shingles=pieces("newsletter"),
        subject="newsletter",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def reserve(memory: Memory, of: Wave, now: datetime = NOW) -> Reservation:
    return memory.reserve(of, window=WINDOW, now=now)


def mailing(memory: Memory, of: Wave, now: datetime = NOW) -> MailingSoFar:
    found = reserve(memory, of, now).known.mailing
    assert found is not None
    return found


def counts(of: MailingSoFar) -> tuple[int, int, int]:
    return of.people, of.disclosures, of.waves


def one_mail_is_a_mailing_of_its_own(make: Factory) -> None:
    found = mailing(make(), wave("one"))

    assert counts(found) == (100, 9900, 1)
    assert found.id


def batches_add_up(make: Factory) -> None:
    memory = make()

    found = [
        mailing(memory, wave(f"batch {n}", range(100 * n, 100 * n + 100)))
        for n in range(5)
    ]

    assert [counts(each) for each in found] == [
        (100 * n, 9900 * n, n) for n in range(1, 6)
    ]
    assert len({each.id for each in found}) == 1


def people_of_several_batches_count_once(make: Factory) -> None:
    memory = make()
    reserve(memory, wave("one", range(0, 100)))

    found = mailing(memory, wave("two", range(50, 150)))

    assert counts(found) == (150, 2 * 9900, 2)


def nearly_the_same_text_is_one_mailing(make: Factory) -> None:
    memory = make()
    first = mailing(memory, wave("one"))

    found = mailing(
        memory, wave("two", range(100, 200), shingles=pieces("newsletter", changed=4))
    )

    assert found.id == first.id


def what_differs_is_another_mailing(make: Factory) -> None:
    memory = make()
    first = mailing(memory, wave("one"))
    others = [
        mailing(memory, wave("text", shingles=pieces("agenda"))),
        mailing(memory, wave("sender", sender="sam@council.example")),
        mailing(memory, wave("later"), NOW + WINDOW + DAY),
    ]

    assert len({first.id, *(other.id for other in others)}) == 4
    assert {counts(other) for other in others} == {(100, 9900, 1)}


def mail_to_few_neither_joins_nor_is_joined(make: Factory) -> None:
    memory = make()
    few = mailing(memory, wave("few", range(2)))
    many = mailing(memory, wave("many", range(100)))
    again = mailing(memory, wave("few again", range(2, 4)))

    assert len({few.id, many.id, again.id}) == 3
    assert counts(many) == (100, 9900, 1)
    assert counts(again) == (2, 2, 1)


def a_window_runs_from_the_latest_mail(make: Factory) -> None:
    memory = make()
    first = mailing(memory, wave("one", range(0, 100)))
    mailing(memory, wave("two", range(100, 200)), NOW + 10 * DAY)

    found = mailing(memory, wave("three", range(200, 300)), NOW + 20 * DAY)

    assert found.id == first.id
    assert counts(found) == (300, 3 * 9900, 3)


def a_retry_finds_its_own_place(make: Factory) -> None:
    memory = make()
    first = reserve(memory, wave("one"))
    reserve(memory, wave("two", range(100, 200)))

    again = reserve(memory, wave("one"))

    assert again.id == first.id
    assert again.known.mailing is not None
    assert counts(again.known.mailing) == (200, 2 * 9900, 2)


def what_was_cancelled_no_longer_counts(make: Factory) -> None:
    memory = make()
    first = reserve(memory, wave("one"))
    memory.settle(first.id, WaveState.CANCELLED)

    found = mailing(memory, wave("two", range(100, 200)))

    assert counts(found) == (100, 9900, 1)


def what_was_cancelled_stays_of_the_same_mailing(make: Factory) -> None:
    memory = make()
    first = reserve(memory, wave("one"))
    memory.settle(first.id, WaveState.CANCELLED)

    found = mailing(memory, wave("two", range(100, 200)))

    assert first.known.mailing is not None
    assert found.id == first.known.mailing.id


def a_cancelled_mail_that_comes_again_counts_again(make: Factory) -> None:
    memory = make()
    first = reserve(memory, wave("one"))
    memory.settle(first.id, WaveState.CANCELLED)
    again = reserve(memory, wave("one"))

    found = mailing(memory, wave("two", range(100, 200)))

    assert again.id == first.id
    assert counts(found) == (200, 2 * 9900, 2)


def reserved_shown_and_held_mail_counts(make: Factory) -> None:
    memory = make()
    shown = reserve(memory, wave("shown", range(0, 100)))
    memory.settle(shown.id, WaveState.SHOWN)
    held = reserve(memory, wave("held", range(100, 200)))
    memory.settle(held.id, WaveState.HELD)
    reserve(memory, wave("reserved", range(200, 300)))

    found = mailing(memory, wave("last", range(300, 400)))

    assert counts(found) == (400, 4 * 9900, 4)


def what_was_shown_stays_shown(make: Factory) -> None:
    memory = make()
    first = reserve(memory, wave("one"))
    memory.settle(first.id, WaveState.SHOWN)

    memory.settle(first.id, WaveState.CANCELLED)
    memory.settle(first.id, WaveState.SHOWN)

    assert counts(mailing(memory, wave("two", range(100, 200)))) == (200, 19800, 2)


def a_held_mail_that_was_split_no_longer_counts(make: Factory) -> None:
    memory = make()
    first = reserve(memory, wave("one"))
    memory.settle(first.id, WaveState.HELD)

    for _ in range(2):
        memory.settle(first.id, WaveState.CANCELLED)

    assert counts(mailing(memory, wave("two", range(100, 200)))) == (100, 9900, 1)


def settling_what_is_not_known_changes_nothing(make: Factory) -> None:
    make().settle("0", WaveState.SHOWN)


def a_recall_of_a_mail_in_memory_is_recognised(make: Factory) -> None:
    memory = make()
    reserve(memory, wave("one"))
    recall = wave(
        "recall",
        range(0),
        audience=people(range(50)),
        recalls="newsletter",
        subject="recall: newsletter",
        shingles=pieces("recall"),
    )

    assert reserve(memory, recall).known.recalled is True


def a_recall_of_nothing_in_memory_is_not(make: Factory) -> None:
    memory = make()
    reserve(memory, wave("one"))
    recall = wave(
        "recall",
        range(0),
        audience=people(range(50)),
        recalls="newsletter",
        subject="recall: newsletter",
        shingles=pieces("recall"),
    )
    others = (
        replace(recall, digest=b"1" * 32, recalls="another subject"),
        replace(recall, digest=b"2" * 32, sender="sam@council.example"),
        replace(recall, digest=b"3" * 32, audience=people(range(500, 550))),
        replace(recall, digest=b"4" * 32, recalls=None),
    )

    assert [reserve(memory, each).known.recalled for each in others] == [False] * 4


def a_recall_finds_neither_itself_nor_another_recall(make: Factory) -> None:
    memory = make()
    recall = wave(
        "recall",
        range(0),
        audience=people(range(50)),
        recalls="newsletter",
        subject="newsletter",
    )

    found = [
        reserve(memory, replace(recall, digest=digest)).known.recalled
        for digest in (b"1" * 32, b"1" * 32, b"2" * 32)
    ]

    assert found == [False] * 3


def two_guards_at_once_see_one_another(make: Factory) -> None:
    memory = make()
    waves = [wave(f"batch {n}", range(10 * n, 10 * n + 10)) for n in range(16)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda each: mailing(memory, each), waves))

    assert sorted(each.people for each in found) == [10 * n for n in range(1, 17)]
    assert len({each.id for each in found}) == 1


def known(memory: Memory, of: Wave, now: datetime = NOW) -> Known:
    return reserve(memory, of, now).known


def asking(digest: str, about: Iterable[int]) -> Wave:
    """A mail that shows these people to each other and is like no other."""
    return wave(digest, about, subject=digest, shingles=pieces(digest))


def together(digest: str, shown: Iterable[int], **changes: object) -> Wave:
    """A mail that makes its people known to one another once it is shown."""
    audience = people(shown)
    strangers = Strangers(audience)
    return replace(
        asking(digest, shown),
        thread=audience,
        **{"strangers": strangers, **changes},  # type: ignore[arg-type]
    )


def show(memory: Memory, of: Wave, now: datetime = NOW) -> Reservation:
    """The mail is accepted, and the next hop takes it."""
    place = reserve(memory, of, now)
    memory.settle(place.id, WaveState.SHOWN)
    return place


def whom_a_mail_hid_is_a_hidden_audience(make: Factory) -> None:
    memory = make()
    reserve(memory, replace(asking("blind", ()), hidden=people(range(90))))

    found = known(memory, asking("visible", (3, 4, 5, 200)))

    assert found.hidden == (HiddenAudience(people((3, 4, 5))),)
    assert (found.circles, found.threads, found.is_controlled) == ((), (), False)


def a_mail_does_not_meet_whom_it_hides_itself(make: Factory) -> None:
    memory = make()

    found = known(memory, replace(asking("one", range(9)), hidden=people(range(9))))

    assert found.hidden == ()


def a_sensitive_mail_hides_a_sensitive_audience(make: Factory) -> None:
    memory = make()
    strangers = Strangers(people(range(9)), is_sensitive=True)
    hidden = people(range(9))
    reserve(memory, replace(asking("b", ()), hidden=hidden, strangers=strangers))

    found = known(memory, asking("visible", (3, 4)))

    assert found.hidden == (HiddenAudience(people((3, 4)), is_sensitive=True),)


def everyone_of_a_split_is_a_hidden_audience(make: Factory) -> None:
    memory = make()
    memory.hide(people(range(40)), is_sensitive=False, now=NOW)
    memory.hide(people(range(40)), is_sensitive=False, now=NOW + DAY)
    memory.hide(people((50,)), is_sensitive=False, now=NOW)

    found = known(memory, asking("visible", (1, 2, 50)))

    assert found.hidden == (HiddenAudience(people((1, 2))),)


def an_audience_that_was_sensitive_once_stays_so(make: Factory) -> None:
    memory = make()
    for is_sensitive in (False, True, False):
        memory.hide(people(range(4)), is_sensitive=is_sensitive, now=NOW)

    (found,) = known(memory, asking("visible", (1, 2))).hidden

    assert found.is_sensitive


def strangers_to_memory_have_nothing_known(make: Factory) -> None:
    memory = make()
    memory.hide(people(range(40)), is_sensitive=False, now=NOW)
    memory.learn(people(range(40, 50)), now=NOW)

    found = known(memory, asking("visible", (39, 40, 100)))

    assert (found.hidden, found.threads, found.joined) == ((), (), 0)


def who_was_shown_together_knows_one_another(make: Factory) -> None:
    memory = make()
    show(memory, together("one", range(4)))

    found = known(memory, together("two", (0, 1, 2, 9)))

    assert found.threads == (people((0, 1, 2)),)
    assert found.mailing is not None
    assert found.mailing.people == 1  # who joins them


def mail_that_was_not_shown_makes_no_thread(make: Factory) -> None:
    memory = make()
    reserve(memory, together("reserved", range(4)))
    held = reserve(memory, together("held", range(4)))
    memory.settle(held.id, WaveState.HELD)
    cancelled = reserve(memory, together("cancelled", range(4)))
    memory.settle(cancelled.id, WaveState.CANCELLED)

    assert known(memory, together("last", range(4))).threads == ()


def observed_mail_makes_no_thread(make: Factory) -> None:
    memory = make()
    show(memory, together("one", range(4), is_observed=True))

    assert known(memory, together("two", range(4))).threads == ()


def inbound_mail_makes_a_thread_that_nobody_joined(make: Factory) -> None:
    memory = make()
    for _ in range(2):
        memory.learn(people(range(8)), now=NOW)
    memory.learn(people((70,)), now=NOW)

    found = known(memory, together("reply", (*range(8), 9)))

    assert (found.threads, found.joined) == ((people(range(8)),), 0)
    assert found.mailing is not None
    assert (found.mailing.people, found.mailing.disclosures) == (1, 16)


def who_joins_a_thread_counts_over_its_whole_life(make: Factory) -> None:
    memory = make()
    memory.learn(people(range(20)), now=NOW)

    joined = []
    for number in range(6):
        mail = together(f"mail {number}", (*range(20), 100 + number))
        joined.append(known(memory, mail).joined)
        show(memory, mail)

    assert joined == [0, 1, 2, 3, 4, 5]


def our_own_first_mail_brings_everybody_together(make: Factory) -> None:
    memory = make()
    show(memory, together("one", range(5)))

    found = known(memory, together("two", range(6)))

    assert found.joined == 5
    assert found.mailing is not None
    assert found.mailing.people == 1


def who_was_released_counts_no_longer(make: Factory) -> None:
    memory = make()
    place = reserve(memory, together("one", range(9)))
    memory.settle(place.id, WaveState.HELD)
    memory.settle(place.id, WaveState.SHOWN)

    found = known(memory, together("two", range(10)))

    assert (found.threads, found.joined) == ((people(range(9)),), 0)


def a_mail_to_others_does_not_go_on_with_a_thread(make: Factory) -> None:
    memory = make()
    show(memory, together("one", range(3)))

    found = known(memory, together("two", (0, 1, *range(10, 14))))

    assert (found.threads, found.joined) == ((people((0, 1)),), 0)
    assert found.mailing is not None
    assert found.mailing.people == 6


def nothing_makes_a_sensitive_list_known(make: Factory) -> None:
    memory = make()
    memory.learn(people(range(4)), now=NOW)
    strangers = Strangers(people(range(4)), is_sensitive=True)

    found = known(memory, together("one", range(4), strangers=strangers))

    assert found.mailing is not None
    assert (found.mailing.people, found.joined) == (4, 0)


def the_transactions_of_one_message_are_one_mailing(make: Factory) -> None:
    memory = make()
    parts = [
        replace(
            wave(f"part {n}", (2 * n, 2 * n + 1), shingles=frozenset()),
            message_id="1@mail.council.example",
        )
        for n in range(3)
    ]

    found = [mailing(memory, part) for part in parts]

    assert [counts(each) for each in found] == [(2, 2, 1), (4, 4, 2), (6, 6, 3)]
    assert len({each.id for each in found}) == 1


def another_message_is_another_mailing(make: Factory) -> None:
    memory = make()
    first = replace(wave("one", range(2)), message_id="1@mail.council.example")
    reserve(memory, first)
    others = [
        replace(first, digest=b"2" * 32, message_id="2@mail.council.example"),
        replace(first, digest=b"3" * 32, sender="sam@council.example"),
        replace(first, digest=b"4" * 32, message_id=""),
        replace(first, digest=b"5" * 32, message_id=""),
    ]

    assert [mailing(memory, other).waves for other in others] == [1, 1, 1, 1]
    late = replace(first, digest=b"6" * 32)
    assert mailing(memory, late, NOW + WINDOW + DAY).waves == 1


CHECKS: tuple[Callable[[Factory], None], ...] = (
    one_mail_is_a_mailing_of_its_own,
    batches_add_up,
    people_of_several_batches_count_once,
    nearly_the_same_text_is_one_mailing,
    what_differs_is_another_mailing,
    mail_to_few_neither_joins_nor_is_joined,
    a_window_runs_from_the_latest_mail,
    a_retry_finds_its_own_place,
    what_was_cancelled_no_longer_counts,
    what_was_cancelled_stays_of_the_same_mailing,
    a_cancelled_mail_that_comes_again_counts_again,
    reserved_shown_and_held_mail_counts,
    what_was_shown_stays_shown,
    a_held_mail_that_was_split_no_longer_counts,
    settling_what_is_not_known_changes_nothing,
    a_recall_of_a_mail_in_memory_is_recognised,
    a_recall_of_nothing_in_memory_is_not,
    a_recall_finds_neither_itself_nor_another_recall,
    two_guards_at_once_see_one_another,
    whom_a_mail_hid_is_a_hidden_audience,
    a_mail_does_not_meet_whom_it_hides_itself,
    a_sensitive_mail_hides_a_sensitive_audience,
    everyone_of_a_split_is_a_hidden_audience,
    an_audience_that_was_sensitive_once_stays_so,
    strangers_to_memory_have_nothing_known,
    who_was_shown_together_knows_one_another,
    mail_that_was_not_shown_makes_no_thread,
    observed_mail_makes_no_thread,
    inbound_mail_makes_a_thread_that_nobody_joined,
    who_joins_a_thread_counts_over_its_whole_life,
    our_own_first_mail_brings_everybody_together,
    who_was_released_counts_no_longer,
    a_mail_to_others_does_not_go_on_with_a_thread,
    nothing_makes_a_sensitive_list_known,
    the_transactions_of_one_message_are_one_mailing,
    another_message_is_another_mailing,
)
