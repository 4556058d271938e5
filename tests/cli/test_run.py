# SPDX-License-Identifier: Apache-2.0
"""``undisclosed run``: everything on this machine, until Ctrl-C."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
import tempfile
import urllib.request
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
from tests.postgres import quick_folder

NOBODY = 65_534
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
MAY_READ = ("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search")
"""Where this Python lies in root's own home, the user may pass its folders."""

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run over a fresh folder that held a mail and was ended by Ctrl-C."""
    with Run(tmp_path_factory.mktemp("run")) as run:
        answers = hand_in(run.guard_port, people(9), letter(people(9), "first"))
        assert answers.is_held, answers
        assert "<form" in _page_of_the_printed_link(run)
    return run


def _page_of_the_printed_link(run: Run) -> str:
    link = next(line for line in run.out.splitlines() if "/log-in/" in line)
    with urllib.request.urlopen(link.strip(), timeout=20) as page:  # noqa: S310
        return str(page.read().decode())


def test_a_fresh_folder_becomes_a_whole_installation(first: Run) -> None:
    assert "Undisclosed is ready after" in first.out
    assert f"http://127.0.0.1:{first.console_port}/log-in/" in first.out
    assert f"smtp://127.0.0.1:{first.guard_port}" in first.out
    assert "caught by the post office" in first.out
    assert len(first.family) >= 5
    assert "Traceback" not in first.err


def test_what_it_does_is_said_in_words_and_no_log_comes_between(first: Run) -> None:
    said = [line.strip() for line in first.err.splitlines()]

    assert "starting the post office" in said
    assert "starting the pages" in said
    assert [line for line in said if " INFO " in line or " DEBUG " in line] == []


def test_ctrl_c_ends_every_process_with_code_0(first: Run) -> None:
    assert first.code == 0
    assert [pid for pid in first.family if is_running(pid)] == []
    assert first.err.splitlines()[-1].strip() == "stopped"


@pytest.mark.timeout(300)
def test_a_second_run_keeps_the_data_and_a_kill_leaves_no_orphan(first: Run) -> None:
    with Run(first.folder) as run:
        assert run.held()["first"]["state"] == "held"
        hand_in(run.guard_port, people(9), letter(people(9), "second"))

        run.stop(signal.SIGKILL)

        # Parts end their open work first, and have lost their database while they do.
        until(lambda: not any(map(is_running, run.family)), "no orphan is left", 200)
    with Run(first.folder) as run:
        assert run.held().keys() >= {"first", "second"}
    assert run.code == 0


def test_what_ends_by_itself_is_started_again(first: Run) -> None:
    with Run(first.folder) as run:
        database = next(pid for pid in run.family if _is_named(pid, "postgres"))
        parts = [run.part(name) for name in ("guard", "console", "postoffice")]
        for pid in (database, *parts):
            os.kill(pid, signal.SIGKILL)

        until(lambda: _serves(run), "mail is held and passed again")
        until(run.answers_http, "the pages are served again")
        assert is_running(run.pid)
        assert "the guard ended: started again" in run.err
        killed = run.family
    assert run.code == 0
    assert [pid for pid in killed | run.family if is_running(pid)] == []


def _is_named(pid: int, name: str) -> bool:
    """The postmaster is the one of this name whose parent is not of this name."""
    status = Path(f"/proc/{pid}/status").read_text()
    parent = status.partition("PPid:\t")[2].partition("\n")[0]
    command = Path(f"/proc/{parent}/comm").read_text().strip()
    return status.startswith(f"Name:\t{name}\n") and command != name


def _serves(run: Run) -> bool:
    """Whether mail that shows nobody passes, and mail that shows people is held."""
    try:
        passed = hand_in(run.guard_port, people(1), letter(people(1), "one"))
        held = hand_in(run.guard_port, people(9), letter(people(9), "nine"))
    except (OSError, smtplib.SMTPException):
        return False
    return passed.is_passed and held.is_held


def test_a_second_run_over_the_same_data_is_refused_in_one_sentence(
    first: Run,
) -> None:
    elsewhere = first.folder / "elsewhere.toml"
    parts = ("guard", "postoffice", "console")
    ports = {part: {"listen": f"127.0.0.1:{free_port()}"} for part in parts}
    elsewhere.write_text(toml(ports))
    with Run(first.folder) as run:
        same = run_command("run", environment=run.environment, folder=run.folder)
        other = run_command(
            *("run", "--settings", str(elsewhere)),
            environment=run.environment,
            folder=run.folder,
        )

        assert same.returncode == other.returncode == 78
        assert f"cannot listen on 127.0.0.1:{run.office_port}" in same.stderr
        assert "postoffice.listen" in same.stderr
        assert "Another process of ours runs the database in" in other.stderr
        assert "Traceback" not in same.stderr + other.stderr
        assert _serves(run)
    assert run.code == 0


@pytest.mark.parametrize("part", ["guard", "postoffice", "console"])
def test_a_port_in_use_is_one_sentence_that_names_the_setting(
    tmp_path: Path, part: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = Run(tmp_path, **{part: {"listen": f"127.0.0.1:{port}"}})

        done = run_command("run", environment=run.environment, folder=tmp_path)

    (sentence,) = done.stderr.splitlines()
    assert f"The {part} cannot listen on 127.0.0.1:{port}" in sentence
    assert f"{part}.listen" in sentence
    assert done.returncode == 78
    assert not (tmp_path / "data").exists()


def _as_nobody(folder: Path) -> tuple[str, ...] | None:
    """How to become an ordinary user who can start this Python; None: there is none."""
    for before in (AS_NOBODY, (*AS_NOBODY, *MAY_READ)):
        # The program that setpriv starts may do more than what that one starts.
        trial = [*before, "sh", "-c", f"{sys.executable} -c 'import undisclosed'; :"]
        done = subprocess.run(trial, check=False, cwd=folder, capture_output=True)
        if not done.returncode and not done.stderr:
            return before
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_can_run_it() -> None:
    with tempfile.TemporaryDirectory(prefix="undisclosed-", dir=quick_folder()) as name:
        folder = Path(name)
        before = _as_nobody(folder)
        if before is None:
            pytest.skip("an ordinary user cannot run this Python")
        run = Run(folder, before=before, environment={"HOME": name})
        for file in (folder, *folder.iterdir()):
            os.chown(file, NOBODY, NOBODY)
        with run:
            owners = {Path(f"/proc/{pid}").stat().st_uid for pid in run.family}
            assert owners == {NOBODY}
            assert _serves(run)
        assert run.code == 0
        assert [pid for pid in run.family if is_running(pid)] == []
        assert {file.stat().st_uid for file in (folder / "data").iterdir()} == {NOBODY}
