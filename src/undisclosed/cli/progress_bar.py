# SPDX-License-Identifier: Apache-2.0
"""A bar on a terminal: how far something is, how fast, and how much time is left."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_INTERVAL = 0.1  # seconds between two drawings


class ProgressBar:
    """A bar while something is read; nothing where stderr is no terminal.

    No thread draws it: processes are forked while it is there.
    """

    def __init__(self, said: str, whole: int | None) -> None:
        self._began = self._drawn = time.monotonic()
        self._is_shown = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("{task.fields[said]}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("elapsed,"),
            TimeRemainingColumn(),
            TextColumn("left"),
            console=Console(stderr=True),
            auto_refresh=False,
            transient=True,
        )
        self._task = self._bar.add_task("", total=whole, said=said)

    @property
    def is_due(self) -> bool:
        """Whether to draw: a few times a second at most, and on a terminal alone."""
        return self._is_shown and time.monotonic() - self._drawn >= _INTERVAL

    def per_second(self, number: int) -> str:
        """How fast so many were read, as people read it."""
        return f"{number / max(time.monotonic() - self._began, 0.001):,.0f}/s"

    def draw(self, done: int, said: str) -> None:
        """Draw how much of the whole is done, behind a sentence."""
        self._drawn = time.monotonic()
        self._bar.update(self._task, completed=done, said=said)
        self._bar.refresh()

    def __enter__(self) -> Self:
        if self._is_shown:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_shown:
            self._bar.stop()
