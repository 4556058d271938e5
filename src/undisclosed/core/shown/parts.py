# SPDX-License-Identifier: Apache-2.0
"""How each kind of part shows people: the table that the body's reading goes by.

A reader takes a part and writes down whom it shows, and through which channel.
"""

import re
from collections.abc import Callable, Iterator

from undisclosed.core.address import Address
from undisclosed.core.encoded_words import field_text
from undisclosed.core.gathered import Gathered
from undisclosed.core.header import Cut
from undisclosed.core.media_types import Kind
from undisclosed.core.mime import TextPart
from undisclosed.core.notes import Notes
from undisclosed.core.part_text import (
    bytes_of,
    is_read_whole,
    texts_of_lines,
    texts_with_at_sign,
)
from undisclosed.core.shown import (
    attached_messages,
    body_text,
    calendars,
    cards,
    encryption,
    html_body,
    name_and_channel,
    protected_fields,
    quoted_headers,
)
from undisclosed.core.text import addresses_in_text, number_of_at_signs
from undisclosed.core.transfer_encodings import BASE64
from undisclosed.formats.calendar import unfolded

LONGEST_LINES = 32 * 1024 * 1024
"""Bytes of a calendar or a vCard, encoded, that are read."""

_People = tuple[list[Address], list[Address]]
_NEVER_HTML = frozenset({"", "text/plain", "text/csv", "application/json"})
_BEGINNING_OF_HTML = re.compile(
    r"[\s\ufeff]*<(?:!doctype|!--|html|head|body|meta|style|div|table|p|span|font)\b",
    re.IGNORECASE,
)
_END_OF_FLOWED_LINE = re.compile(r" \r?\n(?:>+ ?)?")
_FILE_NAMES = "names of attachments"
_LONG_HEADER = "The header of one of its parts is longer than is read."
_LONG_LINES = "A calendar or a vCard in it is longer than is read."
_LONG_TEXT = "A text in it is longer than is read of its charset."
_PIECE = "It is one piece of a message that was taken apart: the others are not read."


def read_text(part: TextPart, gathered: Gathered) -> None:
    """Read a part's text, or its HTML."""
    is_html = part.kind is Kind.HTML
    channel = html_body.CHANNEL if is_html else body_text.CHANNEL
    if part.nesting:
        channel = attached_messages.PREFIX + channel
    elif part.is_attached:
        channel = body_text.ATTACHED
    if not is_read_whole(part):
        gathered.notes.doubt(_LONG_TEXT)
    for text in texts_with_at_sign(part):
        if not _note_text(part, text, channel, gathered):
            break
    if part.media_type and not (part.is_attached or part.nesting):
        gathered.text_parts.append(part)
    encryption.read_inline(part, gathered)


def _note_text(part: TextPart, text: str, channel: str, gathered: Gathered) -> bool:
    """Write down whom a text shows; False where no more is read."""
    notes = gathered.notes
    if notes.is_too_much(number_of_at_signs(text)):
        return False
    for found, quoted in _readings(part, text):
        notes.note(gathered.in_text, found, channel)
        notes.note(gathered.in_forwarded, quoted, quoted_headers.CHANNEL)
        if notes.is_full:
            notes.stop()
            return False
    return True


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


def _read_openpgp(part: TextPart, gathered: Gathered) -> None:
    encryption.read_openpgp(part, gathered)
    read_text(part, gathered)


def _read_lines(part: TextPart, gathered: Gathered) -> None:
    """Read a calendar or a vCard; what is neither is read as text."""
    read = calendars.read_calendar if part.kind is Kind.CALENDAR else cards.read_card
    prefix = attached_messages.PREFIX if part.nesting else ""
    notes = gathered.notes
    if part.end - part.start > LONGEST_LINES:
        notes.doubt(_LONG_LINES)
    for text in texts_of_lines(part, LONGEST_LINES):
        if notes.is_too_much(number_of_at_signs(text)):
            return
        if not calendars.is_calendar(text):
            read_text(part, gathered)
            return
        for channel, found in read(text):
            notes.note(gathered.in_text, found, prefix + channel)
    _read_files_in_lines(part, gathered)
    gathered.edit(part)
    if part.media_type and not (part.is_attached or part.nesting):
        gathered.text_parts.append(part)


def _read_files_in_lines(part: TextPart, gathered: Gathered) -> None:
    """Read the files that stand inside of a calendar, as attachments."""
    if part.kind is not Kind.CALENDAR:
        return
    data = bytes_of(part)[:LONGEST_LINES]
    if b"ENCODING" not in data.upper():
        return
    text = unfolded(data).decode("latin-1")
    for media_type, name, coded in calendars.files_in(text):
        gathered.unwrap_file(coded, part, media_type, name, BASE64)


def read_attached_header(
    part: TextPart, gathered: Gathered, prefix: str = attached_messages.PREFIX
) -> None:
    """Read the header block of an attached message."""
    notes = gathered.notes
    if part.media_type == "message/partial":
        notes.doubt(_PIECE)
    for raw_name, body, _, _ in _cuts_of(part, notes):
        channel = name_and_channel(raw_name)[1]
        if channel is None:
            continue
        if b"@" in body or b"=?" in body or not body.isascii():
            found = channel.read(notes.within_limit(field_text(body)))
            notes.note(gathered.in_forwarded, found, prefix + channel.label)


def read_protected(part: TextPart, gathered: Gathered) -> None:
    """Read fields that a mail reader shows instead of the message's own."""
    notes = gathered.notes
    read_names(part, gathered, protected_fields.is_of_the_part)
    for raw_name, body, _, _ in _cuts_of(part, notes):
        channel = protected_fields.channel_of_protected(raw_name)
        if channel is not None:
            found = channel.read(notes.within_limit(field_text(body)))
            label = protected_fields.PREFIX + channel.label
            notes.note(gathered.in_protected, found, label)


def _read_report(part: TextPart, gathered: Gathered) -> None:
    notes = gathered.notes
    for text in texts_with_at_sign(part):
        if notes.is_too_much(number_of_at_signs(text)):
            return
        for channel, found in attached_messages.read_report(text):
            notes.note(gathered.in_forwarded, found, channel)


def read_names(
    part: TextPart, gathered: Gathered, only: Callable[[str], bool] | None = None
) -> None:
    """Read the fields of a part: file names and descriptions are seen by readers."""
    notes, shown = gathered.notes, gathered.in_text
    for raw_name, body, _, _ in _cuts_of(part, notes):
        name, channel = name_and_channel(raw_name)
        if only is not None and not only(name):
            continue
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


def _read_nothing(part: TextPart, gathered: Gathered) -> None:
    """A part without text of its own; it may still be a document."""


PART_READERS: dict[Kind, Callable[[TextPart, Gathered], None]] = {
    Kind.TEXT: read_text,
    Kind.HTML: read_text,
    Kind.MESSAGE: read_attached_header,
    Kind.REPORT: _read_report,
    Kind.NAMES: read_names,
    Kind.PROTECTED: read_protected,
    Kind.CALENDAR: _read_lines,
    Kind.CARD: _read_lines,
    Kind.CMS: encryption.read_cms,
    Kind.OPENPGP: _read_openpgp,
    Kind.UNREAD: _read_nothing,
}
"""How each kind of part is read."""
