# SPDX-License-Identifier: Apache-2.0
"""A whole installation for measurements: database, guard, and a sink as next hop.

Everything lies in a folder that is removed at the end, listens on loopback, and
waits for the disk as an installation in earnest does.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from undisclosed.store.postgres import Server

MASTER_KEY = bytes(range(32)).hex()
PROGRAMS = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the parts are: ``url`` of the database, ports, the guard's process."""

    folder: Path
    url: str
    environment: dict[str, str]
    guard_port: int
    sink_port: int
    guard_pid: int


def program(name: str) -> str:
    """The path of a program of Debian's postfix. Raises RuntimeError without it."""
    found = shutil.which(name, path=PROGRAMS)
    if found is None:
        raise RuntimeError(f"{name} is missing (Debian: apt-get install postfix)")
    return found


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def greets(port: int) -> bool:
    """Whether somebody on this port greets as a mail server does."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as probe:
            return probe.recv(3) == b"220"
    except OSError:
        return False


def wait_for(port: int, process: subprocess.Popen[bytes], seconds: float = 60) -> None:
    """Wait until somebody greets on the port. Raises RuntimeError where nobody does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        if greets(port):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody greets on port {port}")


@contextlib.contextmanager
def child(
    *command: str, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that is ended with the block."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """Postfix' smtp-sink, which takes every mail and keeps none; its port."""
    port = free_port()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    command = [program("smtp-sink"), *user, f"127.0.0.1:{port}", "1000"]
    with child(*command) as process:
        wait_for(port, process)
        yield port


@contextlib.contextmanager
def installed() -> Iterator[Installation]:
    """A running installation with an empty database and the default policy."""
    folder = Path(tempfile.mkdtemp(prefix="undisclosed-bench-"))
    try:
        with sink() as sink_port, Server(folder) as server:
            port = free_port()
            settings = folder / "undisclosed.toml"
            settings.write_text(
                f'[guard]\nlisten = "127.0.0.1:{port}"\n'
                f'next_hop = "127.0.0.1:{sink_port}"\nhostname = "guard.test"\n'
                '[store]\ndata = "."\n[holds]\nundo_split = 0\n'
                '[policy]\nown_domains = ["council.example"]\n',
                encoding="utf-8",
            )
            environment = os.environ | {
                "DATABASE_URL": server.url,
                "UNDISCLOSED_MASTER_KEY": MASTER_KEY,
                "UNDISCLOSED_SETTINGS": str(settings),
            }
            subprocess.run(
                [sys.executable, "-m", "bench.tables"], env=environment, check=True
            )
            guard = (sys.executable, "-m", "undisclosed", "guard")
            with child(*guard, environment=environment) as process:
                wait_for(port, process)
                yield Installation(
                    folder, server.url, environment, port, sink_port, process.pid
                )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def resident(pid: int) -> float:
    """Megabytes of memory that a process has in use now."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} is gone")
