# SPDX-License-Identifier: Apache-2.0
"""Tables as CSV (RFC 4180), such that a spreadsheet reads them safely.

A cell that a spreadsheet would take for a formula gets an apostrophe in front, so that
nobody's row becomes a program on the screen of whoever opens the file. Numbers with a
sign, telephone numbers among them, are left as they are.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from undisclosed.core.campaign import Row
from undisclosed.send.recipients import Problem

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d\s().,/-]*$)")
_MARK = "\ufeff"  # or spreadsheets take UTF-8 for another charset


def rows_csv(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """A list's rows, with each person's number and way in front."""
    yield _MARK + _line(("Row", "Way", *columns))
    for row in rows:
        values = (row.values.get(column, "") for column in columns)
        yield _line((str(row.number), row.way.value, *values))


def problems_csv(problems: Iterable[Problem]) -> Iterator[str]:
    """What a check found: where, what, and whether it keeps the file out."""
    yield _MARK + _line(("Row", "Column", "Problem", "Stops the import"))
    for one in problems:
        stops = "yes" if one.is_fatal else "no"
        where = str(one.row) if one.row else "all"
        yield _line((where, one.column, one.text, stops))


def table_csv(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Any other table."""
    yield _MARK + _line(columns)
    yield from map(_line, rows)


def _line(cells: Sequence[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(map(_safe, cells))
    return written.getvalue()


def _safe(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
