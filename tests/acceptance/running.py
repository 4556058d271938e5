# SPDX-License-Identifier: Apache-2.0
"""``undisclosed run`` as a process, in a folder of its own, on ports of its own."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from tests.acceptance.installation import (
    Section,
    family_of,
    free_port,
    is_running,
    toml,
    until,
)

ROOT = Path(__file__).parents[2]
PATIENCE = 100
"""Seconds until it is ready: a fresh data folder on a busy machine."""


class Run:
    """Everything on one machine; entering waits until it says that it is ready.

    Leaving the context presses Ctrl-C; ``code`` is the exit code then. A second Run
    over the same folder finds the settings and the data of the first.
    """

    def __init__(
        self,
        folder: Path,
        *,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        **changed: Section,
    ) -> None:
        self.folder = folder
        self.settings = folder / "undisclosed.toml"
        self.ports = self._ports(changed)
        self.guard_port, self.office_port, self.console_port = self.ports
        self.environment = {
            **os.environ,
            **(environment or {}),
            "UNDISCLOSED_SETTINGS": str(self.settings),
        }
        self.before = before
        self.code: int | None = None
        self.family: set[int] = set()
        self._process: subprocess.Popen[bytes] | None = None

    def _ports(self, changed: Mapping[str, Section]) -> list[int]:
        record = self.folder / "ports.json"
        if not record.exists():
            ports = [free_port() for _ in range(3)]
            record.write_text(json.dumps(ports))
            parts = ("guard", "postoffice", "console")
            tables: dict[str, Section] = {
                part: {"listen": f"127.0.0.1:{port}", **changed.get(part, {})}
                for part, port in zip(parts, ports, strict=True)
            }
            others = {name: t for name, t in changed.items() if name not in parts}
            self.settings.write_text(toml({**tables, **others}))
        return list(json.loads(record.read_text()))

    @property
    def pid(self) -> int:
        """The process itself."""
        assert self._process is not None
        return self._process.pid

    @property
    def out(self) -> str:
        """What it printed for people."""
        return (self.folder / "out.txt").read_text()

    @property
    def err(self) -> str:
        """What it and its parts said on the way."""
        return (self.folder / "err.txt").read_text()

    def __enter__(self) -> Self:
        self.begin()
        until(lambda: self.is_ready or not is_running(self.pid), "it ends", PATIENCE)
        if not self.is_ready:
            self.stop(signal.SIGKILL)
            raise AssertionError(self.err)
        self.family = family_of(self.pid)
        return self

    def __exit__(self, *exc: object) -> None:
        if self.code is None:
            self.stop(signal.SIGINT)

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        command = [*self.before, sys.executable, "-m", "undisclosed", "run"]
        out = (self.folder / "out.txt").open("wb")
        err = (self.folder / "err.txt").open("wb")
        with out, err:
            self._process = subprocess.Popen(
                command,
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def is_ready(self) -> bool:
        """Whether it has said so."""
        return "Undisclosed is ready after" in self.out

    def stop(self, number: signal.Signals) -> int:
        """Send it a signal and wait for its end; its exit code."""
        assert self._process is not None
        self.family |= family_of(self.pid)
        self._process.send_signal(number)
        self.code = self._process.wait(60)
        return self.code

    def part(self, *words: str) -> int:
        """The process of a part: the oldest one whose command line has these words."""
        named = [pid for pid in sorted(self.family) if _has(pid, words)]
        assert named, f"{words} is not running"
        return named[0]

    def answers_http(self) -> bool:
        """Whether the pages are served."""
        url = f"http://127.0.0.1:{self.console_port}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def clerk(self, deed: str, *words: str) -> str:
        """Have ``clerk.py`` do something with this installation; what it printed."""
        done = subprocess.run(
            [
                *self.before,
                sys.executable,
                "-m",
                "tests.acceptance.clerk",
                deed,
                *words,
            ],
            env={**self.environment, "PYTHONDONTWRITEBYTECODE": "1"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def held(self) -> dict[str, Any]:
        """The held mails by the id that the test gave them."""
        mails = json.loads(self.clerk("state"))["held"].values()
        return {mail["test_id"]: mail for mail in mails}


def _has(pid: int, words: Sequence[str]) -> bool:
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return all(word.encode() in command for word in words)
