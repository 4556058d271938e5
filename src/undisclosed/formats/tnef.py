# SPDX-License-Identifier: Apache-2.0
"""TNEF (MS-OXTNEF): ``winmail.dat``, in which Outlook keeps what MIME cannot say.

It holds tables of recipients, and messages within messages. Every length is checked
against the bytes that are there, depth and number of values are bounded, and a fault
ends the reading there: what stands before it is given, with ``is_cut``.
"""

import struct
from dataclasses import dataclass, field

from undisclosed.formats.mapi import (
    ATTACH_DATA,
    ATTACH_FILE_NAME,
    ATTACH_LONG_FILE_NAME,
    BINARY,
    BODY,
    MESSAGE_CLASS,
    MESSAGE_RECIPIENTS,
    MULTIPLE,
    OBJECT,
    OF_ATTACHMENT,
    STRING8,
    SUBJECT,
    UNICODE,
    Attachment,
    MapiMessage,
    Properties,
    Value,
    code_page_name,
    first_text,
)

SIGNATURE = 0x223E9F78
MOST_VALUES = 200_000
"""Values of a stream that are read: ten thousand recipients have twenty each."""
DEEPEST = 8

_FIXED = {
    0x0001: 0, 0x0002: 4, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0006: 8, 0x0007: 8,
    0x000A: 4, 0x000B: 4, 0x0014: 8, 0x0040: 8, 0x0048: 16,
}  # fmt: skip
"""Bytes of the values of fixed size, by type, as TNEF pads them (§2.1.3.4)."""

_NAMED = 0x8000
_SIXTEEN_BIT_NUMBERS = (0x0002, 0x000B)
_AS_TEXT = {
    0x8000: 0x0C1F,  # attFrom
    0x8004: SUBJECT,  # attSubject
    0x8008: MESSAGE_CLASS,  # attMessageClass, attOriginalMessageClass
    0x0006: MESSAGE_CLASS,
    0x800C: BODY,  # attBody
    0x0000: 0x0042,  # attOwner
    0x0001: 0x0075,  # attSentFor
    0x0002: 0x0040,  # attDelegate
}
_HEAD = struct.Struct("<BHHI")


class _Cut(Exception):
    """The stream ends, or contradicts itself, before a value does."""


@dataclass(slots=True)
class _Budget:
    values: int = MOST_VALUES

    def take(self, number: int = 1) -> None:
        self.values -= number
        if self.values < 0:
            raise _Cut


@dataclass(slots=True)
class _Bytes:
    """Bytes read from their beginning, never beyond their end."""

    data: bytes
    at: int
    end: int

    def take(self, size: int) -> bytes:
        if size < 0 or self.at + size > self.end:
            raise _Cut
        piece = self.data[self.at : self.at + size]
        self.at += size
        return piece

    def number(self, size: int = 4) -> int:
        return int.from_bytes(self.take(size), "little")

    def padded(self, size: int) -> bytes:
        piece = self.take(size)
        self.at = min(self.at + (-size) % 4, self.end)
        return piece

    @property
    def is_over(self) -> bool:
        return self.at >= self.end


@dataclass(slots=True)
class _Stream:
    """What was read of a stream by now."""

    budget: _Budget
    depth: int
    charset: str = "latin-1"
    properties: Properties = field(default_factory=dict)
    recipients: list[Properties] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    title: str = ""
    is_cut: bool = False

    def message(self) -> MapiMessage:
        return MapiMessage(
            self.properties,
            tuple(self.recipients),
            tuple(self.attachments),
            self.is_cut,
        )


def read_tnef(content: bytes) -> MapiMessage:
    """Read a TNEF stream. Never raises; ``is_cut`` where something was not read."""
    return _read(content, _Budget(), 0)


def _read(content: bytes, budget: _Budget, depth: int) -> MapiMessage:
    stream = _Stream(budget, depth)
    source = _Bytes(content, 0, len(content))
    try:
        if source.number() != SIGNATURE or depth > DEEPEST:
            raise _Cut
        source.take(2)  # the key that attachments of old went by
        while not source.is_over:
            _attribute(source, stream)
    except _Cut:
        # Some programs leave padding or a line end behind the last attribute.
        stream.is_cut = bool(content[source.at :].strip(b"\0\r\n "))
        stream.is_cut |= not stream.properties and not stream.attachments
    return stream.message()


def _attribute(source: _Bytes, stream: _Stream) -> None:
    start = source.at
    if source.at + _HEAD.size > source.end:
        raise _Cut
    level, number, _, length = _HEAD.unpack_from(source.data, source.at)
    if level not in (1, 2) or start + _HEAD.size + length > source.end:
        raise _Cut
    source.at += _HEAD.size
    body = _Bytes(source.data, source.at, source.at + length)
    stream.budget.take()
    try:
        _read_attribute(number, body, stream)
    except _Cut:
        stream.is_cut = True
    source.at = min(body.end + 2, source.end)  # and a checksum


def _read_attribute(number: int, body: _Bytes, stream: _Stream) -> None:
    match number:
        case 0x9007:  # attOemCodepage
            stream.charset = code_page_name(body.number())
        case 0x9003:  # attMsgProps
            _merge(stream.properties, _properties(body, stream), stream)
        case 0x9004:  # attRecipTable
            stream.recipients += _rows(body, stream)
        case 0x9002:  # attAttachRenddata
            stream.title = ""
        case 0x8010:  # attAttachTitle
            stream.title = _text(body.take(body.end - body.at), stream.charset)
        case 0x800F:  # attAttachData
            content = body.take(body.end - body.at)
            stream.attachments.append(Attachment(stream.title, content))
        case 0x9005:  # attAttachment
            _attachment(_properties(body, stream), stream)
        case _ if number in _AS_TEXT:
            value = body.take(body.end - body.at)
            text = _text(value, stream.charset)
            stream.properties.setdefault(_AS_TEXT[number], []).append(text)
        case _:
            pass


def _merge(into: Properties, more: Properties, stream: _Stream) -> None:
    for number, values in more.items():
        if number == MESSAGE_RECIPIENTS:
            for value in values:
                if isinstance(value, bytes):
                    table = _Bytes(value, 0, len(value))
                    stream.recipients += _rows(table, stream)
        into.setdefault(number, []).extend(values)


def _attachment(properties: Properties, stream: _Stream) -> None:
    name = first_text(properties, ATTACH_LONG_FILE_NAME)
    name = name or first_text(properties, ATTACH_FILE_NAME) or stream.title
    for value in properties.get(ATTACH_DATA, ()):
        if not isinstance(value, bytes):
            continue
        # An object begins with the identifier of its interface (16 bytes).
        inner = value[16:] if value[16:20] == SIGNATURE.to_bytes(4, "little") else b""
        if inner:
            message = _read(inner, stream.budget, stream.depth + 1)
            stream.is_cut |= message.is_cut
            stream.attachments.append(Attachment(name, message=message))
        else:
            stream.attachments.append(Attachment(name, value))
    for number, values in properties.items():
        texts = [one for one in values if isinstance(one, str)]
        stream.properties.setdefault(number | OF_ATTACHMENT, []).extend(texts)


def _rows(body: _Bytes, stream: _Stream) -> list[Properties]:
    """A table: the number of its rows, then the properties of each (§2.1.3.5.1)."""
    rows: list[Properties] = []
    number = body.number()
    for _ in range(number):
        stream.budget.take()
        rows.append({})
        _fill(rows[-1], body, stream)
    return rows


def _properties(body: _Bytes, stream: _Stream) -> Properties:
    properties: Properties = {}
    try:
        _fill(properties, body, stream)
    except _Cut:
        stream.is_cut = True
    return properties


def _fill(properties: Properties, body: _Bytes, stream: _Stream) -> None:
    for _ in range(body.number()):
        stream.budget.take()
        kind, number = body.number(2), body.number(2)
        if number >= _NAMED:
            _skip_name(body)
        values = properties.setdefault(number, [])
        values += _values(kind, body, stream)


def _skip_name(body: _Bytes) -> None:
    body.take(16)
    if body.number() == 0:
        body.take(4)
    else:
        body.padded(body.number())


def _values(kind: int, body: _Bytes, stream: _Stream) -> list[Value]:
    base = kind & ~MULTIPLE
    if base in _FIXED:
        return _fixed_values(kind, body, stream)
    if base not in (STRING8, UNICODE, BINARY, OBJECT):
        raise _Cut
    values: list[Value] = []
    for _ in range(body.number()):
        stream.budget.take()
        value = body.padded(body.number())
        if base == UNICODE:
            values.append(_text(value, "utf-16-le"))
        elif base == STRING8:
            values.append(_text(value, stream.charset))
        else:
            values.append(value)
    return values


def _fixed_values(kind: int, body: _Bytes, stream: _Stream) -> list[Value]:
    base = kind & ~MULTIPLE
    size = _FIXED[base]
    number = body.number() if kind & MULTIPLE else 1
    stream.budget.take(number)
    values: list[Value] = []
    for _ in range(number):
        value = body.take(size)
        if base in _SIXTEEN_BIT_NUMBERS:
            value = value[:2]
        if size <= 8:
            values.append(int.from_bytes(value, "little"))
    return values


def _text(value: bytes, charset: str) -> str:
    return value.decode(charset, "replace").rstrip("\0")
