# SPDX-License-Identifier: Apache-2.0
"""XLSB: a workbook of binary parts (MS-XLSB), cell by cell; other parts are swept."""

import re
import struct
from collections.abc import Iterator

from undisclosed.transport.reading.found import BROKEN, Findings
from undisclosed.transport.reading.readers.grid import Grid
from undisclosed.transport.reading.readers.markup import show_markup
from undisclosed.transport.reading.readers.package import Package
from undisclosed.transport.reading.readers.sweep import sweep, texts_in
from undisclosed.transport.reading.readers.xlsx import (
    LEFT_OVER,
    channel_of,
    is_markup,
    sheet_targets,
)

_SHEET = re.compile(r"(?i)/(?:work|dialog|macro)sheets/[^/]*\.bin\Z")


def records(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each record (MS-XLSB §2.1.4)."""
    at = 0
    while at < len(content):
        number, at = _variable(content, at, 2)
        size, at = _variable(content, at, 4)
        yield number, content[at : at + size]
        at += size


def _variable(content: bytes, at: int, most: int) -> tuple[int, int]:
    """A number of seven bits a byte; of a record's number both bytes count whole."""
    value = 0
    for step in range(most):
        byte = content[at] if at < len(content) else 0
        at += 1
        value |= (byte & 0x7F) << 7 * step
        if not byte & 0x80:
            break
    return value, at


def read_xlsb(package: Package) -> None:
    """Read a workbook of binary parts."""
    findings = package.findings
    hidden = _hidden(package)
    strings = _strings(package.file("xl/sharedStrings.bin"))
    shown: set[int] = set()
    for name, content in package.files():
        place = name.lower()
        if _SHEET.search(place):
            grid = Grid(findings, place in hidden)
            _show_sheet(content, grid, strings, shown)
        elif place != "xl/sharedstrings.bin":
            _show_part(name, content, findings)
    for number, text in enumerate(strings):
        if number not in shown:
            findings.show(LEFT_OVER, text)


def _show_sheet(
    content: bytes, grid: Grid, strings: list[str], shown: set[int]
) -> None:
    try:
        _read_sheet(content, grid, strings, shown)
    except struct.error:
        grid.findings.doubt(BROKEN)
    for text in texts_in(content):
        if text not in grid.shown:
            grid.findings.show(grid.everywhere, text)


def _show_part(name: str, content: bytes, findings: Findings) -> None:
    place = name.lower()
    if is_markup(place, content):
        show_markup(content, findings, channel_of(place))
    elif place.endswith(".bin") and not place.endswith("vbaproject.bin"):
        sweep(content, findings, channel_of(place))
    else:
        findings.open(channel_of(place), name, content)


def _hidden(package: Package) -> frozenset[str]:
    """The files of the sheets that are hidden (BrtBundleSh, §2.4.311)."""
    targets = sheet_targets(package, "xl/_rels/workbook.bin.rels")
    hidden = set()
    for number, data in records(package.file("xl/workbook.bin")):
        if number == 156 and len(data) > 12 and int.from_bytes(data[:4], "little"):
            hidden.add(targets.get(_text(data, 8), ""))
    return frozenset(hidden)


def _strings(content: bytes) -> list[str]:
    """The string table: BrtSSTItem (§2.4.822)."""
    return [_text(data, 1) for number, data in records(content) if number == 19]


def _read_sheet(
    content: bytes, grid: Grid, strings: list[str], shown: set[int]
) -> None:
    row = 0
    for number, data in records(content):
        match number:
            case 0:  # BrtRowHdr
                row = int.from_bytes(data[:4], "little")
                if len(data) > 11 and data[11] & 0x10:
                    grid.hidden_rows.add(row)
            case 60:  # BrtColInfo
                first, last, _, _, flags = struct.unpack_from("<IIIIH", data)
                if flags & 1:
                    grid.hidden_columns.append((first, last))
            case 7:  # BrtCellIsst
                column, _, place = struct.unpack_from("<III", data)
                if place < len(strings):
                    shown.add(place)
                    grid.show(row, column, strings[place])
            case 6 | 8:  # BrtCellSt, BrtFmlaString
                column = int.from_bytes(data[:4], "little")
                grid.show(row, column, _text(data, 8))
            case _:
                pass


def _text(data: bytes, at: int) -> str:
    """A string (XLWideString, §2.5.169); as much of it as is there."""
    size = int.from_bytes(data[at : at + 4], "little")
    return data[at + 4 : at + 4 + 2 * size].decode("utf-16-le", "replace")
