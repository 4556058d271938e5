# SPDX-License-Identifier: Apache-2.0
"""Documents that need a reader of their own: spreadsheets, PDF, archives, TNEF.

The core starts no process: whoever has a ``Reader`` hands it in. Without one, the
content says that it needs one (``Content.needs_reader``), and is read again.
"""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A piece of a document's text and the channel that shows it.

    ``channel`` is in the words that users read, as in ``attached table: hidden
    sheet``. Addresses are found by the core, not by the reader.
    """

    channel: str
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """What a reader found in one attached document.

    ``messages`` are messages inside it (RFC 5322), read as attached messages are.
    ``uncertain`` names what could not be read, one sentence each, without an address
    or a file's name. ``is_recall`` is true of Outlook's recall object.
    """

    texts: tuple[DocumentText, ...] = field(default=(), repr=False)
    messages: tuple[bytes, ...] = field(default=(), repr=False)
    uncertain: tuple[str, ...] = ()
    is_recall: bool = False


class Reader(Protocol):
    """Reads documents within limits of time and memory. Never raises."""

    def read(self, kind: str, content: bytes) -> Document:
        """What the document shows. ``kind`` as ``kind_of_document`` names it."""
