# SPDX-License-Identifier: Apache-2.0
"""Bars on a terminal, and nothing where there is none."""

import io
import sys
import time

import pytest

from undisclosed.cli.row_progress import RowProgress
from undisclosed.cli.scan_progress import ScanProgress
from undisclosed.scan.scan import Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It does."""
        return True


def wait() -> None:
    """Until a bar may be drawn again."""
    time.sleep(0.15)


def test_rows_and_their_rate_are_drawn_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")

    with RowProgress("Importing", 5000) as bar:
        wait()
        bar.show(2500)

    assert "Importing: 2,500 rows, " in terminal.getvalue()
    assert "50%" in terminal.getvalue()


def test_messages_and_what_was_found_are_drawn_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm")
    progress = Progress()
    progress.messages, progress.stored, progress.found = 1200, 300, 7

    with ScanProgress(400) as bar:
        wait()
        bar.show(progress)

    assert "1,200 messages, " in terminal.getvalue()
    assert "7 found" in terminal.getvalue()
    assert "75%" in terminal.getvalue()


def test_where_there_is_no_terminal_nothing_is_drawn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with RowProgress("Checking") as bar:
        wait()
        bar.show(10)

    assert capsys.readouterr().err == ""
