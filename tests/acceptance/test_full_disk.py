# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: 451, nothing acknowledged is lost, and it heals by itself."""

import contextlib
import os
import shutil
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.acceptance.installation import is_running, until
from tests.acceptance.letters import hand_in, letter, people
from tests.acceptance.running import Run
from undisclosed.store.postgres import url_of

ROOM = "160m"
LARGE = "\r\n".join(f"line {n} of a long text" for n in range(100_000))

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk"),
    pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount(8)"),
]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(disk))
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def _fill(disk: Path) -> Path:
    """Write until there is no room, as a log that nobody rotates does."""
    file = disk / "somebody-elses.log"
    with file.open("ab", buffering=0) as log:
        for size in (1_000_000, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    log.write(b"x" * size)
    return file


def _try(run: Run, number: int) -> bool:
    """Hand in a mail that must be held; whether it was."""
    try:
        content = letter(people(9), f"mail-{number}", text=f"{number}\r\n{LARGE}")
        answers = hand_in(run.guard_port, people(9), content)
    except (OSError, smtplib.SMTPException):
        return False
    assert answers.is_held or answers.code in (421, 451), answers
    return answers.is_held


def _use_up_the_log(disk: Path) -> None:
    """Write to the database's own log until it cannot be extended and it panics."""
    with (
        contextlib.suppress(psycopg.Error),
        psycopg.connect(url_of(disk / "data")) as c,
    ):
        for _ in range(40):
            c.execute("SELECT pg_logical_emit_message(false, '', repeat('x', 1000000))")
    log = disk / "data" / "postgres.log"
    until(lambda: "PANIC" in log.read_text(), "the database panics")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("panics", [False, True], ids=["errors", "the database panics"])
def test_a_full_disk_is_451_and_heals_when_there_is_room_again(
    small_disk: Path, panics: bool
) -> None:
    with Run(small_disk) as run:
        assert _try(run, 0)
        filler = _fill(small_disk)
        if panics:
            _use_up_the_log(small_disk)

        held = {number for number in range(1, 9) if _try(run, number)}

        assert len(held) < 8
        assert is_running(run.pid)
        filler.unlink()
        assert is_running(run.pid)
        until(lambda: _try(run, 99), "the mail is held after all", 120)
        there = {f"mail-{number}" for number in (0, 99, *held)}
        assert run.held().keys() >= there
    assert run.code == 0
