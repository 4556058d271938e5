# SPDX-License-Identifier: Apache-2.0
"""Workbooks of Excel (ECMA-376): the visible sheet, its visible rows and columns."""

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse
from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries

from undisclosed.send.tables.cells import text_of
from undisclosed.send.tables.table import MOST_COLUMNS, Line, Table, TableUnreadable

_NAMESPACE = re.compile(r"^\{[^}]*\}")
_DAMAGED = "The workbook is damaged, or has a password."
_TRUE = ("1", "true")


@dataclass(slots=True)
class _Unseen:
    """What of a sheet nobody sees, and which cells are one."""

    rows: set[int] = field(default_factory=set)
    columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)


def open_table(file: Path, sheet: str = "") -> Table:
    """The table of one visible sheet. Raises TableUnreadable."""
    table = Table(lambda: _lines(file, name, unseen))
    book = _opened(file)
    try:
        states = {one.title: getattr(one, "sheet_state", "visible") for one in book}
    finally:
        book.close()
    name = chosen(states, sheet, table)
    unseen = _unseen(file, list(states).index(name))
    if unseen.rows:
        table.dropped[f"{len(unseen.rows):,} hidden rows"] = None
    if unseen.columns:
        table.dropped[f"{len(unseen.columns):,} hidden columns"] = None
    return table


def chosen(states: dict[str, str], wanted: str, table: Table) -> str:
    """The sheet that is meant. Raises TableUnreadable where that cannot be told."""
    visible = [name for name, state in states.items() if state == "visible"]
    hidden = len(states) - len(visible)
    if hidden:
        table.dropped[f"{hidden:,} hidden sheets"] = None
    if wanted:
        if wanted not in visible:
            raise TableUnreadable("There is no visible sheet of this name.")
        return wanted
    if not visible:
        raise TableUnreadable("The workbook has no visible sheet.")
    if len(visible) > 1:
        table.notes[f"The first of {len(visible):,} sheets was read."] = None
    return visible[0]


def _opened(file: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # By its bytes: by a path the library would ask what the file is called.
            content = BytesIO(file.read_bytes())
            return load_workbook(content, read_only=True, data_only=True)
    except Exception:
        # The library raises whatever breaks first in it.
        raise TableUnreadable(_DAMAGED) from None


def _lines(file: Path, name: str, unseen: _Unseen) -> Iterator[Line]:
    book = _opened(file)
    try:
        sheet = book[name]
        sheet.reset_dimensions()
        merged: dict[tuple[int, int], str] = {}
        for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
            cells = [text_of(value) for value in row[:MOST_COLUMNS]]
            _fill(cells, number, unseen.merged, merged)
            if number in unseen.rows:
                continue
            visible = (
                cell for at, cell in enumerate(cells, 1) if at not in unseen.columns
            )
            yield Line(number, tuple(visible))
    except TableUnreadable:
        raise
    except Exception:
        raise TableUnreadable(_DAMAGED) from None
    finally:
        book.close()


def _fill(
    cells: list[str],
    number: int,
    ranges: list[tuple[int, int, int, int]],
    merged: dict[tuple[int, int], str],
) -> None:
    """Every cell of a merged range reads as its first one."""
    for left, top, right, bottom in ranges:
        if not top <= number <= bottom:
            continue
        cells += [""] * (right - len(cells))
        if number == top:
            merged[left, top] = cells[left - 1] if left <= len(cells) else ""
        for column in range(left, right + 1):
            if column <= len(cells):
                cells[column - 1] = merged.get((left, top), "")


def _unseen(file: Path, index: int) -> _Unseen:
    """What the sheet's own part says of its rows, columns and merged cells."""
    unseen = _Unseen()
    try:
        with ZipFile(file) as archive, archive.open(_part(archive, index)) as part:
            for _, element in iterparse(part, events=("end",)):
                _note(element, unseen)
                if _tag(element) in ("row", "c"):
                    element.clear()
    except (ParseError, DefusedXmlException, KeyError, ValueError, OSError, IndexError):
        raise TableUnreadable(_DAMAGED) from None
    return unseen


def _note(element: Any, unseen: _Unseen) -> None:
    match _tag(element):
        case "row" if element.get("hidden") in _TRUE:
            unseen.rows.add(int(element.get("r", 0)))
        case "col" if element.get("hidden") in _TRUE:
            first, last = int(element.get("min", 0)), int(element.get("max", 0))
            unseen.columns.update(range(first, min(last, MOST_COLUMNS) + 1))
        case "mergeCell":
            left, top, right, bottom = range_boundaries(element.get("ref", ""))
            if None not in (left, top, right, bottom):
                unseen.merged.append((left, top, right, bottom))


def _part(archive: ZipFile, index: int) -> str:
    """The name of the part that holds the sheet at this place of the workbook."""
    with archive.open("xl/workbook.xml") as part:
        sheets = [one for _, one in iterparse(part) if _tag(one) == "sheet"]
    wanted = next(v for k, v in sheets[index].items() if _NAMESPACE.sub("", k) == "id")
    with archive.open("xl/_rels/workbook.xml.rels") as part:
        for _, one in iterparse(part):
            if one.get("Id") == wanted:
                target = str(one.get("Target")).lstrip("/")
                return target if target.startswith("xl/") else f"xl/{target}"
    raise KeyError(wanted)


def _tag(element: Any) -> str:
    return _NAMESPACE.sub("", str(element.tag))
