# SPDX-License-Identifier: Apache-2.0
"""A whole installation in processes of its own, each of which can be killed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from undisclosed.store.postgres import Server

SETTINGS = """
[guard]
listen = "127.0.0.1:{guard}"
next_hop = "127.0.0.1:{hop}"
hostname = "guard.authority.example"
metrics = "127.0.0.1:{metrics}"
[policy]
own_domains = ["authority.example"]
[delivery]
retry = [0.01]
dsn_interval = 0
[store]
data = "."
[console]
listen = "127.0.0.1:{console}"
"""

MASTER_KEY = bytes(range(32)).hex()
SINK = Path(__file__).with_name("sink.py")


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """Database, next hop, guard and worker; leaving the context stops them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.guard_port, self.hop_port = free_port(), free_port()
        self.metrics_port = free_port()
        self.settings = folder / "undisclosed.toml"
        self.settings.write_text(
            SETTINGS.format(
                guard=self.guard_port,
                hop=self.hop_port,
                console=free_port(),
                metrics=self.metrics_port,
            )
        )
        self.sink = folder / "sink.jsonl"
        self.log = folder / "processes.log"
        self.database = Server(folder, configuration={"max_connections": "60"})
        self.environment = {
            **os.environ,
            "UNDISCLOSED_MASTER_KEY": MASTER_KEY,
            "UNDISCLOSED_SETTINGS": str(self.settings),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.database.start()
        self.start("hop")
        self.start("guard")
        self.start("worker")
        self.wait_for(self.hop_port)
        self.wait_for(self.guard_port)
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(30)
        self.database.stop()

    def start(self, name: str) -> None:
        """Start a part: hop, guard or worker."""
        command = [sys.executable, "-m", "undisclosed", name]
        if name == "hop":
            command = [sys.executable, str(SINK), str(self.hop_port), str(self.sink)]
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log
            )

    def clerk(self, deed: str) -> str:
        """Have ``clerk.py`` do something with this installation; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.acceptance.clerk", deed],
            env=self.environment,
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            timeout=120,
        )
        if deed == "decide":
            return ""  # it may meet a database that was just killed
        assert done.returncode == 0, done.stderr
        return done.stdout

    def until_nothing_waits(self) -> dict[str, Any]:
        """The held mails, by id, once every queued copy has left or failed."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
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
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                    if client.recv(3) == b"220":
                        return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"Nobody listens on {port}: {self.log.read_text()[-2000:]}")

    def taken(self) -> list[dict[str, Any]]:
        """What the next hop has acknowledged or was about to."""
        if not self.sink.exists():
            return []
        return [json.loads(line) for line in self.sink.read_text().splitlines()]
