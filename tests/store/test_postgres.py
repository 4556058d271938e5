# SPDX-License-Identifier: Apache-2.0
"""The embedded server: it starts, survives its own and our death, and stays ours."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest

from tests.postgres import quick_folder
from undisclosed.errors import UndisclosedError
from undisclosed.store import postgres_programs as programs
from undisclosed.store.postgres import Server, ServerDown, is_initialised, url_of

NOBODY = programs.NOBODY
IS_ROOT = os.geteuid() == 0
PATIENCE = 60.0

CHILD = """
import sys, time
from pathlib import Path
from undisclosed.store.postgres import Server
server = Server(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def new_folder():
    """Where nothing is yet. A short one: a socket's path has 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="undisclosed-", dir=quick_folder()) as name:
        yield Path(name) / "data"


@pytest.fixture(scope="module")
def made():
    """A database that was made once, to be copied: making one takes seconds."""
    with tempfile.TemporaryDirectory(prefix="undisclosed-", dir=quick_folder()) as name:
        with Server(Path(name)):
            pass
        yield Path(name)


@pytest.fixture
def folder(made, new_folder):
    """A database that was started and stopped before."""
    new_folder.mkdir(mode=0o700)
    copy_database(made, new_folder)
    return new_folder


def copy_database(made, folder):
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(made / "postgres", folder / "postgres")
    shutil.copy2(made / "postgres.password", folder)


def row_count(server):
    with psycopg.connect(server.url) as connection:
        return connection.execute("SELECT count(*) FROM kept").fetchone()[0]


def keep_a_row(server):
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (1)")


def wait_until(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_it_keeps_its_data_from_one_start_to_the_next(new_folder):
    told = []
    for count in (1, 2):
        with Server(new_folder, progress=told.append) as server:
            keep_a_row(server)

            assert server.is_alive()
            assert row_count(server) == count
        assert not server.is_alive()

    assert told.count("making the database") == 1


def test_nobody_else_may_enter_or_read(folder):
    with Server(folder) as server:
        password = (folder / "postgres.password").read_text().strip()

        assert folder.stat().st_mode & 0o077 == 0
        assert (folder / "socket").stat().st_mode & 0o077 == 0
        assert (folder / "postgres.password").stat().st_mode & 0o077 == 0
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url.replace(password, "wrong"))
        with psycopg.connect(server.url) as connection:
            shown = connection.execute("SHOW listen_addresses").fetchone()
        assert shown == ("",)


def test_a_killed_server_starts_again_with_every_committed_row(folder):
    with Server(folder) as server:
        keep_a_row(server)
        for pid in (*programs.processes_in(folder / "postgres"), server.pid):
            if pid is not None and Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not server.is_alive())

        server.start()

        assert row_count(server) == 1


def test_a_stale_pid_file_does_not_keep_it_from_starting(folder):
    with Server(folder) as server:
        keep_a_row(server)
    lines = [str(os.getpid()), str(folder / "postgres"), "1", "5432", "", "", "", ""]
    (folder / "postgres" / "postmaster.pid").write_text("\n".join(lines))

    with Server(folder) as server:
        assert row_count(server) == 1


def run_child(folder, *prefix):
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", CHILD, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_no_orphan_stays_when_its_supervisor_is_killed(folder):
    with run_child(folder) as child:
        pid = int(child.stdout.readline())
        assert Path(f"/proc/{pid}").exists()

        child.kill()

    wait_until(lambda: not programs.processes_in((folder / "postgres").resolve()))
    with Server(folder) as server:
        assert server.is_alive()


def test_a_second_supervisor_is_refused_while_the_first_lives(folder):
    with Server(folder):
        second = Server(folder)

        with pytest.raises(UndisclosedError, match="Another process"):
            second.start()
        assert not second.is_alive()


def test_a_deep_folder_gets_a_short_socket_folder(folder):
    deep = folder / ("d" * 60) / ("e" * 60)
    copy_database(folder, deep)

    with Server(deep) as server, Server(folder) as other:
        keep_a_row(server)
        socket = Path((deep / "postgres.socket").read_text().strip())
        assert other.url != server.url

    with Server(deep) as server:
        assert row_count(server) == 1
        assert Path((deep / "postgres.socket").read_text().strip()) == socket
    assert socket.stat().st_mode & 0o077 == 0
    socket.rmdir()


def test_a_half_made_database_is_made_anew(new_folder):
    half = new_folder / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("17\n")

    with Server(new_folder) as server:
        keep_a_row(server)

    assert not half.exists()


def test_an_error_says_what_the_server_said(folder):
    with pytest.raises(ServerDown, match="no_such_setting"):
        Server(folder, configuration={"no_such_setting": "1"}).start()


def test_the_database_of_another_version_is_left_alone(folder):
    version = folder / "postgres" / "PG_VERSION"
    version.write_text("14\n")

    with pytest.raises(UndisclosedError, match="made by PostgreSQL 14"):
        Server(folder).start()


def test_a_folder_without_programs_is_named(folder):
    with pytest.raises(UndisclosedError, match="No PostgreSQL programs"):
        Server(folder, binaries=folder / "bin").start()


def test_what_was_never_started_has_no_address(new_folder):
    assert not is_initialised(new_folder)
    with pytest.raises(UndisclosedError, match="not started"):
        url_of(new_folder)


def test_the_log_quotes_nothing_that_the_server_was_told(folder):
    secret = "ann@a.example"
    with (
        Server(folder) as server,
        psycopg.connect(server.url, autocommit=True) as connection,
    ):
        connection.execute("CREATE TABLE kept (name text UNIQUE)")
        connection.execute("INSERT INTO kept VALUES (%s)", (secret,))
        for statement in (
            "INSERT INTO kept VALUES (%s)",
            "SELECT %s::text::int",
            "SELECT %s FROM nowhere",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(statement, (secret,))
            with pytest.raises(psycopg.Error):
                psycopg.ClientCursor(connection).execute(statement, (secret,))

    assert secret not in (folder / "postgres.log").read_text()
    assert "ready to accept" in (folder / "postgres.log").read_text()


@pytest.mark.skipif(not IS_ROOT, reason="only root can become another user")
def test_an_ordinary_user_can_run_it():
    with tempfile.TemporaryDirectory(prefix="undisclosed-", dir=quick_folder()) as name:
        os.chown(name, NOBODY, NOBODY)
        be_nobody = ("setpriv", f"--reuid={NOBODY}", "--regid=65534", "--clear-groups")
        trial = [*be_nobody, sys.executable, "-c", ""]
        if subprocess.run(trial, check=False).returncode:
            pytest.skip("an ordinary user cannot run this Python")
        with run_child(Path(name) / "data", *be_nobody) as child:
            pid = int(child.stdout.readline() or 0)

            assert Path(f"/proc/{pid}").stat().st_uid == NOBODY
            child.kill()
        postgres = Path(name).resolve() / "data" / "postgres"
        wait_until(lambda: not programs.processes_in(postgres))


@pytest.mark.skipif(not IS_ROOT, reason="only root gives up its rights")
def test_root_without_user_namespaces_gives_up_its_rights(folder, monkeypatch):
    monkeypatch.setattr(programs, "_NAMESPACE", ("false",))
    for count in (1, 2):
        with Server(folder) as server:
            keep_a_row(server)

            assert row_count(server) == count
            assert Path(f"/proc/{server.pid}").stat().st_uid == NOBODY
    assert (folder / "postgres").stat().st_uid == NOBODY


@pytest.mark.skipif(not IS_ROOT, reason="only root is refused by PostgreSQL")
def test_root_that_cannot_give_up_its_rights_is_told_what_to_do(folder, monkeypatch):
    monkeypatch.setattr(programs, "_NAMESPACE", ("false",))
    monkeypatch.setattr(programs, "_AS_NOBODY", ("false",))

    with pytest.raises(UndisclosedError, match="DATABASE_URL"):
        Server(folder).start()


def test_programs_that_are_too_old_are_refused(tmp_path):
    for name in ("initdb", "postgres"):
        (tmp_path / name).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 12.3'\n")
        (tmp_path / name).chmod(0o755)

    with pytest.raises(UndisclosedError, match="12 is too old"):
        programs.find(tmp_path)
