# SPDX-License-Identifier: Apache-2.0
"""A campaign in trouble: in doubt, delayed, cancelled, changed, or a worker gone."""

import asyncio
from datetime import timedelta

import pytest

from tests.send.sending import (
    DRAFT,
    FAILED,
    IN_DOUBT,
    QUEUED,
    SENT,
    TOKENS,
    another,
    sent,
    state_of,
    with_policy,
)
from tests.store.campaigns import (
    NOW,
    sending,
    set_state,
)
from tests.transport.smtp.talking import run
from undisclosed.core.campaign import (
    CampaignState,
    DeliveryState,
    NoSuchStep,
)
from undisclosed.guard.testing import FixedClock
from undisclosed.send.connections import Connections
from undisclosed.send.deliver import Sender
from undisclosed.send.draft import to_json
from undisclosed.send.rates import HOUR, Rate, Rates
from undisclosed.send.settings import SendSettings
from undisclosed.store import campaigns, doubt, ledger
from undisclosed.store.models import JournalEntry
from undisclosed.transport.smtp.client import ClientSettings, connect
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script


def test_a_list_that_is_not_the_approved_one_any_more_stops_the_campaign(database):
    from tests.store.campaigns import COLUMNS, row
    from undisclosed.store import lists

    campaign = sending(3, to_json(DRAFT))
    list_id = campaigns.get(campaign).list_id
    set_state(campaign, CampaignState.DRAFT)
    lists.import_rows(list_id, COLUMNS, map(row, (2, 3, 1)), by="test", now=NOW)
    set_state(campaign, CampaignState.SENDING)

    hop, _ = sent()

    assert hop.taken == []
    assert state_of(campaign) is CampaignState.PAUSED
    assert "not the one that was approved" in campaigns.get(campaign).paused_because
    assert ledger.counts(campaign) == {QUEUED: 3}


def test_a_first_message_in_doubt_asks_a_person_and_then_goes_on(database):
    campaign = sending(30, to_json(DRAFT), step=1)

    sent(Script(final=Fault.CLOSE))
    assert state_of(campaign) is CampaignState.PAUSED
    assert ledger.counts(campaign) == {IN_DOUBT: 1, QUEUED: 29}
    assert doubt.decide(campaign, resend=False, by="sam", now=NOW) == 1
    campaigns.resume(campaign, by="sam", now=NOW)
    hop, _ = sent()

    assert len(hop.taken) == 29
    assert state_of(campaign) is CampaignState.DONE
    events = JournalEntry.objects.values_list("event", flat=True)
    assert {"doubt decided", "campaign step", "campaign finish"} <= set(events)


def test_a_first_message_that_is_delayed_is_tried_before_any_other(database):
    campaign = sending(30, to_json(DRAFT), step=1)
    clock = FixedClock(NOW)

    _, again_at = sent(Script(rcpts={"p1": "451 4.2.1 Later"}), clock=clock)
    assert ledger.counts(campaign) == {DeliveryState.DELAYED: 1, QUEUED: 29}
    assert again_at == NOW + timedelta(minutes=1)
    clock.advance(timedelta(minutes=1))
    hop, _ = sent(clock=clock)

    assert hop.taken[0].rcpts == (b"RCPT TO:<p1@a.example>",)
    assert state_of(campaign) is CampaignState.DONE


def test_a_worker_that_died_before_the_next_step_does_not_end_the_campaign(database):
    campaign = sending(30, to_json(DRAFT), step=1)
    (one,) = ledger.claim(
        campaign, by="dead", limit=1, lease=timedelta(minutes=1), now=NOW
    )
    ledger.begin(campaign, [one.number], by="dead", now=NOW)
    ledger.mark(campaign, [ledger.Marked(one.number, SENT, 250)], NOW)

    hop, _ = sent()

    assert len(hop.taken) == 29
    assert ledger.counted(campaign) == {SENT: 30}
    assert state_of(campaign) is CampaignState.DONE


def test_a_message_that_is_in_doubt_again_and_again_is_left_to_a_person(database):
    campaign = sending(1, to_json(DRAFT))
    with_policy(campaign, "resend")
    clock = FixedClock(NOW)

    for _ in range(doubt.MOST_RESENDS + 2):
        sent(Script(final=Fault.CLOSE), clock=clock)
        clock.advance(timedelta(minutes=1))

    (row,) = ledger.rows(campaign)
    assert (row.state, row.attempts) == (IN_DOUBT, doubt.MOST_RESENDS)
    assert state_of(campaign) is CampaignState.PAUSED


def test_campaigns_are_sent_by_turns(database):
    long = sending(60, to_json(DRAFT))
    short = another(long)

    hop, _ = sent(batch=10, group=5, connections=1)

    first = [one.rcpts[0] for one in hop.taken].index(b"RCPT TO:<q1@b.example>")
    assert first < 30
    assert ledger.counts(long) == {SENT: 60}
    assert ledger.counts(short) == {SENT: 3}


def test_what_a_rate_did_not_let_through_is_not_used_up(database):
    campaign = sending(30, to_json(DRAFT))
    limits = Rates(hop=(Rate(100, HOUR), Rate(12, timedelta(days=1))))

    sent(rates=limits)

    assert ledger.counts(campaign) == {SENT: 12, QUEUED: 18}
    assert ledger.take("hop/3600", 100, number=100, per=HOUR, now=NOW) == 88


def test_a_campaign_that_is_cancelled_has_nothing_open_but_what_is_in_doubt(database):
    campaign = sending(5, to_json(DRAFT))
    lease = timedelta(minutes=5)
    ledger.claim(campaign, by="one", limit=4, lease=lease, now=NOW)
    ledger.begin(campaign, [1, 2, 3], by="one", now=NOW)

    campaigns.cancel(campaign, by="sam", now=NOW)
    late = DeliveryState.DELAYED
    ledger.mark(campaign, [ledger.Marked(1, late, 451, again_at=NOW)], NOW)
    ledger.mark(campaign, [ledger.Marked(2, SENT, 250)], NOW)

    assert ledger.counted(campaign) == {SENT: 1, IN_DOUBT: 1, FAILED: 3}
    with pytest.raises(NoSuchStep):
        doubt.decide(campaign, resend=True, by="sam", now=NOW + lease)
    assert doubt.decide(campaign, resend=False, by="sam", now=NOW + lease) == 1


def test_an_answer_to_an_older_attempt_counts_for_nothing(database):
    campaign = sending(1, to_json(DRAFT))
    lease = timedelta(minutes=5)
    for by in ("one", "two"):
        ledger.claim(campaign, by=by, limit=1, lease=lease, now=NOW)
        ledger.begin(campaign, [1], by=by, now=NOW)
        if by == "one":
            ledger.give_back(campaign, by=by)
            doubt.decide(campaign, resend=True, by="sam", now=NOW)

    assert not ledger.mark(campaign, [ledger.Marked(1, FAILED, 550, attempt=1)], NOW)
    assert ledger.mark(campaign, [ledger.Marked(1, SENT, 250, attempt=2)], NOW)


def test_its_people_are_hidden_before_the_first_message_leaves(database):
    campaign = sending(3, to_json(DRAFT), step=1)
    told = []

    def hide(which, now):
        told.append((which.id, ledger.counts(which.id), now))

    sent(hide=hide)

    assert told == [(campaign, {QUEUED: 3}, NOW)]
    assert state_of(campaign) is CampaignState.DONE


def test_what_is_unexpected_pauses_the_campaign_and_says_what_it_was(database):
    campaign = sending(3, to_json(DRAFT), step=1)

    def hide(which, now):
        raise KeyError("p1@a.example")

    hop, _ = sent(hide=hide)

    assert hop.taken == []
    assert state_of(campaign) is CampaignState.PAUSED
    because = campaigns.get(campaign).paused_because
    assert because == "Something unexpected happened (KeyError)."


def test_what_is_not_what_was_approved_does_not_leave(database):
    campaign = sending(3, to_json(DRAFT))
    set_state(campaign, CampaignState.DRAFT)
    campaigns.change(campaign, by="sam", now=NOW, settings={"name": "Other"})
    set_state(campaign, CampaignState.SENDING)

    hop, _ = sent()

    assert hop.taken == []
    assert state_of(campaign) is CampaignState.PAUSED
    assert "not what was approved" in campaigns.get(campaign).paused_because


@pytest.mark.parametrize("how", ["pause", "stop"])
def test_a_slow_hop_does_not_make_a_pause_or_the_workers_end_wait(database, how):
    campaign = sending(90, to_json(DRAFT))
    chosen = SendSettings(hostname="c.test", batch=90, group=30)

    async def scenario():
        async with FakeHop(EVERYTHING, Script(delay=0.05)) as hop:
            where = ClientSettings("127.0.0.1", hop.port, "c.test")
            kept = Connections(lambda: connect(where), 1)
            clock, stop = FixedClock(NOW), asyncio.Event()
            sender = Sender(kept, TOKENS, Rates(), chosen, by="one", clock=clock)
            going = asyncio.create_task(sender.send_due(stop))
            while not hop.taken:
                await asyncio.sleep(0.01)
            if how == "pause":
                more = {"by": "sam", "now": NOW}
                await asyncio.to_thread(campaigns.pause, campaign, "enough", **more)
            else:
                stop.set()
            await asyncio.wait_for(going, 60)
            return hop

    hop = run(scenario())

    counts = ledger.counts(campaign)
    assert counts == {SENT: len(hop.taken), QUEUED: 90 - len(hop.taken)}
    assert len(hop.taken) < 60
