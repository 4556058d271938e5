# SPDX-License-Identifier: Apache-2.0
"""Documents: spreadsheets, PDF, archives and the like, read by a ``Reader``.

The reader gives texts with their channels, as in ``attached table: hidden sheet``;
their addresses are found here. Without a reader the content says that it needs one.
"""

from undisclosed.core.documents import (
    LENGTH_OF_BEGINNING,
    OTHER,
    TNEF,
    Document,
    kind_of_document,
    may_hold_text,
)
from undisclosed.core.gathered import Gathered
from undisclosed.core.media_types import Kind
from undisclosed.core.mime import TextPart
from undisclosed.core.part_text import bytes_of
from undisclosed.core.recall import TNEF_TYPES, has_recall_class
from undisclosed.core.shown import attached_messages, body_text, quoted_headers
from undisclosed.core.text import number_of_at_signs
from undisclosed.core.transfer_encodings import BASE64

LONGEST_TNEF = 1024 * 1024
"""Bytes of a TNEF stream in which the class of a recall is looked for."""

MOST_DOCUMENTS = 500
"""Documents that are read in one mail, those in attached messages among them."""

_TEXT_TYPES = frozenset({"text/plain", "text/html", ""})
_TOO_MANY = f"It carries more than {MOST_DOCUMENTS} documents: not all were read."


def may_be_document(part: TextPart) -> bool:
    """Whether the part's first bytes are worth a look: it is not just a short text."""
    return part.header is None and (
        part.kind is Kind.UNREAD
        or part.is_attached
        or part.encoding == BASE64
        or part.media_type not in _TEXT_TYPES
    )


def read_document(part: TextPart, gathered: Gathered) -> None:
    """Read a part if it is a document; name it where nothing here reads it."""
    place = (id(part.source), part.start, part.encoding)
    if place in gathered.seen:
        return
    beginning = bytes_of(part, LENGTH_OF_BEGINNING)[:LENGTH_OF_BEGINNING]
    kind = kind_of_document(part.media_type, part.names, beginning)
    if kind is None and part.kind is Kind.UNREAD:
        gathered.unread[part.media_type] = None
        kind = OTHER if may_hold_text(part.media_type, beginning) else None
    if part.media_type in TNEF_TYPES and not gathered.recall:
        gathered.recall = has_recall_class(bytes_of(part, LONGEST_TNEF))
    if kind is None or gathered.reader is None:
        gathered.needs_reader |= kind is not None
        if part.kind is Kind.UNREAD:
            gathered.unread[part.media_type] = None
        return
    gathered.seen[place] = part.source
    if len(gathered.seen) > MOST_DOCUMENTS:
        gathered.notes.doubt(_TOO_MANY)
        return
    found = gathered.read_document(kind, bytes_of(part))
    is_outlook = kind == TNEF and not part.nesting
    _note(found, part, gathered, is_outlook=is_outlook)


def _note(
    document: Document, part: TextPart, gathered: Gathered, *, is_outlook: bool
) -> None:
    """Write down what a reader found in a document."""
    notes = gathered.notes
    for sentence in document.uncertain:
        notes.doubt(sentence)
    gathered.recall |= document.is_recall
    for message in document.messages:
        gathered.unwrap(message, part.nesting + 1, is_outlook=is_outlook)
    prefix = attached_messages.PREFIX if part.nesting else ""
    if is_outlook:
        prefix = attached_messages.OUTLOOK
    for one in document.texts:
        if notes.is_too_much(number_of_at_signs(one.text)):
            return
        found, quoted = body_text.read_body_text(one.text)
        channel = one.channel
        if prefix:
            channel = prefix + channel.removeprefix(attached_messages.PREFIX)
        notes.note(gathered.in_text, found, channel)
        notes.note(gathered.in_forwarded, quoted, quoted_headers.CHANNEL)
