# SPDX-License-Identifier: Apache-2.0
"""Documents that need a reader of their own: spreadsheets, PDF, archives, TNEF.

The core starts no process: whoever has a ``Reader`` hands it in. Without one, the
content says that it needs one (``Content.needs_reader``), and is read again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

LENGTH_OF_BEGINNING = 1024
"""Bytes of a decoded part that ``kind_of_document`` wants to see."""

ZIP = "zip"  # archives, and what is one inside: XLSX, XLSB, DOCX, PPTX, ODS, ODT
OLE = "ole"  # compound files (MS-CFB): XLS, DOC, PPT, MSG, and protected documents
PDF = "pdf"
TNEF = "tnef"  # winmail.dat (MS-OXTNEF)
RTF = "rtf"
TAR = "tar"
GZIP = "gzip"
BZIP2 = "bzip2"
XZ = "xz"
DATABASE = "database"  # SQLite, Access
CLOSED = "closed"  # archives of a form that is not read: RAR, 7z, PST
MASKED = "masked"  # bytes of no known form under a document's name: text, or broken
OTHER = "other"  # bytes of no known form under any other name

KINDS = (
    ZIP, OLE, PDF, TNEF, RTF, TAR, GZIP, BZIP2, XZ, DATABASE, CLOSED, MASKED, OTHER,
)  # fmt: skip
"""Every kind of document, as a ``Reader`` is told it."""


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


@runtime_checkable
class SharedReader(Reader, Protocol):
    """A reader that many mails share, and that no one of them may keep for long."""

    def for_one_mail(self) -> Reader:
        """A reader for the documents of one mail, within a limit for all of them."""


def for_one_mail(reader: Reader) -> Reader:
    """The reader that one mail is read with."""
    return reader.for_one_mail() if isinstance(reader, SharedReader) else reader


_MAGIC = (
    (b"PK\x03\x04", ZIP),
    (b"PK\x05\x06", ZIP),  # an archive without a file
    (b"PK\x07\x08", ZIP),  # one of several volumes
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
    (b"\x78\x9f\x3e\x22", TNEF),
    (b"{\\rt", RTF),
    (b"\x1f\x8b", GZIP),
    (b"BZh", BZIP2),
    (b"\xfd7zXZ\x00", XZ),
    (b"SQLite format 3\x00", DATABASE),
    (b"\x00\x01\x00\x00Standard ", DATABASE),
    (b"Rar!\x1a\x07", CLOSED),
    (b"7z\xbc\xaf\x27\x1c", CLOSED),
    (b"!BDN", CLOSED),
    (b"\x28\xb5\x2f\xfd", CLOSED),  # Zstandard
    (b"MSCF\x00\x00\x00\x00", CLOSED),  # cabinet
    (b"\x1f\x9d", CLOSED),  # compress
    (b"\x04\x22\x4d\x18", CLOSED),  # LZ4
    (b"LZIP", CLOSED),
    (b"MSWIM\x00", CLOSED),
    (b"!<arch>\n", CLOSED),  # ar, as Debian packages are
)
_FIRST_BYTES = frozenset(magic[:1] for magic, _ in _MAGIC)
PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"\x00\x00\x01\x00")
"""They show what they show, whatever they are called."""

_SEEN_AND_HEARD = frozenset({"image", "audio", "video", "font", "model"})
_CONTROLS = bytes({*range(32), 127} - {9, 10, 11, 12, 13, 27})

_TAR_AT, _TAR_MAGIC = 257, b"ustar"
_TYPES = frozenset((
    "application/pdf", "application/x-pdf",
    "application/ms-tnef", "application/vnd.ms-tnef",
    "application/rtf", "text/rtf",
    "application/zip", "application/x-zip-compressed",
    "application/x-tar", "application/gzip", "application/x-gzip",
    "application/vnd.rar", "application/x-7z-compressed",
    "application/vnd.ms-outlook", "application/msword",
    "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
))  # fmt: skip
_TYPES_BEGIN = (
    "application/vnd.openxmlformats-officedocument.",
    "application/vnd.oasis.opendocument.",
    "application/vnd.ms-excel.",
    "application/vnd.ms-word.",
    "application/vnd.ms-powerpoint.",
)
_ENDINGS = (
    ".pdf", "winmail.dat", ".tnef", ".rtf",
    ".xls", ".xlt", ".doc", ".dot", ".ppt", ".pps", ".msg", ".oft", ".pub",
    ".zip", ".xlsx", ".xlsm", ".xltx", ".xlsb", ".docx", ".docm", ".dotx",
    ".pptx", ".pptm", ".ppsx", ".ods", ".odt", ".odp", ".odg", ".ots", ".ott",
    ".kmz", ".epub", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz",
    ".sqlite", ".sqlite3", ".mdb", ".accdb",
    ".rar", ".7z", ".pst", ".ost", ".zst", ".cab", ".arj", ".lzh", ".lha", ".ace",
    ".z", ".lz", ".lz4", ".lzma", ".br", ".wim", ".iso", ".img", ".dmg", ".cpio",
)  # fmt: skip


def kind_of_document(
    media_type: str, names: Iterable[str], beginning: bytes
) -> str | None:
    """What kind of document a part is, one of ``KINDS``; None where it is none.

    ``media_type`` is lower-case, ``names`` are its file names as they were given,
    ``beginning`` the first ``LENGTH_OF_BEGINNING`` bytes of its decoded content. The
    bytes weigh more than what is said about them, as they do for the programs that
    open them. A part that only says that it is a document is ``MASKED``: tables are
    often text or HTML under the name of a spreadsheet. A part without a byte is none.
    """
    if not beginning:
        return None
    if beginning.startswith(PICTURES):
        # Programs that unpack archives look for them behind whatever comes first.
        return _by_claim("", names)
    return _by_bytes(beginning) or _by_claim(media_type, names)


def may_hold_text(media_type: str, beginning: bytes) -> bool:
    """Whether text is looked for in a file of no known form.

    Pictures, sounds and films are let be, unless their bytes are text all the same.
    """
    if beginning.startswith(PICTURES):
        return False
    return bool(beginning) and (
        media_type.partition("/")[0] not in _SEEN_AND_HEARD
        or beginning.translate(None, _CONTROLS) == beginning
    )


def _by_bytes(beginning: bytes) -> str | None:
    if beginning[:1] in _FIRST_BYTES:
        for magic, kind in _MAGIC:
            if beginning.startswith(magic):
                return kind
    if beginning.startswith(_TAR_MAGIC, _TAR_AT):
        return TAR
    # ISO 32000-1 appendix H.3: readers look for it in the first 1,024 bytes.
    return PDF if b"%PDF-" in beginning[:1024] else None


def _by_claim(media_type: str, names: Iterable[str]) -> str | None:
    if media_type in _TYPES or media_type.startswith(_TYPES_BEGIN):
        return MASKED
    for name in names:
        if name.rstrip(" .\"'\t").lower().endswith(_ENDINGS):
            return MASKED
    return None
