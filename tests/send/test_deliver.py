# SPDX-License-Identifier: Apache-2.0
"""A campaign leaves as one message for each person, and the ledger says the rest."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from tests.send.sending import (
    DRAFT,
    FAILED,
    IN_DOUBT,
    QUEUED,
    SENT,
    TOKENS,
    in_the_loop,
    sent,
    state_of,
    the_list_is_the_approved_one,
    with_policy,
)
from tests.store.campaigns import (
    NOW,
    address_of,
    approve_as_it_is,
    sending,
    set_state,
)
from tests.transport.smtp.talking import run
from undisclosed.core.campaign import (
    CampaignState,
    DeliveryState,
    Draft,
)
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.guard.testing import FixedClock
from undisclosed.send.connections import Connections
from undisclosed.send.deliver import Sender
from undisclosed.send.draft import to_json
from undisclosed.send.rates import HOUR, Rate, Rates
from undisclosed.send.settings import SendSettings
from undisclosed.send.tokens import Purpose
from undisclosed.store import campaigns, ledger
from undisclosed.store.models import JournalEntry
from undisclosed.transport.smtp.client import ClientSettings, connect
from undisclosed.transport.smtp.testing import FakeHop, Fault, Script


def test_everybody_gets_a_message_of_their_own_and_nobody_elses(database):
    campaign = sending(40, to_json(DRAFT))

    hop, _ = sent()

    assert len(hop.taken) == 40
    for taken in hop.taken:
        (rcpt,) = taken.rcpts
        (person,) = read_content(taken.content, Policy()).destinations
        assert rcpt == f"RCPT TO:<{person.spelled_out()}>".encode()
    to = {read_content(one.content, Policy()).destinations[0] for one in hop.taken}
    assert to == {address_of(number) for number in range(1, 41)}
    assert state_of(campaign) is CampaignState.DONE
    assert ledger.counted(campaign) == {SENT: 40}
    assert hop.violations == []


def test_messages_have_no_id_in_common(database):
    sending(5, to_json(DRAFT))

    hop, _ = sent(return_domain="bounces.c.test")

    paths = {taken.mail for taken in hop.taken}
    ids = {
        line
        for taken in hop.taken
        for line in taken.content.split(b"\r\n")
        if line.startswith(b"Message-ID")
    }
    assert len(paths) == len(ids) == 5
    for path in paths:
        token = path.decode().partition("<b-")[2].partition("@")[0]
        serial, row = TOKENS.open(Purpose.RETURN_PATH, token)
        assert 1 <= row <= 5
        assert serial > 0
        assert all(token.encode() not in one for one in ids)


def test_first_one_leaves_then_ten_then_all(database):
    campaign = sending(30, to_json(DRAFT), step=1)

    steps = []

    class Watching(FixedClock):
        def __call__(self):
            if not in_the_loop():
                steps.append(campaigns.get(campaign).step)
            return self.now

    hop, _ = sent(clock=Watching(NOW))

    assert list(dict.fromkeys(steps)) == [1, 10, 0]
    assert len(hop.taken) == 30
    assert state_of(campaign) is CampaignState.DONE


def test_a_first_message_that_is_refused_pauses_the_campaign(database):
    campaign = sending(30, to_json(DRAFT), step=1)

    hop, _ = sent(Script(rcpts={"p1": "550 5.1.1 No such user"}))

    assert state_of(campaign) is CampaignState.PAUSED
    assert campaigns.get(campaign).paused_because == "The first message was refused."
    assert ledger.counts(campaign) == {FAILED: 1, QUEUED: 29}
    assert [one for one in hop.taken if one.content] == []


def test_too_many_refusals_pause_the_campaign(database):
    campaign = sending(60, to_json(DRAFT))
    refused = {f"p{number}": "550 5.1.1 No" for number in range(1, 61)}

    sent(Script(rcpts=refused), batch=20)

    assert state_of(campaign) is CampaignState.PAUSED
    assert "were refused" in campaigns.get(campaign).paused_because
    assert ledger.counts(campaign)[QUEUED] >= 40


def test_a_few_refusals_are_recorded_and_the_others_go_on(database):
    campaign = sending(40, to_json(DRAFT))

    sent(Script(rcpts={"p3": "550 5.1.1 No such user p3@a.example"}))

    assert state_of(campaign) is CampaignState.DONE
    assert ledger.counts(campaign) == {SENT: 39, FAILED: 1}
    (row,) = ledger.rows(campaign, state=FAILED)
    assert (row.number, row.code, row.status, row.reason) == (
        3, 550, "5.1.1", "refused",
    )  # fmt: skip
    entries = JournalEntry.objects.values_list("facts", flat=True)
    assert "a.example" not in str(list(entries))


def test_a_delayed_message_is_tried_again_in_its_time(database):
    campaign = sending(3, to_json(DRAFT))
    clock = FixedClock(NOW)

    _, again_at = sent(Script(rcpts={"p2": "451 4.2.1 Later"}), clock=clock)
    assert ledger.counts(campaign) == {SENT: 2, DeliveryState.DELAYED: 1}
    assert again_at == NOW + timedelta(minutes=1)
    clock.advance(timedelta(minutes=1))
    hop, _ = sent(clock=clock)

    assert [one.rcpts for one in hop.taken] == [(b"RCPT TO:<p2@a.example>",)]
    assert state_of(campaign) is CampaignState.DONE


def test_what_is_delayed_for_too_long_is_given_up(database):
    campaign = sending(1, to_json(DRAFT))

    sent(Script(rcpts={"p1": "451 4.2.1 Later"}), keep_trying=timedelta(seconds=30))

    (row,) = ledger.rows(campaign)
    assert (row.state, row.reason) == (FAILED, "given up")


def test_a_hop_that_is_away_costs_no_attempt(database):
    campaign = sending(3, to_json(DRAFT))

    _, again_at = sent(Script(greeting="421 4.3.2 Busy"))

    assert ledger.counts(campaign) == {QUEUED: 3}
    assert {row.attempts for row in ledger.rows(campaign)} == {0}
    assert again_at == NOW + timedelta(minutes=1)


def test_no_answer_to_the_content_leaves_the_row_in_doubt_and_shown(database):
    campaign = sending(3, to_json(DRAFT))
    clock = FixedClock(NOW)

    sent(Script(final=Fault.CLOSE), clock=clock, connections=1)
    doubtful = ledger.counts(campaign)[IN_DOUBT]
    assert doubtful >= 1
    clock.advance(timedelta(hours=1))
    sent(clock=clock)

    assert state_of(campaign) is CampaignState.PAUSED
    assert "in doubt: a person has to decide" in campaigns.get(campaign).paused_because
    assert ledger.counts(campaign)[IN_DOUBT] == doubtful


@pytest.mark.parametrize(("policy", "again"), [("resend", True), ("sent", False)])
def test_the_policy_may_decide_what_is_in_doubt(database, policy, again):
    campaign = sending(1, to_json(DRAFT))
    clock = FixedClock(NOW)
    with_policy(campaign, policy)
    first, _ = sent(Script(final=Fault.CLOSE), clock=clock)
    ids = [one for one in first.commands if b"Message-ID" in one]
    assert ledger.counts(campaign) == {IN_DOUBT: 1}
    assert state_of(campaign) is CampaignState.SENDING

    clock.advance(timedelta(hours=1))
    hop, _ = sent(clock=clock)

    assert bool(hop.taken) is again
    assert ledger.counts(campaign) == {SENT: 1}
    assert state_of(campaign) is CampaignState.DONE
    assert ids == [] or ids[0] in hop.taken[0].content


def test_a_paused_campaign_sends_nothing(database):
    campaign = sending(3, to_json(DRAFT))
    set_state(campaign, CampaignState.PAUSED)

    hop, _ = sent()

    assert hop.taken == []
    assert ledger.counts(campaign) == {QUEUED: 3}


def test_a_pause_in_the_middle_stops_what_is_not_begun(database):
    campaign = sending(60, to_json(DRAFT))

    class Pausing(FixedClock):
        calls = 0

        def __call__(self):
            self.calls += not in_the_loop()
            if self.calls == 8 and not in_the_loop():
                campaigns.pause(campaign, "enough", by="sam", now=NOW)
            return self.now

    hop, _ = sent(clock=Pausing(NOW), group=5)

    counts = ledger.counts(campaign)
    assert 0 < counts[SENT] == len(hop.taken) < 60
    assert counts[SENT] + counts[QUEUED] == 60
    assert state_of(campaign) is CampaignState.PAUSED


def test_a_rate_of_the_hop_is_kept_by_all(database):
    campaign = sending(30, to_json(DRAFT))

    hop, again_at = sent(rates=Rates(hop=(Rate(12, HOUR),)))

    assert len(hop.taken) == 12
    assert ledger.counts(campaign) == {SENT: 12, QUEUED: 18}
    assert again_at == NOW + HOUR / 12


def test_a_rate_of_a_domain_leaves_the_others_alone(database):
    campaign = sending(30, to_json(DRAFT))

    sent(rates=Rates(domain=(Rate(4, HOUR),)))

    assert ledger.counts(campaign) == {SENT: 4, QUEUED: 26}


def test_a_row_that_cannot_be_merged_pauses_before_anything_of_it_leaves(database):
    draft = Draft("Hi", "Dear {{ email }} {{ name }}", DRAFT.author)
    campaign = sending(3, to_json(draft))
    missing = Draft("Hi", "{{ nickname }}", DRAFT.author)

    from undisclosed.store.database import database as connected

    hop, _ = sent()
    assert len(hop.taken) == 3  # their own address may stand in their own message

    set_state(campaign, CampaignState.DRAFT)
    campaigns.change(campaign, by="sam", now=NOW, text=to_json(missing))
    approve_as_it_is(campaign)
    set_state(campaign, CampaignState.SENDING)
    with connected() as connection:
        connection.run("UPDATE store_delivery SET state = 'queued'")
    hop, _ = sent()

    assert hop.taken == []
    assert state_of(campaign) is CampaignState.PAUSED
    assert "nickname" in campaigns.get(campaign).paused_because


def test_somebody_elses_address_in_a_row_stops_the_campaign(database):
    from tests.store.campaigns import COLUMNS, row
    from undisclosed.core.campaign import Row
    from undisclosed.store import lists

    campaign = sending(5, to_json(DRAFT))
    list_id = campaigns.get(campaign).list_id
    shifted = Row(3, address_of(3), {"Email": "p3@a.example", "Name": "p4@a.example"})
    rows = [shifted if n == 3 else row(n) for n in range(1, 6)]
    set_state(campaign, CampaignState.DRAFT)
    lists.import_rows(list_id, COLUMNS, rows, by="test", now=NOW)
    set_state(campaign, CampaignState.SENDING)
    the_list_is_the_approved_one(campaign)

    hop, _ = sent(group=2)

    rcpts = [one.rcpts for one in hop.taken]
    before = [(b"RCPT TO:<p1@a.example>",), (b"RCPT TO:<p2@a.example>",)]
    assert rcpts == before[: len(rcpts)] != []
    assert state_of(campaign) is CampaignState.PAUSED
    assert "somebody else's address" in campaigns.get(campaign).paused_because
    assert ledger.counts(campaign) == {SENT: len(rcpts), QUEUED: 5 - len(rcpts)}


def test_two_workers_share_a_campaign(database):
    campaign = sending(120, to_json(DRAFT))
    chosen = SendSettings(hostname="c.test", batch=10, group=5)

    async def scenario():
        async with FakeHop() as hop:
            where = ClientSettings("127.0.0.1", hop.port, "c.test")
            workers = []
            for name in ("one", "two"):
                kept = Connections(lambda: connect(where), 3)
                clock = FixedClock(NOW)
                sender = Sender(kept, TOKENS, Rates(), chosen, by=name, clock=clock)
                workers.append(sender.send_due(asyncio.Event()))
            await asyncio.wait_for(asyncio.gather(*workers), 60)
            return hop

    hop = run(scenario())

    rcpts = Counter(one.rcpts for one in hop.taken)
    assert len(rcpts) == sum(rcpts.values()) == 120
    assert ledger.counted(campaign) == {SENT: 120}


def test_signed_messages_verify(database):
    import dkim as foreign
    from cryptography.hazmat.primitives.asymmetric import rsa

    from undisclosed.formats.dkim import DkimKey

    key = DkimKey("c.test", "s1", rsa.generate_private_key(65537, 2048))
    sending(2, to_json(DRAFT))

    hop, _ = sent(dkim_key=key)

    assert len(hop.taken) == 2
    record = key.record.encode()
    for taken in hop.taken:
        assert foreign.verify(taken.content, dnsfunc=lambda *_, **__: record)
