# SPDX-License-Identifier: Apache-2.0
"""Who is still new to whom: the counting by groups against every pair looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.making import POLICY, SAM, content, people, reading_of
from undisclosed.core.address import Address
from undisclosed.core.judge import judge
from undisclosed.core.known import Known, MailingSoFar
from undisclosed.core.strangers import (
    Strangers,
    counted,
    goes_on,
    joined_before,
    still_new,
)
from undisclosed.core.verdict import Action

EVERYBODY = [
    Address(f"p{n}", f"home{n % 5}.example" if n % 3 else "gmail.com")
    for n in range(12)
]
SETS = st.frozensets(st.sampled_from(EVERYBODY))
GROUPS = st.lists(SETS, max_size=5).map(tuple)


def organisation(address: Address) -> str | None:
    """The domain; people of a provider stand alone."""
    return None if address.domain == "gmail.com" else address.domain


def pairs_one_by_one(people, viewers, groups, is_sensitive):
    """Every pair that is new, the slow way."""
    return {
        (viewer, person)
        for viewer in viewers
        for person in people
        if viewer != person
        and not (
            not is_sensitive
            and (
                (organisation(viewer) and organisation(viewer) == organisation(person))
                or any(viewer in group and person in group for group in groups)
            )
        )
    }


@given(SETS, SETS, GROUPS, st.booleans())
def test_the_new_pairs_are_those_of_a_count_one_by_one(
    shown, viewers, groups, is_sensitive
):
    strangers = Strangers(viewers, organisation, is_sensitive)

    new, pairs = strangers.new(shown, groups)

    expected = pairs_one_by_one(shown, viewers, groups, is_sensitive)
    assert pairs == len(expected)
    assert new == {person for _, person in expected}


@given(SETS, SETS, GROUPS, SETS)
def test_one_more_group_never_makes_more_people_new(shown, viewers, groups, more):
    strangers = Strangers(viewers, organisation)

    before = strangers.new(shown, groups)
    after = strangers.new(shown, (*groups, more))

    assert after[0] <= before[0]
    assert after[1] <= before[1]


@given(SETS, GROUPS)
def test_who_counts_is_new_and_not_of_the_thread(new, groups):
    found = counted(new, groups)

    assert found <= new
    if found != new:
        assert any(found.isdisjoint(group) for group in groups)
        assert 2 * len(found) < len(new)


@given(st.integers(0, 30), st.integers(0, 30))
def test_a_reading_without_memory_is_what_the_strangers_say(viewers, shown):
    reading = reading_of(people(viewers), content(people(shown)))

    new, pairs = reading.strangers.new(reading.newly_shown, ())

    assert (new, pairs) == (reading.newly_shown, reading.new_disclosures_in_header)
    assert reading.with_known(Known()) == reading


@pytest.mark.parametrize("kind", ["circles", "threads"])
def test_people_who_know_one_another_are_not_newly_shown(kind):
    group = people(40)
    reading = reading_of(group, content(group, text=group, forwarded=group))

    found = reading.with_known(Known(**{kind: (frozenset(group),)}))

    assert found.newly_shown == found.newly_shown_in_text == frozenset()
    assert judge(reading, Known(), POLICY).action is Action.HOLD
    known = Known(**{kind: (frozenset(group),)})
    assert judge(reading, known, POLICY).action is Action.ACCEPT


def test_who_joins_a_thread_is_all_that_counts():
    thread, joining = people(8), people(2, first=50)
    everyone = [*thread, *joining]
    reading = reading_of(everyone, content(everyone))

    found = reading.with_known(Known(threads=(frozenset(thread),)))

    assert found.newly_shown == frozenset(joining)


@pytest.mark.parametrize(("joined", "action"), [(4, Action.ACCEPT), (5, Action.HOLD)])
def test_who_joined_before_counts_on(joined, action):
    thread, joining = people(8), people(1, first=50)
    everyone = [*thread, *joining]
    reading = reading_of(everyone, content(everyone))

    known = Known(threads=(frozenset(thread),), joined=joined)

    assert judge(reading, known, POLICY).action is action


def test_who_joined_before_stops_no_mail_that_brings_nobody_new():
    thread = people(8)
    reading = reading_of(thread, content(thread))

    known = Known(threads=(frozenset(thread),), joined=500)

    assert judge(reading, known, POLICY).action is Action.ACCEPT


def test_a_thread_that_somebody_unseen_is_shown_counts_whole():
    thread = people(8)
    reading = reading_of([*thread, *people(1, first=50)], content(thread))

    known = Known(threads=(frozenset(thread),))

    assert reading.with_known(known).newly_shown == frozenset(thread)
    assert judge(reading, known, POLICY).action is Action.HOLD


def test_who_is_of_the_thread_may_read_it_unseen():
    thread = people(8)
    reading = reading_of(thread, content(thread[:7]))

    known = Known(threads=(frozenset(thread),))

    assert judge(reading, known, POLICY).action is Action.ACCEPT


def test_two_who_know_one_another_do_not_cover_for_seven():
    everyone = people(7)
    reading = reading_of(everyone, content(everyone))

    known = Known(threads=(frozenset(everyone[:2]),))

    assert len(reading.with_known(known).newly_shown) == 7
    assert judge(reading, known, POLICY).action is Action.HOLD


def test_a_mailing_counts_on_what_memory_says_of_it():
    reading = reading_of(people(4), content(people(4)))
    mailing = MailingSoFar("m", people=9, disclosures=40, waves=3)

    verdict = judge(reading, Known(mailing=mailing), POLICY)

    assert verdict.findings[0].people == 9


def test_the_author_of_an_inbound_mail_sees_nobody_new():
    outsider = people(1)[0]
    reading = reading_of([outsider, SAM], content([SAM], author=outsider))

    assert outsider not in reading.strangers.viewers


@given(SETS, st.lists(st.tuples(SETS, SETS), max_size=4))
def test_who_joined_is_counted_over_threads_that_the_mail_goes_on_with(shown, threads):
    found = joined_before(threads, shown)

    assert found == frozenset().union(
        *(joined for group, joined in threads if goes_on(shown, group))
    )


@given(SETS, GROUPS)
def test_a_sensitive_mail_knows_nobody(shown, groups):
    strangers = Strangers(shown, organisation, is_sensitive=True)

    assert still_new(shown, 7, Known(threads=groups), strangers) == (shown, 7)


def test_a_thread_of_thousands_costs_what_a_thread_of_five_does():
    """Each person once, not each pair: five thousand would be 25 million."""
    everyone = frozenset(people(5_000))
    asked = []

    def counting(address: Address) -> str | None:
        asked.append(address)
        return None

    new, pairs = Strangers(everyone, counting).new(everyone, (everyone,))

    assert (new, pairs) == (frozenset(), 0)
    assert len(asked) <= 2 * len(everyone)
