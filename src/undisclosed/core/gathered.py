# SPDX-License-Identifier: Apache-2.0
"""What is gathered while the parts of a body are read, one after the other."""

from dataclasses import dataclass, field
from hashlib import sha256

from undisclosed.core.documents import Document, Reader, for_one_mail
from undisclosed.core.media_types import UNREADABLE_TYPE, kind_of
from undisclosed.core.mime import TextPart
from undisclosed.core.notes import Channels, Notes

MOST_UNWRAPPED = 12
"""How deep documents, archives and signed content may stand inside of each other."""

MOST_INSIDE = 256 * 1024 * 1024
"""Bytes of messages found inside of other parts that are read in one mail."""

_NOT_BEFORE = "A copy holds a document that the mail itself does not."
_TOO_DEEP = "It has more parts, or parts nested deeper, than are read."


Documents = dict[tuple[str, bytes], Document]
"""What was found in each document, by its kind and its content's SHA-256."""


@dataclass(frozen=True, slots=True)
class Inside:
    """A message found inside of a part: in a document, or what a signature wraps.

    ``depth`` counts what was unwrapped to get at it, ``nesting`` the attached messages
    around it. ``is_outlook``: it is the mail itself in Outlook's own form (TNEF).
    ``file`` is set where it is no message but a file of any kind.
    """

    source: bytes = field(repr=False)
    depth: int
    nesting: int
    is_wrapped: bool = False
    is_outlook: bool = False
    file: TextPart | None = None


@dataclass(frozen=True, slots=True)
class ReadBefore:
    """A reader of documents that were read before: no copy has others in it."""

    documents: Documents = field(repr=False)

    def read(self, kind: str, content: bytes) -> Document:
        """What was found in the document then."""
        found = self.documents.get((kind, sha256(content).digest()))
        return found or Document(uncertain=(_NOT_BEFORE,))


@dataclass(slots=True)
class Gathered:
    """The people of a body, by how they are shown, and what else was found in it.

    ``content`` is the message whose body is read. ``key_ids`` are the recipients that
    encryption names. ``inside`` are messages that are still to be read; ``depth`` is
    how deep the one stands that is being read. ``editable`` are the parts of the
    content itself that private copies may have to change. ``seen`` are the documents
    that were read, by their place, each with its source, so that no other takes its
    place in memory.
    """

    notes: Notes
    reader: Reader | None = None
    in_text: Channels = field(default_factory=dict)
    in_forwarded: Channels = field(default_factory=dict)
    in_protected: Channels = field(default_factory=dict)
    text_parts: list[TextPart] = field(default_factory=list)
    editable: list[TextPart] = field(default_factory=list)
    content: bytes = field(default=b"", repr=False)
    unread: dict[str, None] = field(default_factory=dict)
    key_ids: set[str] = field(default_factory=set)
    inside: list[Inside] = field(default_factory=list)
    seen: dict[tuple[int, int, str], bytes] = field(default_factory=dict, repr=False)
    documents: Documents = field(default_factory=dict, repr=False)
    depth: int = 0
    size_inside: int = 0
    recall: bool = False
    needs_reader: bool = False
    _mails_reader: Reader | None = None

    def read_document(self, kind: str, content: bytes) -> Document:
        """Have the reader read a document, and keep what it found."""
        if self.reader is None:
            return Document()
        key = kind, sha256(content).digest()
        if key not in self.documents:
            # Most mail has no document: its own reader is asked for with the first.
            self._mails_reader = self._mails_reader or for_one_mail(self.reader)
            self.documents[key] = self._mails_reader.read(kind, content)
        return self.documents[key]

    def edit(self, part: TextPart) -> None:
        """Keep a part of the content itself that private copies may have to change."""
        if part.source is self.content:
            self.editable.append(part)

    def unwrap(
        self,
        source: bytes,
        nesting: int,
        *,
        is_wrapped: bool = False,
        is_outlook: bool = False,
    ) -> None:
        """Have a message read that was found inside of the part being read."""
        depth = self.depth + 1
        self._add(Inside(source, depth, nesting, is_wrapped, is_outlook))

    def unwrap_file(
        self, source: bytes, part: TextPart, media_type: str, name: str, encoding: str
    ) -> None:
        """Have a file read that was found inside of this part, as one attached."""
        file = TextPart(
            kind_of(media_type or UNREADABLE_TYPE, [name] if name else []),
            media_type,
            source,
            0,
            len(source),
            encoding=encoding,
            nesting=part.nesting,
            is_attached=True,
            names=(name,) if name else (),
        )
        self._add(Inside(source, self.depth + 1, part.nesting, file=file))

    def _add(self, inside: Inside) -> None:
        self.size_inside += len(inside.source)
        if self.depth >= MOST_UNWRAPPED or self.size_inside > MOST_INSIDE:
            self.notes.doubt(_TOO_DEEP)
        else:
            self.inside.append(inside)
