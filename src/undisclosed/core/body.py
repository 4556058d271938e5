# SPDX-License-Identifier: Apache-2.0
"""The body of a message: whom its texts show, and whom its attached messages.

A text without an at sign costs a search for one; blocks that hold one are decoded.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from undisclosed.core.charsets import decode
from undisclosed.core.documents import Reader
from undisclosed.core.gathered import Documents, Gathered, Inside
from undisclosed.core.header import HeaderBlock, split_content
from undisclosed.core.media_types import Kind
from undisclosed.core.mime import Limits, TextPart, parts_inside, parts_of
from undisclosed.core.notes import Channels, Notes
from undisclosed.core.part_text import bytes_of
from undisclosed.core.shown import attached_messages
from undisclosed.core.shown.documents import may_be_document, read_document
from undisclosed.core.shown.parts import PART_READERS, read_attached_header
from undisclosed.core.text import html_visible_text

LONGEST_VISIBLE_TEXT = 65_536
"""Characters of the body that ``visible_text`` gives."""

_AS_SEEN = (
    (Kind.TEXT, str),
    (Kind.HTML, html_visible_text),
    (Kind.CALENDAR, str),
)
_TOO_MANY_PARTS = "It has more parts, or parts nested deeper, than are read."


@dataclass(frozen=True, slots=True)
class Body:
    """What the body shows, and what of it could not be read.

    The names are those of ``core.reading.Content``.
    """

    in_text: Channels = field(repr=False)
    in_forwarded: Channels = field(repr=False)
    text_parts: tuple[TextPart, ...] = field(repr=False)
    unread_parts: tuple[str, ...]
    uncertain: tuple[str, ...]
    recall: bool
    in_protected: Channels = field(default_factory=dict, repr=False)
    key_ids: frozenset[str] = frozenset()
    needs_reader: bool = False
    editable: tuple[TextPart, ...] = field(default=(), repr=False)
    documents: Documents = field(default_factory=dict, repr=False)


def read_body(
    content: bytes, header: HeaderBlock, notes: Notes, reader: Reader | None = None
) -> Body:
    """Read every part of the body. Never raises."""
    doubts = Notes(notes.most, notes.own_side, noted=notes.noted)
    gathered = Gathered(doubts, reader, content=content)
    limits = Limits()
    _read_parts(parts_of(content, header, limits), gathered)
    while gathered.inside:
        _read_inside(gathered.inside.pop(0), limits, gathered)
    if limits.exceeded:
        doubts.doubt(_TOO_MANY_PARTS)
    notes.noted = doubts.noted
    return Body(
        gathered.in_text,
        gathered.in_forwarded,
        tuple(gathered.text_parts),
        tuple(gathered.unread),
        tuple(doubts.uncertain),
        gathered.recall,
        gathered.in_protected,
        frozenset(gathered.key_ids),
        gathered.needs_reader,
        tuple(gathered.editable),
        gathered.documents,
    )


def _read_parts(parts: Iterable[TextPart], gathered: Gathered) -> None:
    for part in parts:
        PART_READERS[part.kind](part, gathered)
        if may_be_document(part):
            read_document(part, gathered)


def _read_inside(inside: Inside, limits: Limits, gathered: Gathered) -> None:
    """Read a message, or a file, that was found inside of a part."""
    gathered.depth = inside.depth
    source, nesting = inside.source, inside.nesting
    if inside.file is not None:
        _read_parts((inside.file,), gathered)
        return
    if inside.is_wrapped:
        _read_parts(parts_inside(source, limits, nesting=nesting), gathered)
        return
    header = split_content(source)
    message = TextPart(
        Kind.MESSAGE, "message/rfc822", source, 0, len(source), header=header
    )
    is_outlook = inside.is_outlook
    prefix = attached_messages.OUTLOOK if is_outlook else attached_messages.PREFIX
    read_attached_header(message, gathered, prefix)
    _read_parts(parts_of(source, header, limits, nesting=nesting), gathered)


def visible_text(parts: tuple[TextPart, ...]) -> str:
    """What a reader would see of these parts: plain text, else HTML without tags."""
    for kind, as_seen in _AS_SEEN:
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
    data = bytes_of(part, 4 * LONGEST_VISIBLE_TEXT)
    return decode(data, part.charset)
