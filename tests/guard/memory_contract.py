# SPDX-License-Identifier: Apache-2.0
"""What every Memory does, as one suite: run over each implementation.

Each function of CHECKS takes a factory of empty memories.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.known import MailingSoFar
from undisclosed.core.mailing import Wave
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
)
