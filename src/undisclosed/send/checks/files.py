# SPDX-License-Identifier: Apache-2.0
"""What an attachment says: its texts by channel, and the people that it shows.

Read as the guard reads mail that leaves: every channel of a document, the hidden ones
among them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached
from undisclosed.core.charsets import decode
from undisclosed.core.documents import (
    LENGTH_OF_BEGINNING,
    DocumentText,
    Reader,
    for_one_mail,
    kind_of_document,
)
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.send.message import file_of

TEXT = "attached text"
NOT_READ = "Nothing here reads documents, and this is one."

_PICTURES = ("image/", "audio/", "video/", "font/")
_EVERYTHING = Policy()
_HEAD = b"From: a@a.invalid\r\nMIME-Version: 1.0\r\n"


@dataclass(frozen=True, slots=True)
class FileText:
    """An attachment as text.

    ``shown`` are people with the channels that show them; ``uncertain`` names what
    could not be read, one sentence each; ``is_unread`` says that nothing here reads
    such a file (a picture).
    """

    texts: tuple[DocumentText, ...] = field(default=(), repr=False)
    shown: Mapping[Address, tuple[str, ...]] = field(default_factory=dict, repr=False)
    uncertain: tuple[str, ...] = ()
    is_unread: bool = False


def read_file(attached: Attached, reader: Reader | None) -> FileText:
    """Read an attachment. Never raises."""
    part = file_of(attached, sha256(attached.content).digest()).part
    content = read_content(
        _HEAD + part, _EVERYTHING, reader=for_one_mail(reader) if reader else None
    )
    beginning = attached.content[:LENGTH_OF_BEGINNING]
    kind = kind_of_document(attached.media_type.lower(), (attached.name,), beginning)
    texts: tuple[DocumentText, ...] = ()
    uncertain = content.uncertain
    if kind is None:
        texts = _plain(attached)
    elif reader is None:
        uncertain = (*uncertain, NOT_READ)
    else:
        document = reader.read(kind, attached.content)
        texts = document.texts + tuple(
            DocumentText("attached message", decode(one)) for one in document.messages
        )
        uncertain = (*uncertain, *document.uncertain)
    return FileText(
        texts,
        content.shown,
        tuple(dict.fromkeys(uncertain)),
        is_unread=kind is None and _is_picture(attached),
    )


def _plain(attached: Attached) -> tuple[DocumentText, ...]:
    if _is_picture(attached) or not attached.content:
        return ()
    return (DocumentText(TEXT, decode(attached.content)),)


def _is_picture(attached: Attached) -> bool:
    return attached.media_type.lower().startswith(_PICTURES)
