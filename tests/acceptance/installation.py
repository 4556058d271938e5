# SPDX-License-Identifier: Apache-2.0
"""A whole installation in processes of its own, each of which can be killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import psycopg

from undisclosed.store.postgres import Server

Section = Mapping[str, object]

MASTER_KEY = bytes(range(32)).hex()
SINK = Path(__file__).with_name("sink.py")


def run_command(
    *arguments: str, environment: Mapping[str, str], folder: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run ``undisclosed …`` to its end; it has a minute."""
    return subprocess.run(
        [sys.executable, "-m", "undisclosed", *arguments],
        env=dict(environment),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def toml(tables: Mapping[str, Section]) -> str:
    """Settings as TOML: tables of texts, numbers, lists and inline tables."""
    lines = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {_value(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{k} = {_value(v)}' for k, v in value.items())}}}"
    return json.dumps(value)


def until(condition: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait for a condition; what it returned. Fails where it never comes true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"It never came true that {what}.")


def greets(port: int) -> bool:
    """Whether somebody on this port of loopback greets as a mail server does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            return client.recv(3) == b"220"
    except OSError:
        return False


def children_of(pid: int) -> set[int]:
    """The processes whose parent this is."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(status.parent.name))
    return found


def family_of(pid: int) -> set[int]:
    """A process's children, theirs, and so on."""
    found = children_of(pid)
    return found.union(*(family_of(child) for child in found))


def is_running(pid: int) -> bool:
    """Whether the process is there, and no zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


class Installation:
    """Database, next hop, guard and worker; leaving the context stops them.

    ``changed``: settings by section, beside the usual ones or instead of them.
    """

    def __init__(self, folder: Path, **changed: Section) -> None:
        self.folder = folder
        self.guard_port, self.hop_port = free_port(), free_port()
        self.metrics_port = free_port()
        self.settings = folder / "undisclosed.toml"
        self.settings.write_text(toml(self._settings(changed)))
        self.sink = folder / "sink.jsonl"
        self.log = folder / "processes.log"
        self.database = Server(folder, configuration={"max_connections": "60"})
        self.environment = {
            **os.environ,
            "UNDISCLOSED_MASTER_KEY": MASTER_KEY,
            "UNDISCLOSED_SETTINGS": str(self.settings),
        }
        self.hop_refuses: tuple[str, ...] = ()
        """What the sink is told when nothing else is: see ``sink.py``."""
        self.own_environment: dict[str, str] = {}
        """What only the parts are told, on top: not the clerk, not a command."""
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def _settings(self, changed: Mapping[str, Section]) -> dict[str, Section]:
        usual: dict[str, Section] = {
            "guard": {
                "listen": f"127.0.0.1:{self.guard_port}",
                "next_hop": f"127.0.0.1:{self.hop_port}",
                "hostname": "guard.authority.example",
                "metrics": f"127.0.0.1:{self.metrics_port}",
            },
            "policy": {"own_domains": ["authority.example"]},
            "delivery": {"retry": [0.01], "dsn_interval": 0},
            "holds": {"undo_split": 0},
            "store": {"data": "."},
            "console": {"listen": f"127.0.0.1:{free_port()}"},
        }
        names = [*usual, *(name for name in changed if name not in usual)]
        return {
            name: {**usual.get(name, {}), **changed.get(name, {})} for name in names
        }

    def prepare(self) -> None:
        """Start the database and make its tables, before anything else."""
        self.database.start()
        try:
            self.clerk("prepare")
        except BaseException:
            self.database.stop()
            raise

    def __enter__(self) -> Self:
        self.database.start()
        self.start("hop")
        self.start("guard")
        self.start("worker")
        try:
            self.wait_for(self.hop_port)
            self.wait_for(self.guard_port)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)
        self.database.stop()

    def start(self, name: str, *command: str) -> None:
        """Start a part: hop, guard or worker; or a command under a name.

        What follows ``hop`` are beginnings of recipients that it refuses.
        """
        whole = [sys.executable, "-m", "undisclosed", *(command or (name,))]
        if name == "hop":
            sink = [str(SINK), str(self.hop_port), str(self.sink)]
            whole = [sys.executable, *sink, *(command or self.hop_refuses)]
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                whole,
                env={**self.environment, **self.own_environment},
                stdout=log,
                stderr=log,
            )

    def stop(self, name: str) -> int:
        """End a part as a service manager does; its exit code."""
        process = self.processes.pop(name)
        process.terminate()
        return process.wait(60)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command over these settings, to its end."""
        return run_command(*arguments, environment=self.environment)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Ask the tables."""
        with psycopg.connect(self.database.url) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def clerk(self, deed: str, *words: str) -> str:
        """Have ``clerk.py`` do something with this installation; what it printed."""
        done = self._clerk(deed, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _clerk(self, deed: str, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "tests.acceptance.clerk", deed, *words],
            env=self.environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def until_decided(self) -> None:
        """Have the clerk decide until nothing hinders it any more."""
        for _ in range(20):
            done = self._clerk("decide")
            if done.returncode == 0:
                return
            time.sleep(0.5)
        raise AssertionError(done.stderr)

    def until_nothing_waits(self) -> dict[str, Any]:
        """The held mails, by id, once every queued copy has left or failed."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            state: dict[str, Any] = json.loads(self.clerk("state"))
            if state["waiting"] == 0:
                return dict(state["held"])
            time.sleep(0.5)
        raise AssertionError(
            f"Copies still wait: {state['waiting']}. {self.log.read_text()[-3000:]}"
        )

    def kill(self, name: str) -> None:
        """Kill -9 a part and start it again at once."""
        if name == "database":
            os.kill(self.database.pid or 0, signal.SIGKILL)
            while self.database.is_alive():
                time.sleep(0.01)
            self.database.start()
            return
        self.processes[name].kill()
        self.processes[name].wait()
        self.start(name)

    def wait_for(self, port: int) -> None:
        """Until somebody listens on the port; a minute at most."""
        try:
            until(lambda: greets(port), f"somebody listens on {port}")
        except AssertionError as error:
            raise AssertionError(f"{error} {self.log.read_text()[-2000:]}") from None

    def taken(self) -> list[dict[str, Any]]:
        """What the next hop has acknowledged or was about to."""
        if not self.sink.exists():
            return []
        return [json.loads(line) for line in self.sink.read_text().splitlines()]
