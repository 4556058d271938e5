# SPDX-License-Identifier: Apache-2.0
"""The embedded PostgreSQL: a server of our own, as a child, on a UNIX socket.

No wrapper package: those add system users, change folders above the data, trust
everybody and give up on a long crash recovery. The server listens on a socket in a
folder that only its owner may enter, asks for a password all the same, and keeps
what it is told out of its log: a log may hold no address.

Start it in the process's main thread: Linux stops the server when the thread that
started it ends (prctl(2), PR_SET_PDEATHSIG), so that no orphan outlives us.
"""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

import psycopg
from psycopg.conninfo import make_conninfo

from undisclosed.errors import UndisclosedError
from undisclosed.store import postgres_programs as programs

Progress = Callable[[str], None]
"""Told in a few words what is going on while one has to wait."""

ROLE: Final = "undisclosed"
DATABASE: Final = "undisclosed"

_LONGEST_SOCKET_PATH = 107  # sun_path of unix(7), less its final NUL
_SOCKET_NAME = "/.s.PGSQL.5432"
_LARGEST_LOG = 1_000_000
_PAUSE = 0.05

_CONFIGURATION: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Errors go to who caused them; the log gets neither statement nor values.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}


class ServerDown(UndisclosedError):
    """The embedded PostgreSQL ended instead of starting."""


def _silent(_: str) -> None:
    """Tell nobody."""


def is_initialised(data: Path) -> bool:
    """Whether the data folder holds an embedded PostgreSQL."""
    return (data / "postgres" / "PG_VERSION").exists()


def url_of(data: Path) -> str:
    """How to reach the embedded server of this data folder (a libpq string).

    Raises UndisclosedError where it was never started.
    """
    try:
        password = (data / "postgres.password").read_text("ascii").strip()
        socket = (data / "postgres.socket").read_text("utf-8").strip()
    except OSError as error:
        raise UndisclosedError(
            f"The database in {data} was not started yet: {error.strerror}."
        ) from None
    return make_conninfo("", host=socket, user=ROLE, password=password, dbname=DATABASE)


class Server:
    """One embedded server over one data folder.

    ``configuration`` overrides settings of PostgreSQL (tests use it); ``user`` is
    the numeric user that the server runs as when we are root and user namespaces
    are not to be had.
    """

    def __init__(
        self,
        data: Path,
        *,
        binaries: Path | None = None,
        configuration: Mapping[str, str] | None = None,
        progress: Progress = _silent,
    ) -> None:
        self.data = data.absolute()
        self.folder = self.data / "postgres"
        self.log = self.data / "postgres.log"
        self._binaries = binaries
        self._configuration = {**_CONFIGURATION, **(configuration or {})}
        self._progress = progress
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    @property
    def url(self) -> str:
        """How to reach the server (a libpq string)."""
        return url_of(self.data)

    @property
    def pid(self) -> int | None:
        """The process of the running server."""
        return self._process.pid if self.is_alive() and self._process else None

    def is_alive(self) -> bool:
        """Whether the child is running (it may still be recovering)."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and wait until it answers, however long it recovers.

        Makes the database on the first run. Raises UndisclosedError where another
        process uses the folder or the machine cannot run a server, ServerDown with
        the end of its log where it gave up.
        """
        if self.is_alive():
            return
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def prepare(self) -> str:
        """Make the folder, the password and the socket's place; the URL to come."""
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write_password()
        self._socket_folder()
        return self.url

    def _start(self) -> None:
        found = programs.find(self._binaries)
        runner = programs.runner_for(self.data)
        self.prepare()
        if not is_initialised(self.data):
            self._progress("making the database")
            self._initialise(found, runner)
        found.check_version_of(self.folder)
        self._evict()
        runner.own(self.folder)
        self._process = self._launch(found, runner)
        self._wait()

    def stop(self) -> None:
        """Stop the server: open transactions end, everything committed is kept."""
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)  # the fast shutdown
            process.wait()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _take_lock(self) -> None:
        """Be the only one: the lock falls with our process, whatever ends it."""
        if self._lock is not None:
            return
        lock = (self.data / "postgres.lock").open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise UndisclosedError(
                f"Another process of ours runs the database in {self.data}."
            ) from None
        self._lock = lock

    def _write_password(self) -> None:
        file = self.data / "postgres.password"
        if file.exists() and file.stat().st_size:
            return
        if is_initialised(self.data):
            raise UndisclosedError(f"{file} is missing: the database needs it.")
        write_private(file, secrets.token_hex(24))

    def _initialise(
        self, found: "programs.Programs", runner: "programs.Runner"
    ) -> None:
        """Run initdb beside the final place, so that half a database never counts."""
        fresh = self.data / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password = self.data / "postgres.password"
        for locale in ("C.UTF-8", "C"):
            fresh.mkdir(mode=0o700)
            runner.own(fresh)
            result = subprocess.run(  # noqa: S603
                runner.command(
                    [
                        found.path("initdb"),
                        *("--pgdata", str(fresh)),
                        *("--username", ROLE, "--pwfile", str(password)),
                        *("--auth", "scram-sha-256", "--encoding", "UTF8"),
                        *("--locale", locale, "--no-instructions"),
                    ]
                ),
                cwd=self.data,
                env=_environment(),
                capture_output=True,
                check=False,
            )
            if result.returncode == 0:
                fresh.rename(self.folder)
                return
            shutil.rmtree(fresh, ignore_errors=True)
        raise ServerDown(
            "initdb failed: " + result.stderr.decode("utf-8", "replace")[-500:].strip()
        )

    def _evict(self) -> None:
        """End what an earlier life of ours left running on these files.

        We hold the lock, so whoever is there has no supervisor. Two servers on the
        same files would destroy them: wait for every process, backends included.
        """
        pid_file = self.folder / "postmaster.pid"
        told = False
        while leftover := programs.processes_in(self.folder):
            if not told:
                self._progress("waiting for the database of an earlier run to end")
                told = True
            for pid in leftover:
                if pid == _pid_in(pid_file):
                    _signal(pid, signal.SIGINT)
            time.sleep(_PAUSE)
        if programs.CAN_SEE_PROCESSES:
            # Its number may belong to another process by now, which PostgreSQL
            # would take for a running server.
            pid_file.unlink(missing_ok=True)

    def _launch(
        self, found: "programs.Programs", runner: "programs.Runner"
    ) -> subprocess.Popen[bytes]:
        settings = {
            **self._configuration,
            "unix_socket_directories": self._socket_folder(),
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        if self.log.exists() and self.log.stat().st_size > _LARGEST_LOG:
            self.log.unlink()
        with _private_append(self.log) as log:
            return subprocess.Popen(  # noqa: S603
                runner.command(
                    [found.path("postgres"), "-D", str(self.folder), *options]
                ),
                cwd=self.data,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal is for us; we stop the server last of all.
                start_new_session=True,
            )

    def _socket_folder(self) -> str:
        """A folder for the socket: in the data, or a short one where that is deep."""
        record = self.data / "postgres.socket"
        folder = self.data / "socket"
        if len(os.fsencode(folder)) + len(_SOCKET_NAME) <= _LONGEST_SOCKET_PATH:
            folder.mkdir(mode=0o700, exist_ok=True)
        elif not (
            record.exists() and _is_private(folder := Path(record.read_text().strip()))
        ):
            folder = Path(tempfile.mkdtemp(prefix="undisclosed-"))
        write_private(record, str(folder))
        return str(folder)

    def _wait(self) -> None:
        """Wait for a real connection; as long as the child lives there is no limit."""
        began, told = time.monotonic(), 0.0
        maintenance = make_conninfo(self.url, dbname="postgres", connect_timeout=5)
        while self._process is not None and self._process.poll() is None:
            try:
                with psycopg.connect(maintenance, autocommit=True) as connection:
                    _make_database(connection)
                return
            except psycopg.OperationalError:
                waited = time.monotonic() - began
                if waited - told >= 1:
                    told = waited
                    self._progress(f"the database is recovering ({waited:.0f} s)")
                time.sleep(_PAUSE)
        raise ServerDown(
            "The embedded PostgreSQL ended instead of starting: " + _tail(self.log)
        )


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    fresh.replace(file)


def _make_database(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    found = connection.execute(
        "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
    ).fetchone()
    if found is None:
        connection.execute(f"CREATE DATABASE {DATABASE}")


def _private_append(file: Path) -> IO[bytes]:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(descriptor, "ab")


def _environment() -> dict[str, str]:
    """Ours without what would steer a PostgreSQL program or change its words."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}


def _is_private(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return folder.is_dir() and found.st_uid == os.geteuid() and not found.st_mode & 0o77


def _pid_in(file: Path) -> int | None:
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _tail(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")[-500:].strip()
    except OSError:
        return "it wrote no log."
