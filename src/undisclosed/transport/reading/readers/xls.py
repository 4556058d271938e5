# SPDX-License-Identifier: Apache-2.0
"""XLS: the records of a workbook (MS-XLS; Excel 2 to 2003), cell by cell.

Records that hold no cell (comments, names, links, headers) are swept for text.
"""

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.transport.reading.found import BROKEN, Findings, Protected
from undisclosed.transport.reading.readers.grid import Grid
from undisclosed.transport.reading.readers.sweep import sweep, texts_in
from undisclosed.transport.reading.readers.xlsx import (
    DEFINED_NAME,
    HEADER_OR_FOOTER,
    LEFT_OVER,
    LINK,
    TABLE,
    printed,
)

CONTINUE = 0x003C
_BOFS = (0x0809, 0x0409, 0x0209, 0x0009)
_BIFF8 = 0x0600
_COMMENT, _PIVOT = "attached table: comment", "attached table: pivot cache"
_CHANNELS = {
    0x001C: _COMMENT,  # Note
    0x01B6: _COMMENT,  # TxO: texts of comments and of boxes
    0x0018: DEFINED_NAME,  # Lbl
    0x0218: DEFINED_NAME,
    0x0014: HEADER_OR_FOOTER,
    0x0015: HEADER_OR_FOOTER,
    0x089C: HEADER_OR_FOOTER,  # HeaderFooter
    0x01B8: LINK,  # HLink
    0x0800: LINK,  # HLinkTooltip
    0x00CD: _PIVOT,  # SXString
}
"""Which records show what; others are the table's own."""

_FORMATS = (0x041E, 0x001E)
"""Formats of numbers: an at sign stands for text in them."""

_HIGH_BYTE, _RICH, _PHONETIC = 0x01, 0x08, 0x04


@dataclass(slots=True)
class Record:
    """A record with those that continue it: number, place, the bytes of each."""

    number: int
    at: int
    chunks: list[bytes] = field(repr=False)

    @property
    def data(self) -> bytes:
        """The record's own bytes."""
        return self.chunks[0]


def records(stream: bytes) -> Iterator[Record]:
    """The records of a stream (MS-XLS §2.1.4), each with what continues it."""
    at, record = 0, None
    while at + 4 <= len(stream):
        number, size = struct.unpack_from("<HH", stream, at)
        data = stream[at + 4 : at + 4 + size]
        if number == CONTINUE and record is not None:
            record.chunks.append(data)
        else:
            if record is not None:
                yield record
            record = Record(number, at, [data])
        at += 4 + size
    if record is not None:
        yield record


def read_xls(stream: bytes, findings: Findings) -> None:
    """Read the stream of a workbook. Raises Protected."""
    workbook = _Workbook(findings)
    for record in records(stream):
        workbook.read(record)
    for number, text in enumerate(workbook.strings):
        if "@" in text and number not in workbook.shown:
            findings.show(LEFT_OVER, text)
    if not workbook.is_begun:
        findings.doubt(BROKEN)


class _Workbook:
    """What the records said so far."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.grid = Grid(findings)
        self.strings: list[str] = []
        self.shown: set[int] = set()
        self.hidden_at: set[int] = set()
        self.is_wide = True
        self.is_begun = False
        self.cell = (0, 0)

    def read(self, record: Record) -> None:
        """Read one record. Raises Protected."""
        try:
            reads = _READS.get(record.number)
            if reads is None:
                self._sweep(record, _CHANNELS.get(record.number, TABLE))
            else:
                reads(self, record)
        except struct.error:
            self.findings.doubt(BROKEN)

    def _begin(self, record: Record) -> None:
        self.is_begun = True
        version = int.from_bytes(record.data[:2], "little")
        self.is_wide = record.number == 0x0809 and version == _BIFF8
        self.grid = Grid(self.findings, record.at in self.hidden_at)

    def _protect(self, _: Record) -> None:
        raise Protected

    def _nothing(self, _: Record) -> None:
        """A record that shows nobody."""

    def _bound(self, record: Record) -> None:
        """Where a sheet begins, and whether it is hidden or very hidden."""
        place, state = struct.unpack_from("<IB", record.data)
        if state & 3:
            self.hidden_at.add(place)

    def _table(self, record: Record) -> None:
        self.strings = shared_strings(record.chunks)

    def _row(self, record: Record) -> None:
        if struct.unpack_from("<H", record.data, 12)[0] & 0x20:
            self.grid.hidden_rows.add(struct.unpack_from("<H", record.data)[0])

    def _columns(self, record: Record) -> None:
        first, last, _, _, flags = struct.unpack_from("<HHHHH", record.data)
        if flags & 1:
            self.grid.hidden_columns.append((first, last))

    def _formula(self, record: Record) -> None:
        self.cell = struct.unpack_from("<HH", record.data)
        self._sweep(record, self.grid.channel(*self.cell))

    def _result(self, record: Record) -> None:
        self._text(record, 0)

    def _shared(self, record: Record) -> None:
        row, column, _, number = struct.unpack_from("<HHHI", record.data)
        if number < len(self.strings):
            text = self.strings[number]
            if "@" in text:
                self.shown.add(number)
            self.grid.show(row, column, text)

    def _label(self, record: Record) -> None:
        self.cell = struct.unpack_from("<HH", record.data)
        self._text(record, 7 if record.number == 0x0004 else 6)

    def _text(self, record: Record, at: int) -> None:
        # A byte or two tell the length; either way the rest holds the text.
        text = record.data[at + 1 :].decode("latin-1").lstrip("\0")
        if self.is_wide:
            reader = _Strings(record.chunks, at)
            with contextlib.suppress(struct.error):  # Some say that they are wide.
                length, flags = reader.number(2), reader.number(1)
                text = reader.characters(length, flags & _HIGH_BYTE)
        self.grid.show(*self.cell, text)

    def _sweep(self, record: Record, channel: str) -> None:
        if channel == HEADER_OR_FOOTER:
            for text in texts_in(record.data):
                self.findings.show(channel, printed(text))
            return
        sweep(b"".join(record.chunks), self.findings, channel)
        if len(record.chunks) > 1:
            # A text that goes on begins anew with a byte that says how it is written.
            rest = b"".join(chunk[1:] for chunk in record.chunks[1:])
            sweep(record.data + rest, self.findings, channel)


_READS = {
    **dict.fromkeys(_BOFS, _Workbook._begin),
    0x002F: _Workbook._protect,  # FilePass
    0x0085: _Workbook._bound,  # BoundSheet8
    0x00FC: _Workbook._table,  # SST
    0x00FD: _Workbook._shared,  # LabelSst
    **dict.fromkeys((0x0204, 0x00D6, 0x0004), _Workbook._label),  # Label, RString
    **dict.fromkeys((0x0207, 0x0007), _Workbook._result),  # String
    0x0208: _Workbook._row,
    0x007D: _Workbook._columns,  # ColInfo
    **dict.fromkeys((0x0006, 0x0206, 0x0406), _Workbook._formula),
    **dict.fromkeys(_FORMATS, _Workbook._nothing),
}
"""How each record is read; the others are swept (MS-XLS §2.3.2)."""


def shared_strings(chunks: list[bytes]) -> list[str]:
    """The strings of an SST record (MS-XLS §2.4.265), up to where it is broken."""
    reader = _Strings(chunks, 0)
    texts: list[str] = []
    try:
        reader.number(8)  # How many there are: some say none, and have them.
        while True:
            texts.append(reader.rich_text())
    except struct.error:
        pass
    return texts


class _Strings:
    """Reads strings that may go on in the next chunk (MS-XLS §2.5.293)."""

    def __init__(self, chunks: list[bytes], at: int) -> None:
        self._chunks = chunks
        self._chunk = 0
        self._at = at

    def _left(self) -> int:
        """Bytes left in this chunk, which is the next one where this one is over."""
        while self._at >= len(self._chunks[self._chunk]):
            if self._chunk + 1 >= len(self._chunks):
                raise struct.error
            self._chunk += 1
            self._at = 0
        return len(self._chunks[self._chunk]) - self._at

    def _take(self, size: int) -> bytes:
        pieces = []
        while size:
            piece = min(size, self._left())
            pieces.append(self._chunks[self._chunk][self._at : self._at + piece])
            self._at += piece
            size -= piece
        return b"".join(pieces)

    def number(self, size: int) -> int:
        """A number of so many bytes. Raises struct.error at the end."""
        return int.from_bytes(self._take(size), "little")

    def rich_text(self) -> str:
        """A string with its formatting, which is passed over."""
        length, flags = self.number(2), self.number(1)
        runs = self.number(2) if flags & _RICH else 0
        extra = self.number(4) if flags & _PHONETIC else 0
        text = self.characters(length, flags & _HIGH_BYTE)
        self._take(4 * runs)
        self._take(extra)
        return text

    def characters(self, length: int, is_wide: int) -> str:
        """So many characters; what goes on in another chunk may change its width."""
        pieces = []
        while length:
            before = self._chunk
            left = self._left()
            if self._chunk != before:
                is_wide = self.number(1) & _HIGH_BYTE
                continue  # There may be nothing else in it.
            width = 2 if is_wide else 1
            count = min(length, left // width)
            if not count:
                raise struct.error
            raw = self._take(count * width)
            pieces.append(raw.decode("utf-16-le" if is_wide else "latin-1", "replace"))
            length -= count
        return "".join(pieces)
