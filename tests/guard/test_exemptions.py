# SPDX-License-Identifier: Apache-2.0
"""Exempt mail passes and is journalled each time; no more once its time is over."""

from datetime import date, timedelta
from ipaddress import ip_network

import pytest

from tests.guard.worlds import DAY, NOW, OLIVE, World, mail, people
from undisclosed.core.address import Address
from undisclosed.core.exemptions import LONGEST, ExemptionRule
from undisclosed.core.verdict import Action
from undisclosed.guard.exemptions import Exemptions, has_effect, reviews
from undisclosed.guard.origin import Origin

ARCHIVE = Address("journal", "archive.example")
ROUTE = Origin(endpoint="SMTP", client="10.1.0.9")
FORTY = people(range(40))


def rule(until=None, **more):
    until = until or NOW.date() + 90 * DAY
    more.setdefault("clients", (ip_network("10.1.0.9/32"),))
    more.setdefault("recipients", frozenset({ARCHIVE.person}))
    return ExemptionRule("journal", "IT operations", "The archive.", until, **more)


def world_with(*rules):
    return World(exempt=Exemptions(rules))


def report():
    """A journal report: the archive sees forty people in To."""
    return mail(FORTY, viewers=[ARCHIVE], mail_from=None)


def test_an_exempt_mail_passes_and_is_journalled_each_time():
    world = world_with(rule())

    decisions = [world.checkpoint.decide(report(), ROUTE) for _ in range(2)]

    assert {decision.action for decision in decisions} == {Action.ACCEPT}
    assert decisions[0].verdict.action is Action.HOLD
    written = [facts for event, facts in world.journal.entries if event == "exempted"]
    assert [one["exemption"] for one in written] == ["journal"] * 2
    assert written[0]["owner"] == "IT operations"
    assert written[0]["action"] == "hold"


@pytest.mark.parametrize(
    ("rules", "origin"),
    [
        pytest.param([rule(NOW.date() - DAY)], ROUTE, id="it is over"),
        pytest.param([rule(date.max)], ROUTE, id="it never ends"),
        pytest.param([rule()], Origin("SMTP", "10.9.9.9"), id="another client"),
        pytest.param([rule()], Origin(), id="an unknown client"),
        pytest.param([], ROUTE, id="there is none"),
    ],
)
def test_what_no_exemption_covers_is_held(rules, origin):
    world = world_with(*rules)

    assert world.checkpoint.decide(report(), origin).action is Action.HOLD
    assert "exempted" not in world.journal.events()


def test_a_recipient_more_ends_the_exemption():
    world = world_with(rule())
    more = mail(FORTY, viewers=[ARCHIVE, *FORTY[:2]], mail_from=OLIVE)

    assert world.checkpoint.decide(more, ROUTE).action is Action.HOLD


def test_a_mail_that_passes_anyway_is_not_called_exempt():
    world = world_with(rule())

    decision = world.checkpoint.decide(mail([ARCHIVE]), ROUTE)

    assert decision.exemption is None
    assert "exempted" not in world.journal.events()


def test_observed_exempt_mail_is_recorded_as_both():
    world = World(exempt=Exemptions([rule()]), observe=True)

    world.checkpoint.decide(report(), ROUTE)

    assert {"exempted", "observed"} <= set(world.journal.events())


def test_reviews_name_what_ended_ends_soon_or_never_ends():
    over, soon = rule(NOW.date() - DAY), rule(NOW.date() + 10 * DAY)
    endless = rule(NOW.date() + LONGEST + DAY)
    good = rule(NOW.date() + timedelta(days=200))

    found = dict(reviews([over, soon, endless, good], NOW))

    assert set(found) == {over, soon, endless}
    assert "has no effect" in found[over]
    assert "no effect" in found[endless]
    assert has_effect(soon, NOW)
    assert not has_effect(endless, NOW)
