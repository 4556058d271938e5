# SPDX-License-Identifier: Apache-2.0
"""One look at the tally says what the ledger's own questions say."""

from tests.store import campaigns as made
from undisclosed.core.campaign import DeliveryState
from undisclosed.store import campaign_tally, ledger
from undisclosed.store.ledger import Marked


def test_one_look_says_what_three_say(database):
    campaign = made.sending(5)
    ledger.begin(campaign, [1, 2, 3], by="", now=made.NOW)
    outcomes = [
        Marked(1, DeliveryState.SENT, 250),
        Marked(2, DeliveryState.FAILED, 550),
    ]
    ledger.mark(campaign, outcomes, made.NOW)

    found = campaign_tally.of(campaign)

    assert sum(found.counts.values()) == 5
    assert found.counts == dict(ledger.counts(campaign))
    assert sorted(found.by_domain, key=str) == sorted(
        ledger.by_domain(campaign), key=str
    )
    assert {row for row in found.by_time if row[2]} == {
        row for row in ledger.by_time(campaign) if row[2]
    }


def test_nothing_is_counted_before_it_begins(database):
    found = campaign_tally.of(made.drafted(3))

    assert (found.counts, found.by_time, found.by_domain) == ({}, [], [])
