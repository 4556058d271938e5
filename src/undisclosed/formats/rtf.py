# SPDX-License-Identifier: Apache-2.0
"""RTF as text (Rich Text Format 1.9.1), and Outlook's compressed form (MS-OXRTFCP).

Every destination's text is given, the visible ones and the ones that are not
(properties, fields, HTML inside): who looks into the file sees them. Pictures are
passed over; embedded objects are given as bytes.
"""

import re
import struct
from dataclasses import dataclass, field

from undisclosed.formats.mapi import code_page_name

COMPRESSED = 0x75465A4C
UNCOMPRESSED = 0x414C454D
_PRELOAD = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern "
    rb"\fscript \fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0"
    rb"\green0\blue0" + b"\r\n" + rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the window holds at the beginning (MS-OXRTFCP §2.1.3.1.1)."""

_WINDOW = 4096
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])"
    rb"|([{}])|[\r\n]+|([^\\{}\r\n]+)|\\"
)
_BREAKS = frozenset(
    {"par", "line", "tab", "cell", "row", "sect", "page", "column", "nestcell"}
)
_SIGNS = {"emdash": "–", "endash": "–", "lquote": "'", "rquote": "'"}
_UNREAD = frozenset({"pict", "fonttbl", "colortbl", "stylesheet", "listtable"})
_MOST_GROUPS = 10_000


@dataclass(frozen=True, slots=True)
class Rtf:
    """``text`` of a document, the bytes of its ``objects``."""

    text: str = field(repr=False)
    objects: tuple[bytes, ...] = field(default=(), repr=False)


def decompress(content: bytes) -> bytes:
    """RTF out of its compressed form; what can be read of it where it is broken."""
    if len(content) < 16:
        return b""
    size, raw_size, kind, _ = struct.unpack_from("<IIII", content)
    end = min(len(content), size + 4)
    if kind == UNCOMPRESSED:
        return content[16 : 16 + raw_size]
    if kind != COMPRESSED:
        return b""
    window = bytearray(_PRELOAD) + bytearray(_WINDOW - len(_PRELOAD))
    return _inflated(content, end, window, len(_PRELOAD))


def _inflated(content: bytes, end: int, window: bytearray, write: int) -> bytes:
    out = bytearray()
    at = 16
    while at < end:
        flags = content[at]
        at += 1
        for bit in range(8):
            if at >= end:
                return bytes(out)
            if not flags >> bit & 1:
                piece = content[at : at + 1]
                at += 1
            else:
                offset, length = _reference(content[at : at + 2])
                at += 2
                if offset == write:
                    return bytes(out)
                piece = _copied(window, offset, length, write)
            out += piece
            for byte in piece:
                window[write] = byte
                write = (write + 1) % _WINDOW
    return bytes(out)


def _reference(pair: bytes) -> tuple[int, int]:
    """Where in the window, and how many bytes: 12 bits and 4, big end first."""
    number = int.from_bytes(pair, "big")
    return number >> 4, (number & 15) + 2


def _copied(window: bytearray, offset: int, length: int, write: int) -> bytes:
    """Bytes of the window; those that are being written now may be among them."""
    piece = bytearray()
    for step in range(length):
        place = (offset + step) % _WINDOW
        behind = (place - write) % _WINDOW
        piece.append(piece[behind] if behind < len(piece) else window[place])
    return bytes(piece)


@dataclass(slots=True)
class _Group:
    is_unread: bool = False
    is_object: bool = False
    fallback: int = 1


@dataclass(slots=True)
class _Reading:
    """What was read by now."""

    charset: str = "cp1252"
    pieces: list[str] = field(default_factory=list)
    pending: bytearray = field(default_factory=bytearray)
    hexadecimal: bytearray = field(default_factory=bytearray)
    objects: list[bytes] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=lambda: [_Group()])
    skip: int = 0

    def flush(self) -> None:
        if self.pending:
            self.pieces.append(self.pending.decode(self.charset, "replace"))
            self.pending.clear()

    def add(self, text: str) -> None:
        self.flush()
        self.pieces.append(text)


def read_rtf(content: bytes) -> Rtf:
    """Read RTF. Never raises, whatever the bytes are."""
    reading = _Reading()
    at = 0
    while match := _TOKEN.match(content, at):
        at = match.end()
        word, number, code, sign, brace, text = match.groups()
        if word:
            at = _word(reading, word.decode(), number, content, at)
        elif code:
            _add_bytes(reading, bytes.fromhex(code.decode()))
        elif sign:
            _sign(reading, sign)
        elif brace:
            _brace(reading, brace)
        elif text:
            _add_bytes(reading, text)
    _end_object(reading)
    reading.flush()
    return Rtf("".join(reading.pieces), tuple(reading.objects))


def _word(
    reading: _Reading, word: str, number: bytes | None, content: bytes, at: int
) -> int:
    group = reading.groups[-1]
    if word == "u" and number is not None:
        if not group.is_unread:
            reading.add(chr(int(number) & 0xFFFF))
        reading.skip = group.fallback
    elif word == "uc" and number is not None:
        group.fallback = max(0, min(int(number), 8))
    elif word == "ansicpg" and number is not None:
        reading.charset = code_page_name(int(number))
    elif word == "bin" and number is not None:
        return _binary(reading, max(0, int(number)), content, at)
    elif word == "objdata":
        group.is_object = True
    elif word in _UNREAD:
        group.is_unread = True
    elif word in _BREAKS:
        reading.add("\n")
    elif word in _SIGNS:
        reading.add(_SIGNS[word])
    return at


def _binary(reading: _Reading, size: int, content: bytes, at: int) -> int:
    if reading.groups[-1].is_object:
        reading.objects.append(content[at : at + size])
    return at + size


def _sign(reading: _Reading, sign: bytes) -> None:
    if sign in b"\\{}":
        _add_bytes(reading, sign)
    elif sign == b"~":
        reading.add(" ")
    elif sign in b"\r\n":
        reading.add("\n")


def _brace(reading: _Reading, brace: bytes) -> None:
    reading.skip = 0
    if brace == b"{":
        if len(reading.groups) < _MOST_GROUPS:
            outer = reading.groups[-1]
            reading.groups.append(
                _Group(outer.is_unread, outer.is_object, outer.fallback)
            )
        return
    if reading.groups[-1].is_object:
        _end_object(reading)
    if len(reading.groups) > 1:
        reading.groups.pop()


def _end_object(reading: _Reading) -> None:
    if reading.hexadecimal:
        digits = bytes(reading.hexadecimal)
        reading.objects.append(bytes.fromhex(digits[: len(digits) & ~1].decode()))
        reading.hexadecimal.clear()


def _add_bytes(reading: _Reading, text: bytes) -> None:
    group = reading.groups[-1]
    if reading.skip:
        dropped = min(reading.skip, len(text))
        reading.skip -= dropped
        text = text[dropped:]
    if group.is_object:
        reading.hexadecimal += re.sub(rb"[^0-9a-fA-F]", b"", text)
    elif not group.is_unread:
        reading.pending += text
