# SPDX-License-Identifier: Apache-2.0
"""The progress bar of a scan on a terminal: its rate and the time left."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar

from undisclosed.scan.scan import Progress

_INTERVAL = 0.1  # seconds between two drawings


class ScanProgress:
    """A bar while a scan runs; nothing where stderr is no terminal.

    No thread draws it: processes are forked while it is there.
    """

    def __init__(self, whole: int) -> None:
        self._began = self._drawn = time.monotonic()
        self._is_shown = sys.stderr.isatty()
        self._bar = Bar(
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
        self._task = self._bar.add_task("", total=whole or None, said="Reading")

    def show(self, progress: Progress) -> None:
        """Draw how far the scan is, a few times a second at most."""
        now = time.monotonic()
        if not self._is_shown or now - self._drawn < _INTERVAL:
            return
        self._drawn = now
        rate = progress.messages / max(now - self._began, 0.001)
        said = (
            f"{progress.messages:,} messages, {rate:,.0f}/s, {progress.found:,} found"
        )
        self._bar.update(self._task, completed=progress.stored, said=said)
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
