# SPDX-License-Identifier: Apache-2.0
"""The rules hidden-audience and visible-mail-control, and what overrides what."""

import dataclasses

import pytest

from tests.core.making import (
    POLICY,
    SAM,
    address,
    content,
    envelope,
    message,
    people,
    reading_of,
)
from undisclosed.core.disclosure import read
from undisclosed.core.judge import judge
from undisclosed.core.known import HiddenAudience, Known
from undisclosed.core.mail import Mail
from undisclosed.core.policy import DistributionList
from undisclosed.core.rules import ALL_RULES
from undisclosed.core.verdict import Action

HIDDEN = frozenset(people(50))
AUDIENCE = Known(hidden=(HiddenAudience(HIDDEN),))
SENSITIVE = Known(hidden=(HiddenAudience(HIDDEN, is_sensitive=True),))


def rules(viewers, shown, known, policy=POLICY):
    """The rules that object to a mail."""
    verdict = judge(reading_of(viewers, shown, policy), known, policy)
    return [finding.rule for finding in verdict.findings]


@pytest.mark.parametrize(
    ("known", "number", "is_held"),
    [
        (AUDIENCE, 2, False),
        (AUDIENCE, 3, True),
        (AUDIENCE, 5, True),
        (SENSITIVE, 1, False),
        (SENSITIVE, 2, True),
        (Known(), 5, False),
    ],
    ids=["two", "three", "five", "one sensitive", "two sensitive", "never hidden"],
)
def test_few_of_a_hidden_audience_are_too_many(known, number, is_held):
    found = rules(people(number), content(people(number)), known)

    assert found == (["hidden-audience"] if is_held else [])


def test_two_of_each_of_two_audiences_pass():
    known = Known(
        hidden=(
            HiddenAudience(frozenset(people(2))),
            HiddenAudience(frozenset(people(2, first=2))),
        )
    )

    assert rules(people(4), content(people(4)), known) == []


def test_a_thread_does_not_make_a_hidden_audience_known():
    known = dataclasses.replace(AUDIENCE, threads=(HIDDEN,))

    assert rules(people(3), content(people(3)), known) == ["hidden-audience"]


def test_a_circle_makes_a_hidden_audience_known():
    known = dataclasses.replace(AUDIENCE, circles=(HIDDEN,))

    assert rules(people(9), content(people(9)), known) == []


def test_no_circle_makes_a_sensitive_audience_known():
    known = dataclasses.replace(SENSITIVE, circles=(HIDDEN,))

    assert rules(people(2), content(people(2)), known) == ["hidden-audience"]


def test_colleagues_are_no_news_to_one_another():
    firm = [address(f"c{n}@firm.example") for n in range(9)]
    known = Known(hidden=(HiddenAudience(frozenset(firm)),))

    assert rules(firm, content(firm), known) == []


def test_old_mail_that_is_carried_along_counts():
    shown = content(people(1, first=90), forwarded=people(3))

    assert rules(people(1, first=90), shown, AUDIENCE) == ["hidden-audience"]


def test_insiders_are_shown_the_list_without_harm():
    assert rules([SAM], content(people(9)), AUDIENCE) == []


def test_insiders_on_a_confidential_list_do_not_count():
    policy = dataclasses.replace(
        POLICY,
        lists={
            address("board@council.example"): DistributionList(
                (SAM, address("kim@council.example"), *people(2)),
                is_confidential=True,
            )
        },
    )
    everyone = [address("kim@council.example"), *people(3)]

    assert rules(everyone, content(everyone), Known(), policy) == []


def test_three_of_a_confidential_list_are_held():
    members = DistributionList(tuple(people(20)), is_confidential=True)
    policy = dataclasses.replace(
        POLICY, lists={address("board@council.example"): members}
    )

    assert rules(people(2), content(people(2)), Known(), policy) == []
    assert rules(people(3), content(people(3)), Known(), policy) == ["hidden-audience"]


def test_the_sentence_says_neither_who_is_hidden_nor_how_many():
    told = {
        judge(
            reading_of(people(5), content(people(5))),
            Known(hidden=(HiddenAudience(frozenset(people(number))),)),
            POLICY,
        ).findings
        for number in (3, 4, 5)
    }

    assert len(told) == 1
    assert "hidden" not in next(iter(told))[0].text


def test_the_policy_may_ask_for_another_action():
    policy = dataclasses.replace(POLICY, actions={"hidden-audience": Action.SPLIT})

    reading = reading_of(people(3), content(people(3)), policy)

    assert judge(reading, AUDIENCE, policy).action is Action.SPLIT


@pytest.mark.parametrize(
    ("number", "is_held"), [(1, False), (2, True)], ids=["one", "two"]
)
def test_whoever_is_controlled_shows_no_two_outsiders_to_each_other(number, is_held):
    found = rules(people(number), content(people(number)), Known(is_controlled=True))

    assert found == (["visible-mail-control"] if is_held else [])


def test_neither_circle_nor_thread_ends_a_control():
    everyone = frozenset(people(4))
    known = Known(circles=(everyone,), threads=(everyone,), is_controlled=True)

    assert rules(everyone, content(everyone), known) == ["visible-mail-control"]


def test_whoever_is_controlled_writes_to_one_firm_as_ever():
    firm = [address(f"c{n}@firm.example") for n in range(4)]

    assert rules(firm, content(firm), Known(is_controlled=True)) == []


def test_mail_in_bcc_of_a_controlled_person_passes():
    content_of = message(to=[SAM])
    mail = Mail(envelope(people(9)), content_of)

    verdict = judge(read(mail, POLICY), Known(is_controlled=True), POLICY)

    assert verdict.action is Action.ACCEPT


def test_both_rules_stand_in_the_table():
    names = [rule.name for rule in ALL_RULES]

    assert names.index("hidden-audience") < names.index("unreadable")
    assert "visible-mail-control" in names
