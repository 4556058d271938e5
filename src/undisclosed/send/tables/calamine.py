# SPDX-License-Identifier: Apache-2.0
"""Older workbooks of Excel (.xls, .xlsb): cells, and which sheets are hidden.

Which rows and columns are hidden is not told by this reader; that is said.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import python_calamine

from undisclosed.send.tables.cells import text_of
from undisclosed.send.tables.table import MOST_COLUMNS, Line, Table, TableUnreadable
from undisclosed.send.tables.workbook import chosen

UNTOLD = (
    "Whether rows or columns are hidden cannot be told of this kind of workbook: look "
    "at all of them, or save it as .xlsx."
)


def open_table(file: Path, sheet: str = "") -> Table:
    """The table of one visible sheet. Raises TableUnreadable."""
    table = Table(lambda: _lines(file, name))
    table.notes[UNTOLD] = None
    book = _opened(file)
    states = {
        one.name: "visible" if _is_visible(one) else "hidden"
        for one in book.sheets_metadata
    }
    name = chosen(states, sheet, table)
    return table


def _is_visible(sheet: Any) -> bool:
    return bool(sheet.visible == python_calamine.SheetVisibleEnum.Visible)


def _opened(file: Path) -> Any:
    try:
        return python_calamine.load_workbook(str(file))
    except Exception:
        # The library raises an error of its own for each kind of damage.
        raise TableUnreadable("The workbook is damaged, or has a password.") from None


def _lines(file: Path, name: str) -> Iterator[Line]:
    try:
        sheet = _opened(file).get_sheet_by_name(name)
        rows = sheet.iter_rows()
        first = (sheet.start or (0, 0))[0] + 1
        left = (sheet.start or (0, 0))[1]
        for number, row in enumerate(rows, first):
            cells = [text_of(value) for value in row[:MOST_COLUMNS]]
            yield Line(number, (*("",) * left, *cells))
    except TableUnreadable:
        raise
    except Exception:
        raise TableUnreadable("The workbook is damaged.") from None
