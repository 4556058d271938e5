# SPDX-License-Identifier: Apache-2.0
"""The progress of a scan on a terminal: its messages, their rate, and the found."""

from undisclosed.cli.progress_bar import ProgressBar
from undisclosed.scan.scan import Progress


class ScanProgress(ProgressBar):
    """A bar while a scan runs; ``whole`` counts stored bytes."""

    def __init__(self, whole: int) -> None:
        super().__init__("Reading", whole or None)

    def show(self, progress: Progress) -> None:
        """Draw how far the scan is."""
        if self.is_due:
            rate = self.per_second(progress.messages)
            said = f"{progress.messages:,} messages, {rate}, {progress.found:,} found"
            self.draw(progress.stored, said)
