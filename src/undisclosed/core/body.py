# SPDX-License-Identifier: Apache-2.0
"""The body of a message: whom its texts show, and whom its attached messages.

A text without an at sign costs a search for one; blocks that hold one are decoded.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.charsets import decode
from undisclosed.core.encoded_words import field_text
from undisclosed.core.header import Cut, HeaderBlock
from undisclosed.core.mime import Kind, Limits, TextPart, parts_of
from undisclosed.core.notes import Channels, Notes
from undisclosed.core.part_text import is_read_whole, texts_with_at_sign
from undisclosed.core.recall import TNEF_TYPES, has_recall_class
from undisclosed.core.shown import (
    attached_messages,
    body_text,
    html_body,
    name_and_channel,
    quoted_headers,
)
from undisclosed.core.text import (
    addresses_in_text,
    html_visible_text,
    number_of_at_signs,
)
from undisclosed.core.transfer_encodings import stream

LONGEST_VISIBLE_TEXT = 65_536
"""Characters of the body that ``visible_text`` gives."""

LONGEST_TNEF = 1024 * 1024
"""Bytes of a TNEF stream in which the class of a recall is looked for."""

_People = tuple[list[Address], list[Address]]
_NEVER_HTML = frozenset({"", "text/plain", "text/csv", "application/json"})
_BEGINNING_OF_HTML = re.compile(
    r"[\s\ufeff]*<(?:!doctype|!--|html|head|body|meta|style|div|table|p|span|font)\b",
    re.IGNORECASE,
)
_END_OF_FLOWED_LINE = re.compile(r" \r?\n(?:>+ ?)?")
_FILE_NAMES = "names of attachments"
_LONG_HEADER = "The header of one of its parts is longer than is read."
_LONG_TEXT = "A text in it is longer than is read of its charset."
_TOO_MANY_PARTS = "It has more parts, or parts nested deeper, than are read."


@dataclass(frozen=True, slots=True)
class Body:
    """What the body shows, and what of it could not be read."""

    in_text: Channels = field(repr=False)
    in_forwarded: Channels = field(repr=False)
    text_parts: tuple[TextPart, ...] = field(repr=False)
    unread_parts: tuple[str, ...]
    uncertain: tuple[str, ...]
    recall: bool


def read_body(content: bytes, header: HeaderBlock, notes: Notes) -> Body:
    """Read every part of the body. Never raises."""
    doubts = Notes(notes.most, notes.own_side, noted=notes.noted)
    in_text: Channels = {}
    in_forwarded: Channels = {}
    text_parts: list[TextPart] = []
    unread: dict[str, None] = {}
    limits = Limits()
    recall = False
    for part in parts_of(content, header, limits):
        match part.kind:
            case Kind.TEXT | Kind.HTML:
                _read_text(part, in_text, in_forwarded, doubts)
                if part.media_type and not part.is_attached and not part.nesting:
                    text_parts.append(part)
            case Kind.MESSAGE:
                _read_attached_header(part, in_forwarded, doubts)
            case Kind.REPORT:
                _read_report(part, in_forwarded, doubts)
            case Kind.NAMES:
                _read_names(part, in_text, doubts)
            case Kind.UNREAD:
                unread[part.media_type] = None
                if part.media_type in TNEF_TYPES:
                    recall = recall or has_recall_class(_beginning(part))
    if limits.exceeded:
        doubts.doubt(_TOO_MANY_PARTS)
    notes.noted = doubts.noted
    return Body(
        in_text,
        in_forwarded,
        tuple(text_parts),
        tuple(unread),
        tuple(doubts.uncertain),
        recall,
    )


def _read_text(
    part: TextPart, in_text: Channels, in_forwarded: Channels, notes: Notes
) -> None:
    is_html = part.kind is Kind.HTML
    channel = html_body.CHANNEL if is_html else body_text.CHANNEL
    if part.nesting:
        channel = attached_messages.PREFIX + channel
    elif part.is_attached:
        channel = body_text.ATTACHED
    if not is_read_whole(part):
        notes.doubt(_LONG_TEXT)
    for text in texts_with_at_sign(part):
        if notes.is_too_much(number_of_at_signs(text)):
            return
        for found, quoted in _readings(part, text):
            notes.note(in_text, found, channel)
            notes.note(in_forwarded, quoted, quoted_headers.CHANNEL)
            if notes.is_full:
                notes.stop()
                return


def _readings(part: TextPart, text: str) -> Iterator[_People]:
    """Who is read in a text, in each way in which readers would show it."""
    if part.kind is Kind.HTML:
        yield html_body.read_html_body(text)
        return
    yield body_text.read_body_text(text)
    if part.joins_lines:
        yield body_text.read_body_text(_END_OF_FLOWED_LINE.sub("", text))
    if "<" in text and (
        part.media_type not in _NEVER_HTML or _BEGINNING_OF_HTML.match(text)
    ):
        yield html_body.read_html_body(text)


def _read_attached_header(part: TextPart, shown: Channels, notes: Notes) -> None:
    for raw_name, body, _, _ in _cuts_of(part, notes):
        channel = name_and_channel(raw_name)[1]
        if channel is None:
            continue
        if b"@" in body or b"=?" in body or not body.isascii():
            found = channel.read(notes.within_limit(field_text(body)))
            notes.note(shown, found, attached_messages.PREFIX + channel.label)


def _read_report(part: TextPart, shown: Channels, notes: Notes) -> None:
    for text in texts_with_at_sign(part):
        if notes.is_too_much(number_of_at_signs(text)):
            return
        for channel, found in attached_messages.read_report(text):
            notes.note(shown, found, channel)


def _read_names(part: TextPart, shown: Channels, notes: Notes) -> None:
    """Read the fields of a part: file names and descriptions are seen by readers."""
    for raw_name, body, _, _ in _cuts_of(part, notes):
        channel = name_and_channel(raw_name)[1]
        if channel is not None:
            found = channel.read(notes.within_limit(field_text(body)))
            notes.note(shown, found, _FILE_NAMES if raw_name else body_text.CHANNEL)
        elif not raw_name:
            text = notes.within_limit(field_text(body))
            notes.note(shown, addresses_in_text(text), body_text.CHANNEL)


def _cuts_of(part: TextPart, notes: Notes) -> tuple[Cut, ...]:
    if part.header is None:
        return ()
    if part.header.is_cut:
        notes.doubt(_LONG_HEADER)
    return part.header.cuts


def _beginning(part: TextPart) -> bytes:
    pieces: list[bytes] = []
    size = 0
    for block in stream(part.source, part.start, part.end, part.encoding):
        pieces.append(block)
        size += len(block)
        if size >= LONGEST_TNEF:
            break
    return b"".join(pieces)


def visible_text(parts: tuple[TextPart, ...]) -> str:
    """What a reader would see of these parts: plain text, else HTML without tags."""
    for kind, as_seen in ((Kind.TEXT, str), (Kind.HTML, html_visible_text)):
        pieces: list[str] = []
        size = 0
        for part in parts:
            if part.kind is not kind or size >= LONGEST_VISIBLE_TEXT:
                continue
            text = as_seen(_first_text(part))
            pieces.append(text)
            size += len(text)
        visible = "\n".join(pieces)[:LONGEST_VISIBLE_TEXT]
        if visible.strip():
            return visible
    return ""


def _first_text(part: TextPart) -> str:
    pieces: list[bytes] = []
    size = 0
    for block in stream(part.source, part.start, part.end, part.encoding):
        pieces.append(block)
        size += len(block)
        if size >= 4 * LONGEST_VISIBLE_TEXT:
            break
    return decode(b"".join(pieces), part.charset)
