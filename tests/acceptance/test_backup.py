# SPDX-License-Identifier: Apache-2.0
"""The page about backups is carried out: its commands, a restore, and work goes on.

A worker is killed in the middle of a campaign, so that the backup holds what is in
doubt; held mail waits in it, too. On another data folder, with the key put back, both
go on.
"""

import re
import shutil
import smtplib
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.acceptance.campaigning import number_of, prepared
from tests.acceptance.installation import MASTER_KEY, Installation, until

PAGE = Path(__file__).parents[2] / "docs/howto/backup.md"
PEOPLE, RESIDENTS = 120, tuple(f"r{n}@home-{n}.example" for n in range(9))
HELD = "7"
_STATE = "SELECT state FROM store_campaign WHERE id = %s"
_STATES = "SELECT number, state FROM store_delivery WHERE campaign_id = %s"


def commands() -> list[str]:
    """The shell commands of the page that back up, in their order."""
    blocks = re.findall(r"```sh\n(.+?)```", PAGE.read_text("utf-8"), re.S)
    return [line for block in blocks for line in block.splitlines()]


def carry_out(folder: Path) -> tuple[Path, Path]:
    """Run them beside the data folder; the copy of the key, and the archive."""
    vault, media = folder / "vault", folder / "backup"
    vault.mkdir()
    media.mkdir()
    for command in commands():
        placed = command.replace("/media/vault", str(vault))
        placed = placed.replace("/media/backup", str(media))
        subprocess.run(["sh", "-ec", placed], cwd=folder, check=True)
    (key,), (archive,) = vault.iterdir(), media.iterdir()
    return key, archive


def with_its_key_in_a_file(folder: Path) -> Installation:
    made = Installation(folder, send={"per_second": 40}, worker={"metrics": ""})
    del made.environment["UNDISCLOSED_MASTER_KEY"]
    return made


def hold_one(installation: Installation) -> None:
    content = (
        "From: survey@authority.example\r\nSubject: Survey\r\n"
        f"To: {', '.join(RESIDENTS)}\r\nX-Test-Id: {HELD}\r\n\r\nDear resident\r\n"
    )
    with smtplib.SMTP("127.0.0.1", installation.guard_port, timeout=60) as client:
        refused = client.sendmail("survey@authority.example", RESIDENTS, content)
    assert refused == {}


def times_sent(*installations: Installation) -> Counter[int]:
    """How often each person of the campaign got their message."""
    taken = (one for installation in installations for one in installation.taken())
    numbers = (number_of(one["rcpts"]) for one in taken)
    return Counter(number for number in numbers if number)


def empty(tmp_path: Path) -> Installation:
    """An installation in the folder ``data``, with its key and its tables."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "master.key").write_text(f"{MASTER_KEY}\n")
    (folder / "master.key").chmod(0o600)
    installation = with_its_key_in_a_file(folder)
    installation.database.start()
    try:
        made = installation.command("migrate")
        assert made.returncode == 0, made.stderr
        installation.clerk("prepare")
    finally:
        installation.database.stop()
    return installation


@pytest.fixture
def lost(tmp_path: Path) -> tuple[Installation, str]:
    """An installation whose worker died in the middle of a campaign, now at rest."""
    installation = empty(tmp_path)
    with installation:
        hold_one(installation)
        campaign = prepared(installation, PEOPLE)
        until(lambda: len(times_sent(installation)) > PEOPLE // 4, "some were sent")
        worker = installation.processes.pop("worker")
        worker.kill()
        worker.wait()
    return installation, campaign


@pytest.mark.timeout(600)
def test_what_was_restored_goes_on_and_nothing_is_sent_twice_unseen(
    tmp_path: Path, lost: tuple[Installation, str]
) -> None:
    before, campaign = lost
    key, archive = carry_out(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    subprocess.run(["tar", "-xzf", archive, "-C", elsewhere], check=True)
    folder = elsewhere / "data"
    assert not (folder / "master.key").exists(), "the key is apart from the dump"
    (folder / "sink.jsonl").unlink()

    after = with_its_key_in_a_file(folder)
    after.database.start()
    try:
        without = after.command("held", "list")
    finally:
        after.database.stop()
    shutil.copy(key, folder / "master.key")
    with after:
        in_doubt = {
            number
            for number, state in after.rows(_STATES, (campaign,))
            if state == "in doubt"
        }
        after.clerk("singly", HELD)
        after.until_nothing_waits()
        until(lambda: _has_ended(after, campaign), "the campaign ends", 120)
        states = dict(after.rows(_STATES, (campaign,)))
        verified = after.command("journal", "verify")

    assert without.returncode == 78
    assert "master key is missing" in without.stderr
    assert set(states.values()) == {"sent"}
    times = times_sent(before, after)
    assert times.keys() == set(range(1, PEOPLE + 1))
    twice = {number for number, count in times.items() if count > 1}
    assert twice <= in_doubt
    copies = [one["rcpts"] for one in after.taken() if number_of(one["rcpts"]) == 0]
    assert sorted(copies) == [[one] for one in sorted(RESIDENTS)]
    assert verified.returncode == 0, verified.stdout


def _has_ended(installation: Installation, campaign: str) -> bool:
    ((state,),) = installation.rows(_STATE, (campaign,))
    if state == "paused":
        # A person looks at what is in doubt, and lets it go on.
        installation.clerk("resume", campaign)
    return bool(state == "done")


def test_another_key_is_refused_and_makes_nothing_unreadable(tmp_path: Path) -> None:
    installation, key = empty(tmp_path), tmp_path / "data" / "master.key"
    installation.database.start()
    try:
        key.write_text("ab" * 32 + "\n")
        refused = installation.command("migrate")
        key.write_text(f"{MASTER_KEY}\n")
        taken = installation.command("migrate")
    finally:
        installation.database.stop()

    assert refused.returncode != 0
    assert "written under another master key" in refused.stderr
    assert taken.returncode == 0, taken.stderr
