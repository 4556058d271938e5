# SPDX-License-Identifier: Apache-2.0
"""A disk whose fsync fails: 451, nothing acknowledged is lost, and it heals by itself.

The error is a real one to the database: strace answers its fsync and fdatasync with
EIO in the system's stead. PostgreSQL then stops and recovers, since what was to be on
the disk may not be there.
"""

import os
import shutil
import signal
import smtplib
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.installation import children_of, family_of, until
from tests.acceptance.letters import hand_in, letter, people
from tests.acceptance.running import Run

pytestmark = [
    pytest.mark.timeout(200),
    pytest.mark.skipif(
        shutil.which("strace") is None,
        reason="strace is missing (Debian: apt-get install strace)",
    ),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can trace the database"),
]


@contextmanager
def failing_disk(pid: int) -> Iterator[Path]:
    """While the context lasts, nothing that the process family writes is durable."""
    targets = [pid, *family_of(pid)]
    log = Path(f"/tmp/undisclosed-strace-{os.getpid()}-{pid}.log")  # noqa: S108
    calls = "fsync,fdatasync,sync_file_range,msync"
    tracer = subprocess.Popen(
        [
            *("strace", "-f", "-o", str(log), "-e", f"trace={calls}"),
            *("-e", f"inject={calls}:error=EIO"),
            *(word for target in targets for word in ("-p", str(target))),
        ],
        stderr=subprocess.PIPE,
    )
    try:
        assert tracer.stderr is not None
        attached = 0
        while attached < len(targets):
            line = tracer.stderr.readline()
            if not line or b"not permitted" in line:
                pytest.skip("this machine lets nobody trace a process")
            attached += b" attached" in line
        yield log
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=60)
        log.unlink(missing_ok=True)


def _is_held(run: Run, name: str) -> bool:
    """Hand in a mail that must be held; whether it was acknowledged."""
    try:
        answers = hand_in(
            run.guard_port, people(9, name), letter(people(9, name), name)
        )
    except (OSError, smtplib.SMTPException):
        return False
    assert answers.is_held or answers.code in (421, 451), answers
    return answers.is_held


def _database(run: Run) -> int:
    """The database's first process."""
    named = {pid for pid in family_of(run.pid) if _name(pid) == "postgres"}
    children = {child for pid in named for child in children_of(pid)}
    return min(named - children)


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def test_a_disk_that_fails_is_451_and_what_was_acknowledged_is_there(
    tmp_path: Path,
) -> None:
    with Run(tmp_path) as run:
        acknowledged = [name for name in ("one", "two") if _is_held(run, name)]
        assert acknowledged == ["one", "two"]

        with failing_disk(_database(run)) as log:
            tried = [f"failing-{number}" for number in range(4)]
            while_failing = [name for name in tried if _is_held(run, name)]
            injected = log.read_text().count("(INJECTED)")
        until(lambda: _is_held(run, "after"), "it heals", 120)

        assert injected > 0
        assert len(while_failing) < len(tried)
        assert {*acknowledged, *while_failing, "after"} <= set(run.held())
    assert run.code == 0
