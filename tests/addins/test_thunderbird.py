# SPDX-License-Identifier: Apache-2.0
"""The Thunderbird extension in a real Thunderbird, before a real guard."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from tests.acceptance.installation import run_command, until
from tests.acceptance.running import ROOT, Run
from tests.addins import thunderbird
from tests.addins.thunderbird import Thunderbird
from undisclosed.core.own_fields import CLEARANCE_FIELD
from undisclosed.store.postgres import url_of

pytestmark = [
    pytest.mark.skipif(
        thunderbird.missing() is not None, reason=thunderbird.missing() or ""
    ),
    pytest.mark.timeout(300),
]

FEW = ", ".join(f"resident{n}@home-of-{n}.example" for n in range(2))
MANY = ", ".join(f"resident{n}@home-of-{n}.example" for n in range(8))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Everything on this machine; what leaves is caught by the post office."""
    folder = tmp_path_factory.mktemp("run")
    with Run(
        folder, policy={"own_domains": ["council.example"]}, holds={"undo_split": 0}
    ) as running:
        yield running


@pytest.fixture(scope="module")
def client(run: Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Thunderbird]:
    """A Thunderbird that hands its mail to the guard and may ask it first."""
    made = run_command(
        "token",
        "make",
        "thunderbird",
        "--purpose",
        "check",
        environment=run.environment,
    )
    assert made.returncode == 0, made.stderr
    folder = tmp_path_factory.mktemp("thunderbird")
    with Thunderbird(folder, run.guard_port) as started:
        url = f"http://127.0.0.1:{run.console_port}"
        started.configure(url, made.stdout.strip())
        yield started


@pytest.fixture(autouse=True)
def _no_mail_is_left_open(client: Thunderbird) -> Iterator[None]:
    yield
    client.close_mail()


def rows(run: Run, query: LiteralString) -> list[str]:
    """The one column that a query asks the tables for."""
    with psycopg.connect(url_of(run.folder / "data")) as connection:
        return [row[0] for row in connection.execute(query).fetchall()]


def held(run: Run) -> int:
    """How many mails wait for somebody to decide."""
    return len(rows(run, "SELECT id FROM store_heldmail WHERE state = 'held'"))


def private_copies(run: Run) -> int:
    """How many private copies were made of all mail."""
    return len(
        rows(run, "SELECT id FROM store_outgoingmail WHERE kind = 'private copy'")
    )


def caught(run: Run) -> bytes:
    """Every message that left, one after the other."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.addins.caught"],
        env=run.environment,
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def test_mail_to_few_is_sent_without_a_question(client, run) -> None:
    client.send(to=FEW, subject="Agenda", body="Hello.")

    until(client.is_sent, "the mail has left")
    assert rows(run, "SELECT id FROM store_heldmail") == []


def test_whoever_goes_back_sends_nothing(client, run) -> None:
    client.send(to=MANY, subject="Survey", body="Dear resident.")
    said = client.asked()

    client.choose("cancel")

    until(client.is_writable, "the mail can be written on")
    assert "8 people would see each other" in said
    assert rows(run, "SELECT id FROM store_heldmail") == []


@pytest.mark.parametrize("is_html", [False, True], ids=["plain", "html"])
def test_a_mail_that_is_sent_singly_is_not_asked_about_again(
    client, run, tmp_path: Path, is_html: bool
) -> None:
    file = tmp_path / "dates.csv"
    file.write_text("day,hours\nMonday,9\n")
    before = private_copies(run)
    client.send(
        is_html=is_html,
        file=file,
        to=MANY,
        cc="alice@council.example",
        subject=f"Survey {is_html}",
        body="<p>Dear resident,</p><p>we <b>would</b> like to hear how it was: "
        '<a href="https://survey.example/">here</a>.</p><ol><li>Good</li></ol>'
        if is_html
        else "Dear resident,\n\nwe would like to hear how satisfied you were with "
        "the way in which we took your report of a burglary.\n\n> A quoted line\n",
    )
    client.asked()

    client.choose("singly")

    until(client.is_sent, "the mail has left")
    until(lambda: private_copies(run) == before + 8, "the guard has split it")


def test_a_mail_that_is_sent_as_it_is_is_held(client, run) -> None:
    before = held(run)
    client.send(to=MANY, subject="Another", body="Something else altogether.")
    client.asked()

    client.choose("send")

    until(client.is_sent, "the mail has left")
    until(lambda: held(run) == before + 1, "the guard holds it")


def test_what_sending_singly_would_not_help_is_not_offered(client, run) -> None:
    named = ", ".join(f"neighbour{n}@street-{n}.example" for n in range(40))
    client.send(to=MANY, subject="All of you", body=f"You are: {named}.")

    said = client.asked()

    assert "Sending singly would not help" in said
    assert client.hides("singly")


def test_no_copy_that_left_carries_the_field(run) -> None:
    """The two mails of the test above; the text of one alone is in its copies."""
    waiting = "SELECT id FROM store_outgoingmail WHERE state IN ('queued', 'delayed')"
    until(lambda: not rows(run, waiting), "the copies have left")

    left = caught(run)

    assert left.count(b"Subject: Survey") >= 2 * 8
    assert CLEARANCE_FIELD.lower().encode() not in left.lower()


def test_without_an_answer_the_guard_decides_alone(client, run) -> None:
    before = held(run)
    client.configure(f"http://127.0.0.1:{run.console_port}", "revoked")

    client.send(to=MANY, subject="Without an answer", body="A third text.")

    until(client.is_sent, "the mail has left")
    until(lambda: held(run) == before + 1, "the guard holds it")
