# SPDX-License-Identifier: Apache-2.0
"""The strongest objection of any rule decides."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.making import POLICY, content, people, reading_of
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN, Known, MailingSoFar
from undisclosed.core.policy import RULE_NAMES, Policy
from undisclosed.core.rules import ALL_RULES
from undisclosed.core.verdict import SEVERITY, Action, Removal

limits = st.integers(0, 12)
sizes = st.integers(0, 12)


def action(
    viewers: int, shown: int, policy: Policy = POLICY, known: Known = NOTHING_KNOWN
) -> Action:
    """The verdict on a mail to so many outsiders that shows so many of them."""
    reading = reading_of(people(viewers), content(people(shown)), policy=policy)
    return judge(reading, known, policy).action


@given(sizes, sizes, limits, limits)
def test_a_higher_limit_never_objects_more(
    viewers: int, shown: int, one: int, other: int
) -> None:
    low, high = sorted((one, other))

    strict = action(
        viewers, shown, dataclasses.replace(POLICY, max_shown_outsiders=low)
    )
    mild = action(viewers, shown, dataclasses.replace(POLICY, max_shown_outsiders=high))

    assert SEVERITY.index(mild) <= SEVERITY.index(strict)


@given(sizes, sizes, sizes)
def test_another_viewer_never_makes_the_verdict_milder(
    viewers: int, more: int, shown: int
) -> None:
    fewer, many = action(viewers, shown), action(viewers + more, shown)

    assert SEVERITY.index(many) >= SEVERITY.index(fewer)


@given(sizes, st.integers(0, 40))
def test_what_went_before_in_the_mailing_never_makes_the_verdict_milder(
    size: int, before: int
) -> None:
    known = Known(MailingSoFar("m", people=size + before, disclosures=0, waves=2))

    alone, together = action(size, size), action(size, size, known=known)

    assert SEVERITY.index(together) >= SEVERITY.index(alone)


@given(
    sizes, sizes, st.dictionaries(st.sampled_from(RULE_NAMES), st.sampled_from(Action))
)
def test_the_verdict_is_the_strongest_finding(
    viewers: int, shown: int, actions: dict[str, Action]
) -> None:
    policy = dataclasses.replace(POLICY, actions=actions)
    audience = content(people(shown), uncertain=("Something is odd.",), recall=True)

    verdict = judge(reading_of(people(viewers), audience), NOTHING_KNOWN, policy)

    found = [SEVERITY.index(finding.action) for finding in verdict.findings]
    assert SEVERITY.index(verdict.action) == max(found, default=0)
    for finding in verdict.findings:
        assert finding.action is actions.get(finding.rule, finding.action)


def test_nothing_to_object_to_is_accepted() -> None:
    verdict = judge(reading_of(people(5), content(people(5))), NOTHING_KNOWN, POLICY)

    assert verdict.action is Action.ACCEPT
    assert verdict.findings == ()


def test_removals_are_part_of_any_verdict() -> None:
    removals = (Removal("Bcc", 10, 30),)
    audience = dataclasses.replace(content(people(9)), removals=removals)

    verdict = judge(reading_of(people(9), audience), NOTHING_KNOWN, POLICY)

    assert verdict.action is Action.HOLD
    assert verdict.removals == removals


def test_only_the_given_rules_are_asked() -> None:
    verdict = judge(
        reading_of(people(9), content(people(9))), NOTHING_KNOWN, POLICY, ()
    )

    assert verdict.action is Action.ACCEPT


def test_the_policy_knows_every_rule() -> None:
    assert tuple(rule.name for rule in ALL_RULES) == RULE_NAMES


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: str(rule.name))
def test_every_rule_describes_itself(rule: object) -> None:
    assert getattr(rule, "description", "").endswith(".")
    assert getattr(rule, "default_action", None) in (Action.HOLD, Action.REJECT)
