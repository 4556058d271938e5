# SPDX-License-Identifier: Apache-2.0
"""A campaign leaves as one message for each person, and the ledger says the rest."""

import asyncio
import secrets
from collections import Counter
from datetime import timedelta

import pytest

from tests.store.campaigns import (
    NOW,
    address_of,
    approve_as_it_is,
    sending,
    set_state,
)
from tests.transport.smtp.talking import run
from undisclosed.core.address import Address
from undisclosed.core.campaign import (
    CampaignState,
    DeliveryState,
    Draft,
    NoSuchStep,
)
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.guard.testing import FixedClock
from undisclosed.send.connections import Connections
from undisclosed.send.deliver import Sender
from undisclosed.send.draft import to_json
from undisclosed.send.rates import HOUR, Rate, Rates
from undisclosed.send.settings import SendSettings
from undisclosed.send.tokens import Purpose, Tokens
from undisclosed.store import campaigns, doubt, ledger
from undisclosed.store.models import JournalEntry
from undisclosed.transport.smtp.client import ClientSettings, connect
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script

DRAFT = Draft("Bins, {{ name }}", "Dear {{ name }},\n\nMonday.", Address("t", "c.test"))
TOKENS = Tokens({purpose: secrets.token_bytes(32) for purpose in Purpose})
SENT, FAILED, QUEUED, IN_DOUBT = (
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.IN_DOUBT,
)


def sent(
    script=None, *, clock=None, rates=None, offers=EVERYTHING, hide=None, **settings
):
    """Send whatever is due to such a hop; the hop, and when more is due."""
    clock = clock or FixedClock(NOW)
    chosen = SendSettings(**{"hostname": "c.test", "group": 7, **settings})

    async def scenario():
        async with FakeHop(offers, script) as hop:
            where = ClientSettings("127.0.0.1", hop.port, "c.test")
            kept = Connections(lambda: connect(where), chosen.connections)
            limits = rates or Rates()
            sender = Sender(
                kept, TOKENS, limits, chosen, by="one", clock=clock, hide=hide
            )
            again_at = await asyncio.wait_for(sender.send_due(asyncio.Event()), 60)
            kept.close()
            return hop, again_at

    return run(scenario())


def in_the_loop():
    """Whether this is called where nothing may block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def state_of(campaign):
    return campaigns.get(campaign).state


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
    assert ledger.counts(campaign)[QUEUED] == 40


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


def the_list_is_the_approved_one(campaign):
    from undisclosed.store.database import database as connected

    with connected() as connection:
        connection.run(
            "UPDATE store_campaign c SET list_version = l.version"
            " FROM store_recipientlist l WHERE l.id = c.list_id AND c.id = %s",
            (campaign,),
        )
    approve_as_it_is(campaign)


def with_policy(campaign, policy):
    from undisclosed.store.database import database as connected

    with connected() as connection:
        connection.run("UPDATE store_campaign SET in_doubt = %s", (policy,))


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


def another(campaign):
    """A second campaign of the same team, to three others."""
    from tests.store.campaigns import COLUMNS
    from undisclosed.core.campaign import MailKind, Row, Sensitivity
    from undisclosed.store import lists
    from undisclosed.store.database import transaction
    from undisclosed.store.lists import ListFacts
    from undisclosed.store.models import Campaign

    old = Campaign.objects.get(pk=campaign)
    by, team = old.created_by.pk, old.team.pk
    facts = ListFacts("South", "bin days", Sensitivity.ORDINARY)
    key = lists.create(facts, team=team, owner=by, by="test", now=NOW)
    people = [Address(f"q{n}", "b.example") for n in (1, 2, 3)]
    rows = [
        Row(n, one, {"Email": one.spelled_out(), "Name": f"Q{n}"})
        for n, one in enumerate(people, 1)
    ]
    lists.import_rows(key, COLUMNS, rows, by="test", now=NOW)
    made = campaigns.create("South", team=team, kind=MailKind.SERVICE, by=by, now=NOW)
    campaigns.change(made, by=by, now=NOW, text=to_json(DRAFT), list_id=key)
    approve_as_it_is(made)
    set_state(made, CampaignState.SENDING)
    with transaction() as connection:
        ledger.expand(connection, made, NOW)
        connection.run("UPDATE store_campaign SET step = 0 WHERE id = %s", (made,))
    return made


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
