# SPDX-License-Identifier: Apache-2.0
"""The program of a child that reads one workbook: libraries break, and must not take
anybody along.

``python -m undisclosed.send.tables.child FILE SHEET`` writes lines of JSON: a list for
each row (its number, its cells), and an object with what was dropped and noted before
the first and behind the last row, or with the sentence that says why it cannot be
read. Memory and time are limited before the first byte is read.
"""

import json
import resource
import sys
from pathlib import Path

from undisclosed.send.tables.kinds import open_workbook
from undisclosed.send.tables.table import Table, TableUnreadable

MEMORY = 2 * 1024**3
"""Bytes of address space."""
SECONDS = 600
"""Seconds of the processor: a million rows of a workbook take some."""


def main() -> int:
    """Read and write; 0 even where the file cannot be read, which is said."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    file, sheet = Path(sys.argv[1]), sys.argv[2]
    try:
        table = open_workbook(file, sheet)
        _write(_said(table))
        for line in table.lines():
            _write([line.number, *line.cells])
        _write(_said(table) | {"is_end": True})
    except TableUnreadable as error:
        _write({"problem": str(error)})
    return 0


def _said(table: Table) -> dict[str, object]:
    return {"dropped": list(table.dropped), "notes": list(table.notes)}


def _write(value: object) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    sys.exit(main())
