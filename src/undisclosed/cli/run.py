# SPDX-License-Identifier: Apache-2.0
"""``undisclosed run``: everything on this machine, until Ctrl-C.

The embedded PostgreSQL, the guard, a worker and the console on loopback; until a
next hop is set, the post office as well, which catches all mail: nothing leaves the
machine. What ends by itself is started again.
"""

import argparse
import contextlib
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from undisclosed.cli import options, wiring
from undisclosed.cli.children import Child, ChildFailed, Children
from undisclosed.cli.ports import refuse_taken
from undisclosed.errors import UndisclosedError
from undisclosed.store import bootstrap, migrate
from undisclosed.store.postgres import Server
from undisclosed.store.settings import HostPort, Settings

LONGEST_START = 60.0
"""Seconds that a part has to answer for the first time."""

SHORTEST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
"""Seconds between two starts of a database that does not start."""

BEGAN_AT = "UNDISCLOSED_BEGAN_AT"
"""Environment: when ``make run`` began, in seconds since the epoch."""


CALLED = {"postoffice": "post office", "console": "pages"}
"""What people call a part, where its command has another name."""


class Stopped(Exception):
    """SIGTERM or SIGINT came."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("run", help="everything on this machine")
    options.add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Start everything, say where it is, and watch it until Ctrl-C."""
    began_at = float(os.environ.get(BEGAN_AT) or time.time())
    settings = wiring.load(args.settings)
    if settings.file is not None:
        os.environ["UNDISCLOSED_SETTINGS"] = str(settings.file)
    _refuse_taken_ports(settings)
    wiring.make_first_key(settings)
    try:
        with _told_to_stop(), _database(settings) as database:
            _say("preparing the tables")
            link = _prepare(settings)
            with Children({**os.environ, options.QUIET: "1"}) as children:
                _start_parts(settings, children)
                _tell(settings, link, time.time() - began_at)
                _watch(children, database)
    except Stopped:
        _say("stopping: open work is finished first")
    _say("stopped")
    return 0


def _say(sentence: str) -> None:
    print(f"  {sentence}", file=sys.stderr, flush=True)


def _parts(settings: Settings) -> dict[str, HostPort]:
    """Every part that listens, in the order of starting."""
    parts = (
        {} if settings.guard.next_hop else {"postoffice": settings.postoffice.listen}
    )
    return {**parts, "guard": settings.guard.listen, "console": settings.console.listen}


def _refuse_taken_ports(settings: Settings) -> None:
    for part, where in _parts(settings).items():
        refuse_taken(f"{part}.listen", where)
    processes = settings.guard.processes or os.cpu_count() or 1
    refuse_taken("guard.metrics", settings.guard.metrics, processes)
    refuse_taken("worker.metrics", settings.worker.metrics)


@contextlib.contextmanager
def _told_to_stop() -> Iterator[None]:
    """Turn SIGTERM and SIGINT into ``Stopped``, once; further ones are ignored."""

    def stop(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise Stopped

    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(number, stop) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextlib.contextmanager
def _database(settings: Settings) -> Iterator[Server | None]:
    """The embedded server while the block runs; None where there is another one."""
    if settings.store.database_url:
        yield None
        return
    _say("starting the database")
    with Server(
        settings.store.data,
        binaries=settings.store.postgres_binaries,
        progress=_say,
    ) as server:
        yield server


def _prepare(settings: Settings) -> str | None:
    """The tables and the first account; the log-in link while it is needed."""
    wiring.configure(settings)
    migrate.migrate()
    bootstrap.check_key()
    account = bootstrap.first_account() or bootstrap.unused_account()
    if account is None:
        return None
    return f"{settings.console.url}/log-in/{bootstrap.login_link(account)}/"


def _start_parts(settings: Settings, children: Children) -> None:
    """Start what listens and wait until it answers; the worker needs no waiting."""
    for part, where in _parts(settings).items():
        _say(f"starting the {CALLED.get(part, part)}")
        child = children.start(part)
        is_there = _answers_http if part == "console" else _answers
        _wait_for(part, child, where, is_there)
    children.start("worker")


def _wait_for(
    part: str, child: Child, where: HostPort, is_there: Callable[[HostPort], bool]
) -> None:
    until = time.monotonic() + LONGEST_START
    while not is_there(where):
        if not child.is_running:
            raise ChildFailed(part=part)
        if time.monotonic() > until:
            called = CALLED.get(part, part)
            raise ChildFailed(f"The {called} did not answer on {where} in time.")
        time.sleep(0.05)


def _answers(where: HostPort) -> bool:
    try:
        with socket.create_connection((where.host, where.port), timeout=1) as client:
            return client.recv(4).startswith(b"220")
    except OSError:
        return False


def _answers_http(where: HostPort) -> bool:
    # The address is one of our own settings and stays on this machine.
    url = f"http://{where}/healthz"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _tell(settings: Settings, link: str | None, seconds: float) -> None:
    """Say where everything is and how to log in."""
    hop = settings.guard.next_hop
    lines = [
        "",
        f"Undisclosed is ready after {seconds:.0f} seconds.",
        "",
        f"  pages     {settings.console.url}/",
        f"  guard     smtp://{settings.guard.listen}   mail goes in here",
        f"  next hop  {hop}" if hop else f"  mail out  {_CAUGHT}",
        f"  data      {_shortened(settings.store.data)}",
        "",
    ]
    if settings.guard.is_observing:
        lines += ["Observing: nothing is changed, held or refused.", ""]
    if link:
        lines += ["Log in with this link; it works once, for a day:", f"  {link}", ""]
    else:
        lines += [f"Log in at {settings.console.url}/log-in/", ""]
    lines += ["Ctrl-C stops everything. The data stays.", ""]
    print("\n".join(lines), flush=True)


_CAUGHT = "caught by the post office until a next hop is set; nothing leaves"


def _shortened(folder: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(folder.relative_to(Path.cwd()))
    return str(folder)


def _watch(children: Children, database: Server | None) -> None:
    """Start again what ends, until ``Stopped`` is raised by a signal."""
    pause, try_at = SHORTEST_PAUSE, 0.0
    while True:
        time.sleep(0.2)
        if database is None or database.is_alive():
            pause = SHORTEST_PAUSE
        elif time.monotonic() >= try_at:
            if not _is_started_again(database):
                pause = min(2 * pause, LONGEST_PAUSE)
            try_at = time.monotonic() + pause
        for name in children.start_again():
            _say(f"the {CALLED.get(name, name)} ended: started again")


def _is_started_again(database: Server) -> bool:
    """Whether the database is there again. A full disk keeps it away for a while."""
    _say("the database ended: starting it again")
    try:
        database.start()
    except (UndisclosedError, OSError) as error:
        _say(f"the database does not start: {error}")
        return False
    return True
