# SPDX-License-Identifier: Apache-2.0
"""What encryption and signatures show without a key: recipients and certificates.

An OpenPGP message names the key of each recipient, an S/MIME message the certificate
of each: who has one copy can tell who has the others. They are counted, since a key
id is no address. Keys and certificates that travel along hold addresses, and what is
signed with S/MIME, or compressed, is read as any mail is.
"""

from collections.abc import Iterable

from undisclosed.core.gathered import Gathered
from undisclosed.core.header import split_content
from undisclosed.core.mime import TextPart
from undisclosed.core.part_text import bytes_of
from undisclosed.core.shown import attached_messages
from undisclosed.core.text import addresses_in_text
from undisclosed.core.transfer_encodings import BASE64, IDENTITY
from undisclosed.formats import cms, openpgp

KEY = "OpenPGP key"
CERTIFICATE = "S/MIME certificate"

LONGEST_INLINE = 8 * 1024 * 1024
"""Bytes of a text in Base64 in which OpenPGP blocks are looked for."""

LONGEST_FIELDS = 64 * 1024
"""Bytes of signed content in which its fields are looked for."""

_MARK = b"-----BEGIN PGP "
ENCRYPTED = "encrypted content"
"""What stands among the parts that nothing here reads, for all encrypted ones."""
_UNREADABLE = "Its S/MIME content could not be read."


def read_openpgp(part: TextPart, gathered: Gathered) -> None:
    """Read a part that is OpenPGP, armored or binary."""
    data = bytes_of(part)
    if not _read_armored(data, part, gathered) and data[:1] >= b"\x80":
        _note_openpgp(data, part, gathered)
    if openpgp.recipient_ids(data) or _MARK in data:
        gathered.edit(part)


def read_inline(part: TextPart, gathered: Gathered) -> None:
    """Read the OpenPGP blocks that stand in a text."""
    if part.encoding == BASE64:
        if part.end - part.start > LONGEST_INLINE:
            return
        data = bytes_of(part)
    elif part.source.find(_MARK, part.start, part.end) >= 0:
        data = bytes_of(part)
    else:
        return
    if _MARK in data and _read_armored(data, part, gathered):
        gathered.edit(part)


def read_cms(part: TextPart, gathered: Gathered) -> None:
    """Read a part that is S/MIME: signed, encrypted, compressed, or a signature."""
    found = cms.read_cms(bytes_of(part))
    gathered.key_ids |= found.recipient_ids
    if found.recipient_ids:
        gathered.unread[ENCRYPTED] = None
        gathered.edit(part)
    if not found.is_whole and part.media_type.endswith(("-mime", "/cms")):
        gathered.notes.doubt(_UNREADABLE)
    _note_names(found.texts, CERTIFICATE, part, gathered)
    if found.inner is None:
        return
    if _is_mail(found.inner):
        gathered.unwrap(found.inner, part.nesting, is_wrapped=True)
    else:
        # A file that was signed: contract.pdf.p7m.
        name = next((name.removesuffix(".p7m") for name in part.names), "")
        gathered.unwrap_file(found.inner, part, "", name, IDENTITY)


def _is_mail(inner: bytes) -> bool:
    """Whether what was signed begins with fields of a part, or without any."""
    fields = split_content(inner[:LONGEST_FIELDS]).fields
    return not fields or any(one.name.startswith("content-") for one in fields)


def _read_armored(data: bytes, part: TextPart, gathered: Gathered) -> bool:
    blocks = openpgp.armored(data)
    for block in blocks:
        _note_openpgp(block.data, part, gathered)
    return bool(blocks)


def _note_openpgp(data: bytes, part: TextPart, gathered: Gathered) -> None:
    named = openpgp.recipient_ids(data)
    gathered.key_ids |= named
    if named or openpgp.is_encrypted(data):
        gathered.unread[ENCRYPTED] = None
    _note_names(openpgp.user_ids(data), KEY, part, gathered)


def _note_names(
    texts: Iterable[str], channel: str, part: TextPart, gathered: Gathered
) -> None:
    prefix = attached_messages.PREFIX if part.nesting else ""
    for text in texts:
        gathered.notes.note(gathered.in_text, addresses_in_text(text), prefix + channel)
