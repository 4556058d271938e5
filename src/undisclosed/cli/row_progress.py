# SPDX-License-Identifier: Apache-2.0
"""The progress of a list on a terminal: rows, their rate, and the time left."""

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


class RowProgress:
    """A bar while rows are read; nothing where stderr is no terminal."""

    def __init__(self, deed: str, whole: int | None = None) -> None:
        self._deed = deed
        self._began = time.monotonic()
        self._is_shown = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("{task.description}"),
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
        self._task = self._bar.add_task(deed, total=whole)

    def show(self, rows: int) -> None:
        """Draw how many rows were read."""
        if not self._is_shown:
            return
        rate = rows / max(time.monotonic() - self._began, 0.001)
        said = f"{self._deed}: {rows:,} rows, {rate:,.0f}/s"
        self._bar.update(self._task, completed=rows, description=said)
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
