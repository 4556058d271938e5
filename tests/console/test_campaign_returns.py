# SPDX-License-Identifier: Apache-2.0
"""What came back shows on a campaign's page: what was delivered, and its seeds."""

import pytest

from tests.send.test_returns import dsn, return_path, returns_of, sent_to
from tests.store.campaigns import NOW, sending
from undisclosed.console.campaigns.live import live_of
from undisclosed.core.campaign import DeliveryState
from undisclosed.store import campaigns, seeds

pytestmark = pytest.mark.usefixtures("database")


def live(campaign):
    found = live_of(campaigns.get(campaign), NOW)
    assert found is not None
    return found


def test_what_a_report_calls_delivered_has_a_count_of_its_own():
    campaign, takes = sent_to(3, step=1), returns_of()
    takes.take(dsn(1, "delivered", "2.0.0"), [return_path(campaign, 1)])
    takes.take(dsn(2, "relayed", "2.0.0"), [return_path(campaign, 2)])

    shown = live(campaign)

    assert "3 of 3 messages sent, 1 of them known to be delivered" in shown.sentence
    counts = dict(shown.counts)
    assert counts == {DeliveryState.SENT: 2, DeliveryState.DELIVERED: 1}


def test_the_page_says_while_seeds_are_on_their_way():
    campaign = sending(2, step=1)
    before = live(campaign).seeds_travel

    seeds.begin(campaign, 1, messages=1, now=NOW)
    meanwhile = live(campaign).seeds_travel
    seeds.end(campaign, 1, messages=1, different=0, findings=(), now=NOW)

    assert (before, meanwhile) == (False, True)
    assert not live(campaign).seeds_travel
