# SPDX-License-Identifier: Apache-2.0
"""Whoever only asks learns nothing of who stands on a list."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guard.clearing import ClearingWorld
from tests.guard.worlds import POLICY, mail, people, person
from undisclosed.core.address import Address
from undisclosed.core.mail import Mail
from undisclosed.core.policy import DistributionList, Policy
from undisclosed.core.verdict import Action
from undisclosed.guard.endpoints.http import GENERAL, Advice

CLINIC = Address("clinic", "council.example")
CARERS = Address("carers", "council.example")
PEOPLE = people(range(12))
ASKED_ABOUT = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=8, unique=True)
MEMBERS = st.sets(st.sampled_from(PEOPLE), max_size=12)


def policy(*members: Address, sensitive: bool = True, **more: object) -> Policy:
    lists = {CLINIC: DistributionList(tuple(members), is_sensitive=sensitive)}
    return replace(POLICY, lists=lists, **more)  # type: ignore[arg-type]


def told(by: Policy, sent: Mail) -> object:
    """Everything that the answer says."""
    advice: Advice = ClearingWorld(policy=by).advise(sent)
    return [getattr(advice, name) for name in advice.__slots__ if name[0] != "_"]


@given(MEMBERS, MEMBERS, ASKED_ABOUT)
def test_who_is_on_a_list_changes_no_answer_about_people(one, other, asked) -> None:
    sent = mail(asked)

    assert told(policy(*one), sent) == told(policy(*other), sent)


@given(st.permutations(PEOPLE), st.integers(0, 12), ASKED_ABOUT)
def test_beside_a_list_s_address_only_its_size_counts(shuffled, size, asked) -> None:
    sent = mail((CLINIC, *asked))
    one, other = PEOPLE[:size], shuffled[:size]

    assert told(policy(*one), sent) == told(policy(*other), sent)


@given(MEMBERS, MEMBERS, ASKED_ABOUT)
def test_single_patients_on_an_own_domain_change_no_answer(one, other, asked) -> None:
    staff = [Address(each.local_part, "council.example") for each in asked]
    sent = mail((*asked, *staff))
    patients = [
        frozenset(f"{each.local_part}@council.example" for each in some)
        for some in (one, other)
    ]

    first, second = (replace(POLICY, outsiders=each) for each in patients)
    assert told(first, sent) == told(second, sent)


def test_where_no_own_domain_is_configured_the_author_s_says_nothing() -> None:
    """Whoever asks says who writes: the list's own domain parts its members."""
    members = [Address(f"p{number}", "clinic.example") for number in range(7)]
    unset = replace(policy(*members), own_domains=frozenset())
    strangers = replace(policy(*PEOPLE[:7]), own_domains=frozenset())
    author = Address("eve", "clinic.example")
    sent = mail((CLINIC,), author=author, mail_from=author)

    assert told(unset, sent)[0] == told(strangers, sent)[0]


def test_a_list_in_to_is_still_found_to_show_its_members() -> None:
    world = ClearingWorld(policy=policy(*PEOPLE))

    advice = world.advise(mail((CLINIC,)))

    assert advice.action is Action.HOLD
    assert advice.singly_refused is not None


def test_what_is_told_of_a_list_counts_and_names_nobody_on_it() -> None:
    world = ClearingWorld(policy=policy(*PEOPLE))

    advice = world.advise(mail((CLINIC, person(50))))

    assert [one.address for one in advice.shown] == [person(50)]
    assert advice.people == 1
    assert advice.new_disclosures == 0
    assert {finding.text for finding in advice.findings} == {GENERAL}
    assert {finding.people for finding in advice.findings} == {0}


def test_lists_in_lists_are_opened() -> None:
    by = replace(
        policy(CARERS, person(1)),
        lists={
            CLINIC: DistributionList((CARERS, person(1))),
            CARERS: DistributionList((CLINIC, *people(range(2, 9)))),
        },
    )

    assert ClearingWorld(policy=by).advise(mail((CLINIC,))).action is Action.HOLD


@pytest.mark.parametrize(("number", "action"), [(5, "accept"), (6, "hold")])
def test_members_of_one_organisation_stay_together(number, action) -> None:
    one_office = [Address(f"p{n}", "office.example") for n in range(20)]
    members = (*one_office, *people(range(number - 1)))
    world = ClearingWorld(policy=policy(*one_office, sensitive=False))
    assert world.advise(mail((CLINIC,))).action is Action.ACCEPT

    by = policy(*people(range(number)), sensitive=False)

    assert ClearingWorld(policy=by).advise(mail((CLINIC,))).action.value == action
    assert len(members) > number


def test_insiders_on_a_list_need_nothing() -> None:
    staff = [Address(f"s{number}", "council.example") for number in range(30)]

    advice = ClearingWorld(policy=policy(*staff)).advise(mail((CLINIC,)))

    assert advice.action is Action.ACCEPT
