# SPDX-License-Identifier: Apache-2.0
"""``undisclosed seeds``: made, sent, fetched, compared."""

import asyncio
import threading
from contextlib import contextmanager

import pytest

from tests.console.campaigns import Office
from tests.console.world import World
from tests.transport.dovecot import LOGIN, PASSWORD, dovecot, needs_dovecot
from undisclosed.cli import main, wiring
from undisclosed.store.models import JournalEntry
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
def mailbox(tmp_path_factory):
    with dovecot(tmp_path_factory.mktemp("dovecot")) as running:
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
