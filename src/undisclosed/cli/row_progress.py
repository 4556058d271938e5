# SPDX-License-Identifier: Apache-2.0
"""The progress of a list on a terminal: its rows and their rate."""

from undisclosed.cli.progress_bar import ProgressBar


class RowProgress(ProgressBar):
    """A bar while rows are read; ``whole`` is how many there are, where it is known."""

    def __init__(self, deed: str, whole: int | None = None) -> None:
        super().__init__(deed, whole)
        self._deed = deed

    def show(self, rows: int) -> None:
        """Draw how many rows were read."""
        if self.is_due:
            self.draw(rows, f"{self._deed}: {rows:,} rows, {self.per_second(rows)}")
