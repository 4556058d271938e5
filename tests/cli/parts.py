# SPDX-License-Identifier: Apache-2.0
"""Parts of an installation started by themselves, over a database that is away."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.acceptance.installation import MASTER_KEY, Section, run_command, toml
from undisclosed.store.postgres import Server


class Parts:
    """A folder with settings; its database was made known and never started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "undisclosed.toml"
        self.environment = {**os.environ, "UNDISCLOSED_MASTER_KEY": MASTER_KEY}
        Server(folder / "data").prepare()

    def write(self, **tables: Section) -> None:
        """Write the settings."""
        self.settings.write_text(toml(tables))

    def ended(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; no traceback, whatever happens."""
        done = run_command(*command, environment=self.environment, folder=self.folder)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    @contextmanager
    def running(self, *command: str) -> Iterator["Part"]:
        """A command as a process, which is killed where it does not end by itself."""
        log = self.folder / "log.txt"
        with (
            log.open("wb") as stream,
            subprocess.Popen(
                [sys.executable, "-m", "undisclosed", *command],
                env=self.environment,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            ) as process,
        ):
            try:
                yield Part(process, log)
            finally:
                process.kill()


class Part:
    """One process of an installation."""

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.log = log

    def stop(self, number: signal.Signals) -> int:
        """Send it a signal; its exit code. It leaves no traceback behind."""
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert "Traceback" not in self.log.read_text(), self.log.read_text()
        return code


def loopback(port: int) -> Mapping[str, object]:
    """The setting of a port of loopback."""
    return {"listen": f"127.0.0.1:{port}"}
