# SPDX-License-Identifier: Apache-2.0
"""The parts of an installation as child processes: started, watched, stopped.

Every child is a command of ours. It ends with its parent, even where the parent is
killed, and is started again where it ends by itself.
"""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from undisclosed.errors import UndisclosedError

PR_SET_PDEATHSIG = 1
GRACE = 20.0
"""Seconds that a child has to finish what it is doing after SIGTERM."""

LONGEST_PAUSE = 30.0
"""Seconds between two starts of a child that keeps ending, at most."""


class ChildFailed(UndisclosedError):
    """A part of the installation did not start."""


@dataclass(slots=True)
class Child:
    """One command of ours as a process of its own."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    pause: float = 1.0

    def start(self) -> None:
        """Start the process, in a group of its own: Ctrl-C reaches the parent alone."""
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, "-m", "undisclosed", *self.command],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=partial(end_with, os.getpid()),  # noqa: PLW1509 - one system call, no threads
        )

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def start_again(self) -> bool:
        """Start a process that has ended, once its pause is over."""
        if self.is_running or time.monotonic() - self.started_at < self.pause:
            return False
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        self.start()
        return True

    def stop(self, until: float) -> None:
        """Ask the process to end; kill it when the time is over."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Children:
    """All child processes of a command; leaving the context stops every one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.children: list[Child] = []

    def start(self, name: str, *command: str) -> Child:
        """Start one more child."""
        child = Child(name, command or (name,), self.environment)
        child.start()
        self.children.append(child)
        return child

    def start_again(self) -> list[str]:
        """Start the children that have ended; their names."""
        return [child.name for child in self.children if child.start_again()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        until = time.monotonic() + GRACE
        for child in self.children:
            if child.process is not None and child.is_running:
                child.process.terminate()
        for child in self.children:
            child.stop(until)


def end_with(parent: int) -> None:
    """Have the kernel end this process when its parent ends (prctl(2), Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGTERM)
