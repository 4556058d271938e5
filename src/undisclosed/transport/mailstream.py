# SPDX-License-Identifier: Apache-2.0
"""One open file of mail as a stream of plain bytes, and what kind it is.

Decompresses gzip (RFC 1952) as it comes, looks at the first bytes without losing
them, so that pipes work as files do, and counts what was consumed on disk.
"""

import io
import re
import zlib
from collections.abc import Callable
from enum import Enum
from typing import BinaryIO

from undisclosed.errors import UndisclosedError

PEEK = 16 * 1024
"""Bytes at the beginning of a file by which its kind is told."""

_COMPRESSED = 64 * 1024
_BUFFER = 1024 * 1024
BOM = b"\xef\xbb\xbf"
"""The byte order mark that some programs put before a text (RFC 3629 §6)."""

_GZIP = b"\x1f\x8b"
_FIRST_FIELD = re.compile(rb"[A-Za-z][A-Za-z0-9_.-]{0,75}[ \t]*:")
_ANY_FIELD = re.compile(rb"^[A-Za-z][!-9;-~]{0,75}[ \t]*:", re.MULTILINE)
_MAIL_FIELD = re.compile(
    rb"^(?:from|to|cc|bcc|date|sender|subject|received|reply-to|message-id|"
    rb"return-path|delivered-to|mime-version|content-type|resent-\w+|"
    rb"x-[a-z-]*(?:mail|to|from)[a-z-]*)[ \t]*:",
    re.IGNORECASE | re.MULTILINE,
)


class StreamError(UndisclosedError):
    """The file is no mail that can be read."""


class Kind(Enum):
    """What a file is, by its first bytes; the sentence says why it is not read."""

    MBOX = "an mbox"
    MESSAGE = "a message"
    MAYBE_MESSAGE = "a text with something like a header field in it"
    EMLX = "a message of Apple Mail"
    EMPTY = "is empty"
    BINARY = "is binary: no message and no mbox"
    TEXT = "is a text without any header field: no message and no mbox"
    OUTLOOK = "is an Outlook file; export it as mbox or .eml first"
    ARCHIVE = "is a ZIP archive; unpack it first"


_MAGIC = (
    (re.compile(rb"From "), Kind.MBOX),
    (re.compile(rb"\d{1,10}[ \t]*\r?\n[A-Za-z][A-Za-z0-9-]*[ \t]*:"), Kind.EMLX),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1|!BDN"), Kind.OUTLOOK),
    (re.compile(rb"PK\x03\x04"), Kind.ARCHIVE),
)


class MailStream:
    """Plain bytes of one file: ``peek`` first, then ``read``."""

    def __init__(self, raw: "_CountingReader", plain: Callable[[int], bytes]) -> None:
        self._raw = raw
        self._plain = plain
        self._told = 0
        self._damage: Exception | None = None
        self.peek = self._first_bytes()
        self._waiting = self.peek

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end.

        Raises OSError, EOFError or zlib.error where the file is damaged.
        """
        if self._waiting:
            block, self._waiting = self._waiting, b""
            return block
        if self._damage is not None:
            raise self._damage
        return self._plain(size)

    def _first_bytes(self) -> bytes:
        """The first bytes, also those before a place where the file is damaged."""
        pieces: list[bytes] = []
        left = PEEK
        try:
            while left > 0 and (block := self._plain(left)):
                pieces.append(block)
                left -= len(block)
        except (EOFError, zlib.error) as error:
            if not pieces:
                raise
            self._damage = error
        return b"".join(pieces)

    def consumed(self) -> int:
        """The bytes taken from the file on disk since this was last asked."""
        new, self._told = self._raw.count - self._told, self._raw.count
        return new


class _CountingReader(io.RawIOBase):
    """An open file that counts what is read, and can put back its first bytes."""

    def __init__(self, file: BinaryIO) -> None:
        # A pipe's reader is not kept waiting for bytes that are not needed yet.
        self._read: Callable[[int], bytes] = getattr(file, "read1", file.read)
        self.first = _read_up_to(file, 8)
        self.count = len(self.first)
        self._again = self.first

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        if self._again:
            block, self._again = self._again[: len(view)], self._again[len(view) :]
        else:
            block = self._read(len(view))
            self.count += len(block)
        view[: len(block)] = block
        return len(block)


class _Gunzip:
    """The plain bytes of a gzip file (RFC 1952), one member after the other.

    The standard library's reader loses what it had decompressed when a file breaks
    off; an archive that breaks off still has all the mail before that place.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        self._read = read
        self._member = zlib.decompressobj(wbits=31)
        self._waiting = b""
        self._is_begun = False

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes; none at the end.

        Raises EOFError where the file breaks off, zlib.error where it is damaged;
        all bytes before that place were given by then.
        """
        while True:
            if self._member.eof and not self._next_member():
                return b""
            given = self._waiting or self._read(_COMPRESSED)
            if not given:
                if not self._is_begun:
                    return b""
                raise EOFError
            self._is_begun = True
            plain = self._member.decompress(given, size)
            self._waiting = self._member.unconsumed_tail
            if plain:
                return plain

    def _next_member(self) -> bool:
        """Whether another member follows; padding with NULs is none."""
        rest = self._member.unused_data.lstrip(b"\0") or self._read(_COMPRESSED)
        self._waiting = rest.lstrip(b"\0")
        self._member = zlib.decompressobj(wbits=31)
        self._is_begun = False
        return bool(self._waiting)


def open_stream(file: BinaryIO) -> MailStream:
    """A stream over an open file, decompressed where it is gzip.

    Raises OSError, EOFError or zlib.error where its beginning cannot be read.
    """
    raw = _CountingReader(file)
    buffered = io.BufferedReader(raw, _BUFFER)
    if raw.first.startswith(_GZIP):
        return MailStream(raw, _Gunzip(buffered.read1).read)
    return MailStream(raw, buffered.read1)


def kind_of(first: bytes) -> Kind:
    """What a file is, told by its first bytes."""
    text = first.removeprefix(BOM).lstrip(b"\r\n")
    if not text:
        return Kind.EMPTY
    for form, kind in _MAGIC:
        if form.match(text):
            return kind
    if _FIRST_FIELD.match(text) and _MAIL_FIELD.search(text):
        return Kind.MESSAGE
    if _looks_binary(text):
        return Kind.BINARY
    return Kind.MAYBE_MESSAGE if _ANY_FIELD.search(text) else Kind.TEXT


def _looks_binary(text: bytes) -> bool:
    """Whether NULs or control bytes stand where a header should."""
    head = text[:1024]
    control = sum(byte < 9 or 13 < byte < 27 or 27 < byte < 32 for byte in head)
    return control * 10 > len(head) or (b"\0" in head and not _ANY_FIELD.search(head))


def _read_up_to(file: BinaryIO, size: int) -> bytes:
    """That many bytes, or all there are: pipes may give less at a time."""
    pieces: list[bytes] = []
    while size > 0 and (block := file.read(size)):
        pieces.append(block)
        size -= len(block)
    return b"".join(pieces)
