# SPDX-License-Identifier: Apache-2.0
"""One look at the tally says what the ledger says, in few rows."""

from collections import Counter
from datetime import timedelta

import pytest

from tests.store import campaigns as made
from undisclosed.core.address import Address
from undisclosed.core.campaign import DeliveryState, Row
from undisclosed.store import campaign_tally, ledger, lists
from undisclosed.store.campaign_tally import Tally
from undisclosed.store.database import database as connected
from undisclosed.store.database import transaction
from undisclosed.store.ledger import Marked
from undisclosed.store.models import RecipientList

SENT, FAILED = DeliveryState.SENT, DeliveryState.FAILED
MINUTE = timedelta(minutes=1)


def deliver(campaign, number, at, state=SENT):
    ledger.begin(campaign, [number], by="", now=at)
    ledger.mark(campaign, [Marked(number, state, 250)], at)


def of(campaign, since=made.NOW):
    return campaign_tally.of(campaign, since)


def test_one_look_says_what_the_rows_say(database):
    campaign = made.sending(5)
    ledger.begin(campaign, [1, 2, 3], by="", now=made.NOW)
    outcomes = [Marked(1, SENT, 250), Marked(2, FAILED, 550)]
    ledger.mark(campaign, outcomes, made.NOW)

    found = of(campaign)

    assert found.counts == dict(ledger.counts(campaign))
    assert found.counts == dict(ledger.counted(campaign))
    assert sum(number for *_, number in found.by_domain) == 5
    assert set(found.by_time) == {(made.NOW, SENT, 1), (made.NOW, FAILED, 1)}
    assert found.latest == found.by_time


def test_nothing_is_counted_before_it_begins(database):
    assert of(made.drafted(3)) == Tally({}, [], [], [])


def test_what_changes_later_moves_to_the_minute_in_which_it_changed(database):
    campaign = made.sending(2)
    deliver(campaign, 1, made.NOW)
    deliver(campaign, 2, made.NOW)
    later = made.NOW + 2 * MINUTE

    with connected() as connection:
        connection.run(
            "UPDATE store_delivery SET state = 'failed', updated_at = %s"
            " WHERE number = 2",
            (later,),
        )

    assert of(campaign).by_time == [
        (made.NOW, SENT, 2),
        (later, FAILED, 1),
        (later, SENT, -1),
    ]
    assert of(campaign).counts == {SENT: 1, FAILED: 1}
    assert of(campaign, later).latest == [(later, FAILED, 1), (later, SENT, -1)]


@pytest.mark.parametrize(
    ("minutes", "steps", "step"),
    [(360, 2, MINUTE), (361, 2, 60 * MINUTE), (600, 2, 60 * MINUTE)],
)
def test_a_long_time_is_told_in_hours_and_the_latest_in_minutes(
    database, minutes, steps, step
):
    campaign = made.sending(3)
    last = made.NOW + minutes * MINUTE
    deliver(campaign, 1, made.NOW)
    deliver(campaign, 2, made.NOW)
    deliver(campaign, 3, last)

    found = of(campaign, last - MINUTE)

    assert found.step == step
    assert [number for *_, number in found.by_time] == [2, 1]
    assert len(found.by_time) == steps
    assert found.latest == [(last, SENT, 1)]


def test_the_largest_domains_are_counted_each_and_all_others_together(
    database, monkeypatch
):
    """Whose domain is at the limit does not matter; nobody is counted twice."""
    monkeypatch.setattr(ledger, "DOMAINS", 2)
    campaign = made.drafted(0)
    sizes = {"large.example": 7, "middle.example": 6, "small.example": 5}
    domains = [name for name, size in sizes.items() for _ in range(size)]
    rows = [
        Row(number, Address(f"p{number}", domain), {"Email": "", "Name": ""})
        for number, domain in enumerate(domains, 1)
    ]
    key = RecipientList.objects.get().pk
    lists.import_rows(
        key, made.COLUMNS, rows, by="t", now=made.NOW, shared_domains=frozenset(sizes)
    )
    with transaction() as connection:
        ledger.expand(connection, campaign, made.NOW)
        connection.run("UPDATE store_campaign SET state = 'sending', list_version = 2")
    for number in (1, 8, 18):
        deliver(campaign, number, made.NOW)

    by_domain = Counter()
    for domain, state, number in of(campaign).by_domain:
        by_domain[domain, state] += number

    queued = DeliveryState.QUEUED
    assert by_domain == {
        ("large.example", queued): 6,
        ("large.example", SENT): 1,
        ("middle.example", queued): 5,
        ("middle.example", SENT): 1,
        ("", queued): 4,
        ("", SENT): 1,
    }
