# SPDX-License-Identifier: Apache-2.0
"""Workbooks read by a child process: one that breaks or grows harms nobody."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from undisclosed.send.tables.table import Line, Table, TableUnreadable

_BROKE = "The workbook is damaged, or too large to be read."
_KEPT = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "PYTHONPATH", "TMPDIR")


def open_table(file: Path, sheet: str = "") -> Table:
    """The table of one visible sheet.

    What is wrong with the file shows when its lines are read: TableUnreadable then.
    """
    table = Table(lambda: _lines(file, sheet, table))
    return table


def _lines(file: Path, sheet: str, table: Table) -> Iterator[Line]:
    command = [sys.executable, "-m", "undisclosed.send.tables.child", str(file), sheet]
    environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
    child = subprocess.Popen(  # noqa: S603 (our own program, no shell)
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="ascii",
    )
    try:
        is_whole = False
        for written in child.stdout or ():
            said: Any = json.loads(written)
            if isinstance(said, list):
                yield Line(said[0], tuple(said[1:]))
            else:
                is_whole = _note(said, table)
        if not is_whole:
            raise TableUnreadable(_BROKE)
    except ValueError:
        raise TableUnreadable(_BROKE) from None
    finally:
        child.kill()
        child.wait()
        if child.stdout is not None:
            child.stdout.close()


def _note(said: dict[str, Any], table: Table) -> bool:
    """Take over what the child says of the file; whether that was the end."""
    if "problem" in said:
        raise TableUnreadable(said["problem"])
    table.dropped.update(dict.fromkeys(said["dropped"]))
    table.notes.update(dict.fromkeys(said["notes"]))
    return bool(said.get("is_end"))
