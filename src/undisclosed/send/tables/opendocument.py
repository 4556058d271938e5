# SPDX-License-Identifier: Apache-2.0
"""Spreadsheets of OpenDocument (ISO/IEC 26300): the visible sheet, rows and columns."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from undisclosed.send.tables.table import MOST_COLUMNS, Line, Table, TableUnreadable
from undisclosed.send.tables.workbook import chosen

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_MOST_REPEATED = 1_000
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")


@dataclass(slots=True)
class _Sheet:
    """What is known of the sheet that is being read."""

    name: str
    hidden_columns: set[int] = field(default_factory=set)
    column: int = 0
    row: int = 0
    spans: list[tuple[int, int, int, int, str]] = field(default_factory=list)


def open_table(file: Path, sheet: str = "") -> Table:
    """The table of one visible sheet. Raises TableUnreadable."""
    table = Table(lambda: _lines(file, name, table))
    name = chosen(_states(file), sheet, table)
    return table


def _events(file: Path, *events: str) -> Iterator[tuple[str, Any]]:
    try:
        with ZipFile(file) as archive, archive.open("content.xml") as part:
            yield from iterparse(part, events=events)
    except (ParseError, DefusedXmlException, KeyError, OSError, RuntimeError):
        raise TableUnreadable("The workbook is damaged, or has a password.") from None


def _states(file: Path) -> dict[str, str]:
    """The sheets, visible or hidden, in their order."""
    hidden_styles: set[str] = set()
    states: dict[str, str] = {}
    style = ""
    for event, element in _events(file, "start", "end"):
        if event == "start" and element.tag == f"{_STYLE}style":
            style = element.get(f"{_STYLE}name", "")
        elif event == "start" and element.tag == f"{_STYLE}table-properties":
            if element.get(f"{_TABLE}display") == "false":
                hidden_styles.add(style)
        elif event == "start" and element.tag == f"{_TABLE}table":
            is_hidden = element.get(f"{_TABLE}style-name", "") in hidden_styles
            name = element.get(f"{_TABLE}name", "")
            states[name] = "hidden" if is_hidden else "visible"
        elif event == "end" and element.tag == f"{_TABLE}table-row":
            element.clear()
    return states


def _lines(file: Path, name: str, table: Table) -> Iterator[Line]:
    sheet: _Sheet | None = None
    hidden_rows = 0
    for event, element in _events(file, "start", "end"):
        if event == "start" and element.tag == f"{_TABLE}table":
            found = element.get(f"{_TABLE}name", "")
            sheet = _Sheet(found) if found == name else None
        elif event == "end" and element.tag == f"{_TABLE}table" and sheet:
            break
        elif event == "end" and element.tag == f"{_TABLE}table-column" and sheet:
            _note_column(element, sheet)
        elif event == "end" and element.tag == f"{_TABLE}table-row":
            if sheet is not None:
                hidden_rows += _is_hidden(element) * _repeated(element, "rows")
                yield from _row(element, sheet)
            element.clear()
    if sheet is not None and sheet.hidden_columns:
        table.dropped[f"{len(sheet.hidden_columns):,} hidden columns"] = None
    if hidden_rows:
        table.dropped[f"{hidden_rows:,} hidden rows"] = None


def _row(element: Any, sheet: _Sheet) -> Iterator[Line]:
    first = sheet.row + 1
    times = _repeated(element, "rows")
    sheet.row += times
    cells = _cells(element, sheet, first)
    if _is_hidden(element):
        return
    visible = tuple(
        cell for at, cell in enumerate(cells) if at not in sheet.hidden_columns
    )
    for number in range(first, first + (times if any(cells) else 1)):
        yield Line(number, visible)


def _cells(element: Any, sheet: _Sheet, row: int) -> list[str]:
    cells: list[str] = []
    for cell in element:
        if cell.tag not in _CELLS or len(cells) >= MOST_COLUMNS:
            continue
        text = _text_of(cell)
        _note_span(cell, sheet, row, len(cells), text)
        if cell.tag == _CELLS[1] and not text:
            text = _covering(sheet, row, len(cells))
        cells += [text] * min(_repeated(cell, "columns"), MOST_COLUMNS - len(cells))
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _note_span(cell: Any, sheet: _Sheet, row: int, at: int, text: str) -> None:
    right = int(cell.get(f"{_TABLE}number-columns-spanned", 1))
    down = int(cell.get(f"{_TABLE}number-rows-spanned", 1))
    if right > 1 or down > 1:
        sheet.spans = [span for span in sheet.spans if span[1] > row]
        sheet.spans.append((row, row + down, at, at + right, text))


def _covering(sheet: _Sheet, row: int, at: int) -> str:
    """What the cell reads that covers this one."""
    for top, bottom, left, right, text in sheet.spans:
        if top <= row < bottom and left <= at < right:
            return text
    return ""


def _text_of(cell: Any) -> str:
    kind = cell.get(f"{_OFFICE}value-type", "")
    if kind == "float":
        number = float(cell.get(f"{_OFFICE}value", "nan"))
        return str(int(number)) if number.is_integer() else str(number)
    if kind == "date":
        return str(cell.get(f"{_OFFICE}date-value", "")).removesuffix("T00:00:00")
    paragraphs = cell.findall(f"{_TEXT}p")
    return "\n".join("".join(one.itertext()) for one in paragraphs).strip()


def _note_column(element: Any, sheet: _Sheet) -> None:
    times = _repeated(element, "columns")
    if _is_hidden(element):
        last = min(sheet.column + times, MOST_COLUMNS)
        sheet.hidden_columns.update(range(sheet.column, last))
    sheet.column += times


def _is_hidden(element: Any) -> bool:
    return element.get(f"{_TABLE}visibility", "visible") in ("collapse", "filter")


def _repeated(element: Any, what: str) -> int:
    times = int(element.get(f"{_TABLE}number-{what}-repeated", 1))
    return (
        times
        if what == "rows" and times <= _MOST_REPEATED
        else min(times, _MOST_REPEATED)
    )
