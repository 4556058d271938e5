# SPDX-License-Identifier: Apache-2.0
"""Delimited text (RFC 4180 and what spreadsheets make of it), in any usual charset."""

import codecs
import csv
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from undisclosed.send.tables.table import (
    LONGEST_CELL,
    MOST_COLUMNS,
    Line,
    Table,
    TableUnreadable,
)

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_LOOKED_AT = 50
_CHUNK = 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def open_table(file: Path) -> Table:
    """The table in a text file. Raises TableUnreadable."""
    charset, note = _charset(file)
    delimiter, skip = _delimiter(file, charset)
    table = Table(lambda: _lines(file, charset, delimiter, skip))
    if note:
        table.notes[note] = None
    if delimiter != ",":
        table.notes[f"Its columns are parted by {_NAMES[delimiter]}."] = None
    return table


def _lines(file: Path, charset: str, delimiter: str, skip: int) -> Iterator[Line]:
    with file.open(encoding=charset, newline="") as text:
        for _ in range(skip):
            text.readline()
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        before = 0
        try:
            for cells in reader:
                number, before = before + 1 + skip, reader.line_num
                yield Line(number, tuple([cell.strip() for cell in cells]))
                if len(cells) > MOST_COLUMNS:
                    raise TableUnreadable(f"Line {number:,} has too many columns.")
        except csv.Error:
            sentence = f"Line {before + 1 + skip:,} has a quote too many, or too few."
            raise TableUnreadable(sentence) from None


def _charset(file: Path) -> tuple[str, str]:
    """The charset, and a note where it was not said nor certain."""
    with file.open("rb") as opened:
        beginning = opened.read(4096)
    for mark, charset in _BOMS:
        if beginning.startswith(mark):
            return charset, ""
    if beginning.count(b"\0") > len(beginning) // 4:
        charset = "utf-16-le" if beginning[1::2].count(0) else "utf-16-be"
        return charset, "It was read as UTF-16."
    for charset in ("utf-8", "cp1252"):
        if _decodes(file, charset):
            note = "" if charset == "utf-8" else "It was read as Windows-1252."
            return charset, note
    if b"\0" in beginning:
        raise TableUnreadable("This is no text.")
    return "latin-1", "It was read as Latin-1."


def _decodes(file: Path, charset: str) -> bool:
    decoder = codecs.getincrementaldecoder(charset)()
    with file.open("rb") as opened:
        try:
            while chunk := opened.read(_CHUNK):
                if b"\0" in chunk:
                    return False
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _delimiter(file: Path, charset: str) -> tuple[str, int]:
    """The delimiter, and how many lines before the table only say it (``sep=;``)."""
    csv.field_size_limit(LONGEST_CELL)
    try:
        with file.open(encoding=charset, newline="") as text:
            first = text.readline(200).strip()
            if first.lower().startswith("sep=") and first[4:5] in DELIMITERS:
                return first[4:5], 1
        return max(DELIMITERS, key=lambda one: _fitness(file, charset, one)), 0
    except UnicodeError:
        raise TableUnreadable("This is no text.") from None


def _fitness(file: Path, charset: str, delimiter: str) -> tuple[int, int]:
    """How many of the first rows have the usual number of columns, if over one."""
    with file.open(encoding=charset, newline="") as text:
        reader = csv.reader(text, delimiter=delimiter)
        try:
            widths = [len(_cut(row)) for row in islice(reader, _LOOKED_AT) if any(row)]
        except csv.Error:
            return 0, 0
    counted = Counter(width for width in widths if width > 1)
    if not counted:
        return 0, 0
    width, times = max(counted.items(), key=lambda one: (one[1], one[0]))
    return times, width


def _cut(row: list[str]) -> list[str]:
    """A row without the empty cells at its end."""
    while row and not row[-1].strip():
        row = row[:-1]
    return row
