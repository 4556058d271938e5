# SPDX-License-Identifier: Apache-2.0
"""``undisclosed seeds``: made, sent, fetched, compared."""

import asyncio
import os
import threading
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import psycopg
import pytest

from tests.console.campaigns import Office
from tests.console.world import World
from tests.send.sending import DRAFT
from tests.store.campaigns import NOW, sending, set_state
from tests.store.refusing import refusing
from tests.transport.dovecot import LOGIN, PASSWORD, dovecot, needs_dovecot
from undisclosed.cli import main, wiring, wiring_send
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.send.draft import to_json
from undisclosed.store import campaigns, ledger
from undisclosed.store import seeds as seeds_store
from undisclosed.store.models import Account, JournalEntry, Membership
from undisclosed.store.settings import HostPort, load
from undisclosed.store.settings_returns import SEEDS_PASSWORD
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop

pytestmark = pytest.mark.usefixtures("database")

SAM = ("--as", "sam@council.example")


@pytest.fixture
def seeds(database, monkeypatch, tmp_path, capsys):
    """Runs the command over settings; its exit code, and what was printed."""
    monkeypatch.setattr(wiring, "configure", lambda settings: None)
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", database.settings.master_key.hex())
    monkeypatch.setenv(SEEDS_PASSWORD, PASSWORD)
    file = tmp_path / "undisclosed.toml"
    monkeypatch.setenv("UNDISCLOSED_SETTINGS", str(file))

    def run(settings, *command):
        file.write_text(settings, encoding="utf-8")
        code = main(("seeds", *command))
        out, err = capsys.readouterr()
        return code, out + err

    return run


@contextmanager
def hop_to(mailbox, change):
    """A next hop that delivers all it takes into the mailbox, changed; its port."""
    ready, over, ports = threading.Event(), threading.Event(), []

    async def serve():
        async with FakeHop(EVERYTHING) as hop:
            ports.append(hop.port)
            ready.set()
            done = 0
            while not over.is_set():
                for taken in hop.taken[done:]:
                    await asyncio.to_thread(mailbox.deliver, change(taken.content))
                    done += 1
                await asyncio.sleep(0.05)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    try:
        yield ports[0]
    finally:
        over.set()
        thread.join(30)


def settings_of(mailbox, hop_port):
    return (
        f'[guard]\nnext_hop = "127.0.0.1:{hop_port}"\nhostname = "g.test"\n'
        '[send.seeds]\naddresses = ["seed@elsewhere.test"]\n'
        f'imap = "localhost:{mailbox.port}"\nimap_tls = "none"\n'
        f'imap_login = "{LOGIN}"\n'
    )


def test_without_a_seed_box_it_says_so(database, seeds):
    made = Office(World(database)).checked()

    code, said = seeds("", made, *SAM)

    assert code == 78
    assert "send.seeds.addresses" in said


@pytest.fixture(scope="module")
def mailbox():
    with dovecot() as running:
        yield running


@needs_dovecot
def test_a_dry_run_sends_nothing(database, seeds, mailbox):
    made = Office(World(database)).checked()

    code, said = seeds(settings_of(mailbox, 1), made, *SAM)

    assert code == 0
    assert "A dry run: 1 made" in said
    assert mailbox.flags() == []


@needs_dovecot
@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (lambda content: content, 0, "row 1: arrived as it left"),
        (
            lambda content: content.replace(b"\nTo: ", b"\nTo: p@x.example, ", 1),
            3,
            "row 1: It is addressed to 2 people.",
        ),
    ],
    ids=["as it left", "another recipient"],
)
def test_what_arrives_is_compared(database, seeds, mailbox, change, code, words):
    made = Office(World(database)).checked()

    with hop_to(mailbox, change) as port:
        wait = ("--wait", "30", "--no-dry-run")
        told = seeds(settings_of(mailbox, port), made, *wait, *SAM)

    assert told[0] == code
    assert words in told[1]
    assert "@" not in told[1]
    entry = JournalEntry.objects.get(event="seeds compared")
    assert entry.facts == {"campaign": made, "messages": 1, "different": code // 3}


async def sent_by(sender, campaign, patience=60.0):
    """Let a worker's sending go on until the campaign stands still."""
    until = asyncio.get_running_loop().time() + patience
    while asyncio.get_running_loop().time() < until:
        await sender.send_due(asyncio.Event())
        state = (await asyncio.to_thread(campaigns.get, campaign)).state
        if state is not CampaignState.SENDING:
            return state
        await asyncio.sleep(0.5)
    raise AssertionError("The campaign went on and on.")


@needs_dovecot
@pytest.mark.parametrize(
    ("change", "state", "own"),
    [
        (lambda content: content, CampaignState.DONE, 2),
        (
            lambda content: content.replace(b"Monday", b"Tuesday"),
            CampaignState.PAUSED,
            0,
        ),
    ],
    ids=["as it left", "changed"],
)
def test_a_worker_tries_a_campaign_before_it_begins(
    database, monkeypatch, tmp_path, mailbox, change, state, own
):
    campaign = sending(2, to_json(DRAFT), step=1)
    monkeypatch.setenv(SEEDS_PASSWORD, PASSWORD)
    file = tmp_path / "undisclosed.toml"

    with hop_to(mailbox, change) as port:
        file.write_text(settings_of(mailbox, port), encoding="utf-8")
        settings = load(file, dict(os.environ))
        sender = wiring_send.sender(settings, settings.guard.next_hop, "w")
        ended = asyncio.run(sent_by(sender, campaign))

    assert ended is state
    counts = ledger.counted(campaign)
    assert counts.get(DeliveryState.SENT, 0) == own
    assert sum(counts.values()) == 2


def test_seeds_that_are_switched_off_hold_nothing_up(monkeypatch, tmp_path):
    monkeypatch.setenv(SEEDS_PASSWORD, PASSWORD)
    file = tmp_path / "undisclosed.toml"
    text = settings_of(SimpleNamespace(port=1), 1)
    campaign = sending(1, to_json(DRAFT), step=1)

    async def scenario():
        async with FakeHop(EVERYTHING) as hop:
            file.write_text(f'{text}automatic = "off"\n', encoding="utf-8")
            settings = load(file, dict(os.environ))
            where = HostPort("127.0.0.1", hop.port)
            sender = wiring_send.sender(settings, where, "w")
            return await sent_by(sender, campaign)

    assert asyncio.run(scenario()) is CampaignState.DONE


def paused_for_seeds():
    made = sending(1, to_json(DRAFT), step=1)
    seeds_store.begin(made, 1, messages=1, now=NOW)
    seeds_store.end(made, 1, messages=1, different=1, findings=("A footer.",), now=NOW)
    return made


def test_a_person_answers_for_what_differs_with_a_reason(database, seeds):
    made = paused_for_seeds()
    settings = settings_of(SimpleNamespace(port=1), 1)
    team = campaigns.get(made).team
    account = Account.objects.get()
    Membership.objects.create(team_id=team, account=account, roles=["sender"])

    nothing = seeds(settings, made, "--accept", " ", *SAM)
    said = seeds(settings, made, "--accept", "The box adds it.", *SAM)
    again = seeds(settings, made, "--accept", "Once more.", *SAM)

    assert nothing[0] == again[0] == 78
    assert said[0] == 0, said[1]
    assert seeds_store.of(made).may_begin
    assert JournalEntry.objects.get(event="seeds accepted").facts == {"campaign": made}


def test_who_may_not_send_it_does_not_answer_for_it(database, seeds):
    made = paused_for_seeds()
    settings = settings_of(SimpleNamespace(port=1), 1)

    code, _ = seeds(settings, made, "--accept", "I say so.", *SAM)

    assert code != 0
    assert not seeds_store.of(made).may_begin


def test_who_had_them_sent_stands_in_the_journal_before_they_leave(database, seeds):
    made = Office(World(database)).checked()

    code, _ = seeds(settings_of(SimpleNamespace(port=1), 1), made, "--no-dry-run", *SAM)

    assert code != 0
    entry = JournalEntry.objects.get(event="seeds sent")
    assert entry.facts == {"campaign": made, "round": 0, "messages": 1}
    assert not JournalEntry.objects.filter(event="seeds compared").exists()


def to_another_too(content):
    return content.replace(b"\nTo: ", b"\nTo: p@x.example, ", 1)


@dataclass
class Meanwhile:
    """A mailbox before whose first message something happens."""

    mailbox: object
    happens: list

    def deliver(self, content):
        while self.happens:
            self.happens.pop(0)()
        self.mailbox.deliver(content)


@needs_dovecot
def test_what_was_found_is_not_told_without_the_pause(database, seeds, mailbox):
    made = Office(World(database)).checked()

    with ExitStack() as kept:
        begun = partial(set_state, made, CampaignState.SENDING)
        refuses = partial(kept.enter_context, refusing("store_campaign"))
        box = Meanwhile(mailbox, [begun, refuses])
        port = kept.enter_context(hop_to(box, to_another_too))
        command = (made, "--wait", "30", "--no-dry-run", *SAM)
        with pytest.raises(psycopg.errors.RaiseException):
            seeds(settings_of(mailbox, port), *command)

    assert JournalEntry.objects.filter(event="seeds sent").exists()
    assert not JournalEntry.objects.filter(event="seeds compared").exists()
