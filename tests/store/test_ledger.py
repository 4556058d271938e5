# SPDX-License-Identifier: Apache-2.0
"""The ledger: rows before bytes, one worker for each, and counts that add up."""

import threading
from collections import Counter
from datetime import timedelta

import psycopg
import pytest

from tests.store.campaigns import (
    NOW,
    address_of,
    drafted,
    numbers,
    sending,
    set_state,
)
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.store import campaign_tally, crypto, ledger, suppressions
from undisclosed.store.database import transaction
from undisclosed.store.ledger import Marked
from undisclosed.store.models import Suppression

LEASE = timedelta(minutes=5)
IN_DOUBT, QUEUED, SENT = (
    DeliveryState.IN_DOUBT,
    DeliveryState.QUEUED,
    DeliveryState.SENT,
)


def claimed(campaign, by="one", limit=100, now=NOW):
    return numbers(ledger.claim(campaign, by=by, limit=limit, lease=LEASE, now=now))


def begun(campaign, found, by="one"):
    return sorted(ledger.begin(campaign, found, by=by, now=NOW))


def test_everybody_of_the_list_has_a_row_before_anything_leaves(database):
    campaign = sending(5)

    assert ledger.counts(campaign) == {QUEUED: 5}
    with transaction() as connection:
        assert ledger.expand(connection, campaign, NOW) == 0


def test_who_is_suppressed_is_in_the_ledger_and_is_never_claimed(database):
    Suppression.objects.create(
        address_hash=crypto.address_hash(address_of(2)),
        address_sealed=b"",
        reason="unsubscribed",
        at=NOW,
    )
    Suppression.objects.create(
        address_hash=crypto.address_hash(address_of(3)),
        address_sealed=b"",
        reason="unsubscribed",
        kinds="marketing",
        at=NOW,
    )

    campaign = sending(3)

    assert ledger.counts(campaign) == {QUEUED: 2, DeliveryState.SUPPRESSED: 1}
    assert claimed(campaign) == [1, 3]


def test_who_asks_while_the_ledger_is_written_is_in_it_as_well(database):
    """Their own transaction waits for ours, or ours has seen them."""
    campaign = drafted(5)
    asked = threading.Thread(
        target=suppressions.suppress,
        args=([address_of(4)], suppressions.Reason.ASKED),
        kwargs={"by": "test", "now": NOW},
    )

    with transaction() as connection:
        ledger.expand(connection, campaign, NOW)
        connection.run("UPDATE store_campaign SET state = 'sending'")
        asked.start()
        asked.join(0.3)
        assert asked.is_alive()
    asked.join()

    assert claimed(campaign) == [1, 2, 3, 5]
    assert ledger.counts(campaign) == ledger.counted(campaign)


def test_a_long_ledger_says_how_far_it_is(database, monkeypatch):
    monkeypatch.setattr(ledger, "EXPANDED_AT_ONCE", 10)
    campaign, said = drafted(35), []

    with transaction() as connection:
        written = ledger.expand(connection, campaign, NOW, said.append)

    assert (written, said) == (35, [10, 20, 30])
    assert ledger.counts(campaign) == {QUEUED: 35}


def test_a_row_is_claimed_by_one_until_its_lease_ends(database):
    campaign = sending(5)

    assert claimed(campaign, "one", 3) == [1, 2, 3]
    assert claimed(campaign, "two") == [4, 5]
    assert claimed(campaign, "three") == []
    assert claimed(campaign, "three", now=NOW + LEASE) == [1, 2, 3, 4, 5]


def test_what_is_about_to_leave_is_in_doubt_until_its_answer_is_recorded(database):
    campaign = sending(3)
    found = claimed(campaign)

    assert begun(campaign, found) == [1, 2, 3]
    assert ledger.counts(campaign) == {IN_DOUBT: 3}
    ledger.mark(
        campaign,
        [
            Marked(1, SENT, 250, "2.0.0", "taken for p1@a.example"),
            Marked(2, DeliveryState.FAILED, 550, "5.1.1"),
            Marked(3, DeliveryState.DELAYED, 451, again_at=NOW + LEASE),
        ],
        NOW,
    )

    assert ledger.counts(campaign) == {
        SENT: 1,
        DeliveryState.FAILED: 1,
        DeliveryState.DELAYED: 1,
    }
    assert ledger.counts(campaign) == ledger.counted(campaign)
    first, *_ = ledger.rows(campaign)
    assert (first.code, first.reply, first.attempts) == (
        250,
        "taken for p1@a.example",
        1,
    )
    assert claimed(campaign) == []
    assert claimed(campaign, now=NOW + LEASE) == [3]


def test_the_words_of_a_reply_are_sealed(database):
    campaign = sending(1)
    begun(campaign, claimed(campaign))
    ledger.mark(campaign, [Marked(1, SENT, 250, "2.0.0", "for p1@a.example")], NOW)

    with psycopg.connect(database.url) as connection:
        row = connection.execute("SELECT * FROM store_delivery").fetchone()
    assert b"a.example" not in b"".join(x for x in row if isinstance(x, bytes))


def test_a_reply_that_is_no_text_is_recorded_all_the_same(database):
    campaign = sending(1)
    begun(campaign, claimed(campaign))

    assert ledger.mark(campaign, [Marked(1, SENT, 250, reply="ok \udcff")], NOW) == 1

    (row,) = ledger.rows(campaign)
    assert row.reply == "ok ?"


@pytest.mark.parametrize("state", [CampaignState.PAUSED, CampaignState.CANCELLED])
def test_nothing_begins_once_the_campaign_was_paused_or_cancelled(database, state):
    campaign = sending(2)
    found = claimed(campaign)

    set_state(campaign, state)

    assert begun(campaign, found) == []
    assert ledger.counts(campaign) == {QUEUED: 2}


def test_only_whoever_claimed_a_row_begins_it_and_once(database):
    campaign = sending(2)
    found = claimed(campaign, "one")

    assert begun(campaign, found, "two") == []
    assert begun(campaign, found, "one") == [1, 2]
    assert begun(campaign, found, "one") == []


def test_an_answer_is_recorded_once(database):
    campaign = sending(1)
    begun(campaign, claimed(campaign))

    assert ledger.mark(campaign, [Marked(1, SENT, 250)], NOW) == 1
    assert ledger.mark(campaign, [Marked(1, DeliveryState.FAILED, 550)], NOW) == 0
    assert ledger.counts(campaign) == {SENT: 1}


def test_what_is_in_doubt_is_decided_only_when_nobody_has_it_in_hand(database):
    campaign = sending(2)
    begun(campaign, claimed(campaign))

    with transaction() as connection:
        decide = ledger.decide_doubt
        assert decide(connection, campaign, QUEUED, NOW, reason="resend") == 0
        late = NOW + LEASE
        assert decide(connection, campaign, QUEUED, late, reason="resend") == 2

    assert ledger.counts(campaign) == {QUEUED: 2}


def test_workers_at_once_share_the_rows_and_the_tally_adds_up(database):
    campaign = sending(400)
    taken: Counter[int] = Counter()
    lock = threading.Lock()

    def work(by):
        while found := claimed(campaign, by, 20):
            going = begun(campaign, found, by)
            with lock:
                taken.update(going)
            ledger.mark(campaign, [Marked(one, SENT, 250) for one in going], NOW)

    workers = [threading.Thread(target=work, args=(f"w{n}",)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert taken == Counter(range(1, 401))
    assert ledger.counts(campaign) == ledger.counted(campaign) == {SENT: 400}
    tally = campaign_tally.of(campaign, NOW)
    assert tally.by_time == tally.latest == [(NOW, SENT, 400)]
    assert tally.by_domain == [("a.example", SENT, 400)]


def test_a_rate_is_shared_by_all_and_refills_with_time(database):
    second = timedelta(seconds=1)

    def take(wanted, now):
        return ledger.take("hop", wanted, number=10, per=second, now=now)

    assert take(7, NOW) == 7
    assert take(7, NOW) == 3
    assert take(7, NOW) == 0
    assert take(7, NOW + second / 2) == 5
    assert take(100, NOW + 60 * second) == 10
    assert take(5, NOW) == 0
