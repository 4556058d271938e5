# SPDX-License-Identifier: Apache-2.0
"""``undisclosed run``: everything on this machine, until Ctrl-C."""

import os
import shutil
import signal
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import (
    free_port,
    is_running,
    run_command,
    toml,
    until,
)
from tests.acceptance.letters import hand_in, letter, people
from tests.acceptance.running import Run

NOBODY = 65_534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over a fresh folder that held a mail and was ended by Ctrl-C."""
    with Run(tmp_path_factory.mktemp("run")) as run:
        answers = hand_in(run.guard_port, people(9), letter(people(9), "first"))
        assert answers.is_held, answers
    return run


def _log_in_page(run: Run) -> str:
    link = next(line for line in run.out.splitlines() if "/log-in/" in line)
    with urllib.request.urlopen(link.strip(), timeout=20) as page:
        return page.read().decode()


def test_a_fresh_folder_becomes_a_whole_installation(first: Run) -> None:
    assert "Undisclosed is ready after" in first.out
    assert f"http://127.0.0.1:{first.console_port}/log-in/" in first.out
    assert f"smtp://127.0.0.1:{first.guard_port}" in first.out
    assert "caught by the post office" in first.out
    assert len(first.family) >= 5
    assert "Traceback" not in first.err


def test_ctrl_c_ends_every_process_with_code_0(first: Run) -> None:
    assert first.code == 0
    assert [pid for pid in first.family if is_running(pid)] == []
    assert first.err.splitlines()[-1].strip() == "stopped"


def test_a_second_run_keeps_the_data_and_a_kill_leaves_no_orphan(first: Run) -> None:
    with Run(first.folder) as run:
        assert run.held()["first"]["state"] == "held"
        assert "Log in" in _log_in_page(run)
        hand_in(run.guard_port, people(9), letter(people(9), "second"))

        run.stop(signal.SIGKILL)

        until(lambda: not any(map(is_running, run.family)), "no orphan is left")
    with Run(first.folder) as run:
        assert run.held().keys() >= {"first", "second"}
    assert run.code == 0


def test_what_ends_by_itself_is_started_again(first: Run) -> None:
    with Run(first.folder) as run:
        killed = {name: run.child(name) for name in ("guard", "console", "postoffice")}
        killed["database"] = run.child("-D")
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)

        until(
            lambda: hand_in_quietly(run, "third") and hand_in_quietly(run, None),
            "mail is held and passed again",
        )
        until(lambda: run.answers_http(), "the pages are there again")
        assert is_running(run.pid)
    assert run.code == 0
    assert [pid for pid in run.family if is_running(pid)] == []
