# SPDX-License-Identifier: Apache-2.0
"""``undisclosed doctor``: 0 where mail really passes the guard, 3 where it does not."""

import smtplib
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.installation import (
    MASTER_KEY,
    SINK,
    Installation,
    free_port,
    greets,
    until,
)

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("doctor"))
    installation.prepare()
    with installation:
        until(lambda: "[!!]" not in _doctor(installation)[1], "all is well")
        yield installation


@pytest.fixture
def bypass(tmp_path: Path) -> Iterator[int]:
    """A mail server that takes all mail and never shows it to the guard."""
    port = free_port()
    command = [sys.executable, str(SINK), str(port), str(tmp_path / "passed.jsonl")]
    with subprocess.Popen(command) as server:
        until(lambda: greets(port), "it serves")
        yield port
        server.kill()


def _doctor(installation: Installation, *options: str) -> tuple[int, str]:
    """The exit code, and what it said; it never ends in a traceback."""
    done = installation.command("doctor", *options)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_where_all_is_well_the_probe_is_held_withdrawn_and_delivered_to_nobody(
    installation: Installation,
) -> None:
    code, said = _doctor(installation)

    assert code == 0, said
    assert "passes the guard: a probe was held and withdrawn" in said
    assert "Workers running: 1." in said
    assert "[ok] Attached documents are read" in said
    assert "The next hop" in said
    assert installation.rows("SELECT DISTINCT state FROM store_heldmail") == [
        ("withdrawn",)
    ]
    assert not any("probe0@" in r for t in installation.taken() for r in t["rcpts"])


def test_a_mail_server_that_bypasses_the_guard_is_found_out(
    installation: Installation, bypass: int
) -> None:
    code, said = _doctor(
        installation, "--through", f"127.0.0.1:{bypass}", "--wait", "2"
    )

    assert code == 3
    assert f"Mail handed to 127.0.0.1:{bypass} DOES NOT pass the guard" in said


def test_in_observe_mode_no_probe_is_sent_since_it_would_leave(
    installation: Installation,
) -> None:
    file = installation.folder / "observe.toml"
    file.write_text(
        installation.settings.read_text().replace("[guard]", '[guard]\nmode="observe"')
    )
    before = len(installation.taken())

    code, said = _doctor(installation, "--settings", str(file))

    assert code == 3
    assert "[!!] Mode observe" in said
    assert "No probe was sent" in said
    assert len(installation.taken()) == before


def test_a_mail_server_that_does_not_answer_is_named(
    installation: Installation,
) -> None:
    nobody = f"127.0.0.1:{free_port()}"

    code, said = _doctor(installation, "--through", nobody)

    assert code == 3
    assert f"[!!] {nobody} did not take the probe" in said


def test_a_worker_that_was_killed_is_missing_at_once(
    installation: Installation,
) -> None:
    worker = installation.processes.pop("worker")
    worker.kill()
    worker.wait(60)
    try:
        code, said = _doctor(installation)
    finally:
        installation.start("worker")

    assert code == 3
    assert "No worker is running: nothing is delivered." in said
    until(lambda: _doctor(installation)[0] == 0, "the new worker is seen")


def test_a_missing_next_hop_is_named(installation: Installation) -> None:
    installation.stop("hop")
    try:
        code, said = _doctor(installation)
    finally:
        installation.start("hop")
        installation.wait_for(installation.hop_port)

    assert code == 3
    assert f"The next hop 127.0.0.1:{installation.hop_port} does not answer." in said


def test_a_database_that_is_away_is_one_sentence_for_each_check(
    installation: Installation,
) -> None:
    installation.database.stop()
    try:
        code, said = _doctor(installation)
    finally:
        installation.database.start()

    assert code == 3
    assert "[!!] The database is away." in said
    assert "[ok] The next hop" in said
    assert "No probe was sent" in said
    until(lambda: _doctor(installation)[0] == 0, "it heals")


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        (MASTER_KEY, 0, "[ok] The backup of the master key fits"),
        ("ab" * 32, 3, "is not the master key that is in use"),
        ("no key at all", 3, "must be 64 hexadecimal digits"),
        (None, 3, "cannot be read"),
    ],
    ids=["the key", "another key", "no key", "no file"],
)
def test_the_backup_of_the_master_key_is_compared(
    installation: Installation,
    tmp_path: Path,
    content: str | None,
    code: int,
    sentence: str,
) -> None:
    backup = tmp_path / "backup.key"
    if content is not None:
        backup.write_text(f"{content}\n")

    found, said = _doctor(installation, "--master-key-backup", str(backup))

    assert sentence in said
    assert found == code, said
    assert MASTER_KEY not in said


def test_another_master_key_than_that_of_the_database_is_named(
    installation: Installation,
) -> None:
    installation.environment["UNDISCLOSED_MASTER_KEY"] = "cd" * 32
    try:
        code, said = _doctor(installation)
    finally:
        installation.environment["UNDISCLOSED_MASTER_KEY"] = MASTER_KEY

    assert code == 3
    assert "[!!] The database was written under another master key" in said
    assert "DOES NOT pass the guard" not in said


def test_a_bypass_is_said_until_it_is_ended(installation: Installation) -> None:
    why = ("--reason", "The database moves.")
    assert installation.command("bypass", "start", "--for", "1h", *why).returncode == 0
    during = _doctor(installation)
    assert installation.command("bypass", "end").returncode == 0

    after = _doctor(installation)

    assert during[0] == 3
    assert "[!!] A bypass is on until" in during[1]
    assert "[ok] No bypass is on." in after[1]


def test_exemptions_that_ended_or_end_soon_are_named(
    installation: Installation,
) -> None:
    today = datetime.now(UTC).date()
    entries = "".join(
        f'[[policy.exemptions]]\nname = "{name}"\nowner = "IT"\nreason = "r"\n'
        f"until = {today + timedelta(days=days)}\n"
        'clients = ["192.0.2.7/32"]\n'
        for name, days in (("old", -1), ("soon", 5), ("good", 200))
    )
    file = installation.folder / "exemptions.toml"
    file.write_text(installation.settings.read_text() + entries)

    _, said = _doctor(installation, "--settings", str(file))

    assert "[!!] The exemption 'old' (IT) ended on" in said
    assert "[--] The exemption 'soon' (IT) ends on" in said
    assert "'good'" not in said


def test_mail_that_waits_too_long_is_said(installation: Installation) -> None:
    file = installation.folder / "impatient.toml"
    file.write_text(
        installation.settings.read_text().replace("[holds]", "[holds]\nalarm_after = 0")
    )
    people = [f"p{number}@home{number}.example" for number in range(9)]
    hold(installation, people)

    patient, impatient = (
        _doctor(installation)[1],
        _doctor(installation, "--settings", str(file))[1],
    )

    assert "[ok] Held mails that wait: 1, the oldest for 0 hours." in patient
    assert "[!!] Held mails that wait: 1" in impatient


def hold(installation: Installation, people: list[str]) -> None:
    """Hand in a mail that shows these people to each other."""
    content = (
        f"From: desk@authority.example\r\nTo: {', '.join(people)}\r\n"
        "Subject: Hours\r\n\r\nWe are open until six.\r\n"
    )
    with smtplib.SMTP("127.0.0.1", installation.guard_port) as client:
        client.sendmail("desk@authority.example", people, content)
