# SPDX-License-Identifier: Apache-2.0
"""A campaign begins only once its seeds came back as they left."""

import asyncio
from datetime import timedelta

import pytest

from tests.send.sending import DRAFT, TOKENS, state_of
from tests.store.campaigns import (
    NOW,
    approve_as_it_is,
    drafted,
    sending,
    set_state,
)
from tests.transport.dovecot import dovecot, needs_dovecot
from tests.transport.smtp.talking import run
from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, CampaignState, Draft
from undisclosed.send.connections import Connections
from undisclosed.send.deliver import Sender
from undisclosed.send.draft import to_json
from undisclosed.send.rates import Rates
from undisclosed.send.seeding import AGAIN, Seeding, SeedSettings
from undisclosed.send.settings import SendSettings
from undisclosed.store import campaigns, ledger, seeds
from undisclosed.store.database import transaction
from undisclosed.store.models import JournalEntry
from undisclosed.store.seeds import SeedState
from undisclosed.transport.imap import ImapSettings
from undisclosed.transport.smtp.client import ClientSettings, connect
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script

BOXES = (Address("seed", "elsewhere.test"), Address("seed2", "elsewhere.test"))
SETTINGS = SendSettings(hostname="c.test", return_domain="bounces.c.test")
REFUSED = "550 5.7.1 No"
NOWHERE = ImapSettings("127.0.0.1", 1, "nobody", "nothing", tls="none")
TEXT = Draft(
    "Bins, {{ name }}",
    "Dear {{ name }} at {{ email }},\n\nMonday.",
    Address("t", "c.test"),
)

pytestmark = pytest.mark.usefixtures("database")


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


def addressee(taken):
    """Whom one message went to."""
    text = taken.rcpts[0].decode().partition("<")[2].partition(">")[0]
    local_part, _, domain = text.rpartition("@")
    return Address(local_part, domain)


class Travel:
    """A next hop that delivers what goes to a seed into the box, changed or not."""

    def __init__(self, box, *, addresses=BOXES, change=None, script=None):
        self.box = box
        self.clock = Clock()
        self.change = change or (lambda content: content)
        self.script = script
        self.addresses = addresses
        self.taken = []

    def sent(self, *, rounds=1, deliver=True, wait=timedelta(minutes=15)):
        """Send whatever is due so many times, put forward in between."""

        async def scenario():
            async with FakeHop(EVERYTHING, self.script) as hop:
                where = ClientSettings("127.0.0.1", hop.port, "c.test")
                kept = Connections(lambda: connect(where), 4)
                sender = self._sender(kept, wait)
                for _ in range(rounds):
                    await sender.send_due(asyncio.Event())
                    new, hop.taken = hop.taken, []
                    if deliver:
                        await self._deliver(new)
                    self.taken += new
                    self.clock.now += AGAIN
                kept.close()

        run(scenario())

    def _sender(self, kept, wait):
        imap = self.box.settings() if self.box else NOWHERE
        seeding = Seeding(SeedSettings(self.addresses, imap, wait), kept, self.clock)
        limits = Rates()
        return Sender(
            kept, TOKENS, limits, SETTINGS, by="one", clock=self.clock, seeding=seeding
        )

    async def _deliver(self, taken):
        for one in taken:
            if addressee(one) in self.addresses:
                content = self.change(one.content)
                await asyncio.to_thread(self.box.deliver, content)

    @property
    def recipients(self):
        """Whom was sent to, in the order in which it was."""
        return [addressee(one) for one in self.taken]


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    with dovecot() as running:
        yield running


def campaign_of(people=3, draft=TEXT):
    return sending(people, to_json(draft), step=1)


def with_files(draft):
    """A campaign to two people whose files are those of the draft."""
    campaign = drafted(2, to_json(draft))
    by = campaigns.get(campaign).created_by
    campaigns.change(campaign, by=by, now=NOW, files=draft.attachments)
    approve_as_it_is(campaign)
    set_state(campaign, CampaignState.SENDING)
    with transaction() as connection:
        ledger.expand(connection, campaign, NOW)
        connection.run("UPDATE store_campaign SET step = 1, started_at = %s", (NOW,))
    return campaign


def entries(event):
    return [one.facts for one in JournalEntry.objects.filter(event=event)]


@needs_dovecot
def test_the_seeds_travel_first_and_the_campaign_begins_when_they_are_right(box):
    campaign, travel = campaign_of(), Travel(box)

    travel.sent(rounds=1)
    first = list(travel.recipients)
    travel.taken = []
    travel.sent(rounds=3)

    assert first == list(BOXES)
    assert state_of(campaign) is CampaignState.DONE
    assert len(travel.recipients) == 3
    assert not set(travel.recipients) & set(BOXES)
    assert sum(ledger.counted(campaign).values()) == 3
    assert seeds.of(campaign).state is SeedState.SAME
    assert box.flags() == []
    assert entries("seeds sent") == [{"campaign": campaign, "round": 1, "messages": 2}]
    assert entries("seeds compared") == [
        {"campaign": campaign, "messages": 2, "different": 0}
    ]


@needs_dovecot
def test_nothing_of_a_person_is_in_a_seed(box):
    campaign_of()
    travel = Travel(box)

    travel.sent()

    for one in travel.taken:
        assert b"P1" not in one.content
        assert b"a.example" not in one.content
        assert b"seed" in one.content
    travel.sent(rounds=2)


def says(text):
    return lambda content: content.replace(b"Monday", text, 1)


@needs_dovecot
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (says(b"Tuesday"), "A part arrived changed (text/plain)."),
        (
            lambda content: content.replace(b"\nTo: ", b"\nTo: p9@x.example, ", 1),
            "It is addressed to 2 people.",
        ),
        (
            lambda content: content.replace(b"Auto-Submitted:", b"X-Was:", 1),
            "The field auto-submitted did not arrive.",
        ),
    ],
    ids=["another body", "another recipient", "a lost field"],
)
def test_a_seed_that_arrives_otherwise_pauses_the_campaign(box, change, sentence):
    campaign, travel = campaign_of(), Travel(box, change=change)

    travel.sent(rounds=3)

    found = campaigns.get(campaign)
    assert found.state is CampaignState.PAUSED
    assert found.paused_because.startswith("2 of 2 seeds did not come back as they")
    assert sentence in found.paused_because
    assert "@" not in found.paused_because
    assert travel.recipients == list(BOXES)
    assert sentence in seeds.of(campaign).findings
    assert box.flags() == []


@needs_dovecot
def test_seeds_that_do_not_arrive_pause_the_campaign_when_the_time_is_over(box):
    campaign, travel = campaign_of(), Travel(box)

    travel.sent(rounds=2, deliver=False)
    before = state_of(campaign)
    travel.clock.now += timedelta(minutes=15)
    travel.sent(deliver=False)

    assert before is CampaignState.SENDING
    assert state_of(campaign) is CampaignState.PAUSED
    assert seeds.of(campaign).findings == ("It did not arrive in time.",)


@needs_dovecot
def test_the_first_that_arrives_waits_for_the_second(box):
    campaign, travel = campaign_of(), Travel(box)
    travel.sent(deliver=False)
    first, second = travel.taken

    box.deliver(first.content)
    travel.sent()
    between = (seeds.of(campaign).state, len(box.flags()))
    box.deliver(second.content)
    travel.sent(rounds=2)

    assert between == (SeedState.TRAVELLING, 1)
    assert state_of(campaign) is CampaignState.DONE
    assert box.flags() == []


@needs_dovecot
def test_whoever_lets_it_go_on_has_new_seeds_sent(box):
    campaign, travel = campaign_of(), Travel(box, change=says(b"Tuesday"))
    travel.sent(rounds=2)
    old = {one.content for one in travel.taken}
    travel.taken.clear()

    travel.change = lambda content: content
    campaigns.resume(campaign, by="max", now=travel.clock.now)
    travel.sent()
    again = {one.content for one in travel.taken}
    travel.sent(rounds=3)

    assert not old & again
    assert seeds.of(campaign).number == 2
    assert state_of(campaign) is CampaignState.DONE


@needs_dovecot
def test_a_person_may_answer_for_what_differs(box):
    campaign, travel = campaign_of(), Travel(box, change=says(b"Tuesday"))
    travel.sent(rounds=2)

    seeds.accept(campaign, "The box adds it.", by="max", now=travel.clock.now)
    campaigns.resume(campaign, by="max", now=travel.clock.now)
    travel.sent(rounds=2)

    assert state_of(campaign) is CampaignState.DONE
    assert entries("seeds accepted") == [{"campaign": campaign}]


def test_only_what_differs_can_be_answered_for():
    campaign = campaign_of()

    with pytest.raises(seeds.NothingToAccept):
        seeds.accept(campaign, "In advance.", by="max", now=NOW)


def test_a_seed_that_the_next_hop_refuses_pauses_the_campaign():
    campaign = campaign_of()
    travel = Travel(None, script=Script(rcpts={"seed": REFUSED, "seed2": REFUSED}))

    travel.sent(deliver=False)

    assert state_of(campaign) is CampaignState.PAUSED
    assert seeds.of(campaign).findings == ("The next hop answered 550.",)
    assert not any(one.rcpts for one in travel.taken)


def test_a_next_hop_that_goes_away_is_told_as_what_it_is():
    campaign = campaign_of()
    travel = Travel(None, script=Script(final=Fault.CLOSE))

    travel.sent(deliver=False)

    assert state_of(campaign) is CampaignState.PAUSED
    assert seeds.of(campaign).findings == ("The next hop went away.",)


def test_a_box_that_cannot_be_read_pauses_it_when_the_time_is_over():
    campaign, travel = campaign_of(), Travel(None)

    travel.sent(rounds=2, deliver=False)
    before = state_of(campaign)
    travel.clock.now += timedelta(minutes=15)
    travel.sent(deliver=False)

    assert before is CampaignState.SENDING
    assert seeds.of(campaign).findings == ("The seed box cannot be read.",)
    assert state_of(campaign) is CampaignState.PAUSED


def test_of_two_workers_one_begins_a_round():
    campaign = campaign_of()

    begun = [seeds.begin(campaign, 1, messages=2, now=NOW) for _ in range(2)]

    assert begun == [True, False]
    assert not seeds.begin(campaign, 2, messages=2, now=NOW)


def test_a_campaign_that_is_beyond_its_first_message_has_no_seeds():
    campaign = sending(2, to_json(DRAFT), step=10)
    travel = Travel(None)

    travel.sent(deliver=False)

    assert state_of(campaign) is CampaignState.DONE
    assert seeds.of(campaign) is None


def test_nobodys_own_file_goes_with_a_seed():
    own = [Attached(f"P{n}", "text/plain", b"private %d" % n, "Name") for n in (1, 2)]
    shared = Attached("map.txt", "text/plain", b"for all")
    draft = Draft(TEXT.subject, TEXT.markdown, TEXT.author, attachments=(*own, shared))
    campaign = with_files(draft)
    travel = Travel(None)

    travel.sent(deliver=False)

    assert travel.recipients == list(BOXES), campaigns.get(campaign).paused_because
    for one in travel.taken:
        assert b"cHJpdmF0ZQ" not in one.content
        assert one.content.count(b"Content-Disposition: attachment") == 2
