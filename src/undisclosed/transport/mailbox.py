# SPDX-License-Identifier: Apache-2.0
"""Mailboxes as streams of messages: mbox, Maildir, folders, single files, .gz.

A mailbox of any size is read in bounded memory: one block of a file and the
message that is being put together. What cannot be read is a value in the stream
(``Unreadable``), not an exception, because the other files still count.

mbox is RFC 4155 with the quoting of its "mboxrd" variant, which undoes "mboxo"
as well as that can be undone.
"""

import os
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from undisclosed.transport.mailstream import (
    BOM,
    Kind,
    MailStream,
    StreamError,
    kind_of,
    open_stream,
)

MESSAGE_LIMIT = 64 * 1024 * 1024
"""Bytes of one message that are read; the rest of a longer one is passed over."""

BLOCK = 1024 * 1024
"""Bytes that are read from a file at a time."""

_LOOK_AHEAD = 2048
_MARK = b"\nFrom "
_ASCTIME = re.compile(
    rb"From \S.* (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? .*\d{1,2}:\d\d(?::\d\d)?.*\d{4}"
)
_CLOCK_OR_YEAR = re.compile(rb"From \S+ .*(?:\d:\d\d|\d{4}\s*$)")
_FIELD = re.compile(rb"(?:[!-9;-~]{1,76}[ \t]*:|>?From |\r?\n)")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_MAIL_SUFFIXES = (".eml", ".emlx", ".mbox", ".mbx", ".mboxrd")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a mailbox.

    ``name`` says where it stands ("sent.mbox:123"), ``content`` are its bytes with
    the mbox quoting undone, ``stored`` the bytes of the mailbox that were consumed
    since the message before (compressed ones where the file is compressed).
    ``is_cut`` says that it was longer than ``MESSAGE_LIMIT``.
    """

    name: str
    content: bytes = field(repr=False)
    stored: int = 0
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A file, a folder or the rest of a file that could not be read, and why."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name}: {self.reason}."


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file of a folder that is no mail: not read, and not silently so."""

    name: str
    stored: int = 0


Item = Message | Unreadable | PassedOver


def read_path(path: str | os.PathLike[str]) -> Iterator[Item]:
    """Every message under a path: a file, a Maildir or a folder, to any depth.

    "-" is standard input. Files of a folder come in the order of their names.
    """
    name = os.fspath(path)
    if name == "-":
        yield from read_stream(sys.stdin.buffer, "standard input")
    elif os.path.isdir(name):
        yield from _read_folder(name)
    else:
        yield from read_file(name)


def read_file(path: str | os.PathLike[str]) -> Iterator[Item]:
    """The messages of one file: a single message or an mbox, plain or .gz."""
    name = os.fspath(path)
    if os.path.isdir(name):
        yield Unreadable(name, "is a folder, not a message")
        return
    try:
        file = open(name, "rb", buffering=0)  # noqa: SIM115 - closed with its stream
    except OSError as error:
        yield Unreadable(name, _reason(error))
        return
    with closing(file):
        yield from read_stream(file, name)


def read_stream(file: BinaryIO, name: str) -> Iterator[Item]:
    """The messages of an open file that was named by somebody, so must be mail."""
    try:
        stream = open_stream(file)
        kind = kind_of(stream.peek)
        if kind is Kind.MBOX:
            yield from _mbox(stream, name)
        elif kind in (Kind.MESSAGE, Kind.MAYBE_MESSAGE, Kind.EMLX):
            yield _single(stream, name, kind)
        else:
            yield Unreadable(name, kind.value)
    except (OSError, EOFError, StreamError, zlib.error) as error:
        yield Unreadable(name, _reason(error))


def stored_size(path: str | os.PathLike[str]) -> int:
    """The bytes that a path takes on disk, for a progress bar; never raises."""
    name = os.fspath(path)
    if not os.path.isdir(name):
        return _file_size(name)
    return sum(_file_size(found) for found in _files_of(name))


def _read_folder(folder: str) -> Iterator[Item]:
    """Every file under a folder that is mail, and word of those that are not."""
    failed: list[OSError] = []
    has_mail = False
    for path in _files_of(folder, failed):
        for item in _read_found(path):
            has_mail |= not isinstance(item, PassedOver)
            yield item
    for error in failed:
        yield Unreadable(str(error.filename), _reason(error))
    if not has_mail and not failed:
        yield Unreadable(folder, "holds no mail: no mbox, no Maildir, no .eml file")


def _files_of(folder: str, failed: list[OSError] | None = None) -> Iterator[str]:
    """The files under a folder in the order of their names, Maildir's tmp aside."""
    collect = failed.append if failed is not None else None
    for parent, folders, files in os.walk(folder, onerror=collect):
        if {"cur", "new", "tmp"} <= set(folders):
            folders.remove("tmp")  # mail there is still being delivered
        folders.sort()
        for file in sorted(files):
            yield os.path.join(parent, file)


def _read_found(path: str) -> Iterator[Item]:
    """A file that nobody named: read where it is mail, else passed over."""
    if not os.path.isfile(path):
        return
    if not _must_be_mail(path):
        try:
            with open(path, "rb", buffering=0) as file:
                kind = kind_of(open_stream(file).peek)
        except (OSError, EOFError, StreamError, zlib.error):
            kind = Kind.BINARY
        if kind not in (Kind.MBOX, Kind.MESSAGE):
            yield PassedOver(path, _file_size(path))
            return
    yield from read_file(path)


def _must_be_mail(path: str) -> bool:
    """True where the place or the name of a file says that it is mail."""
    plain = path.lower().removesuffix(".gz")
    return plain.endswith(_MAIL_SUFFIXES) or Path(path).parent.name in ("cur", "new")


def _single(stream: MailStream, name: str, kind: Kind) -> Message:
    """A file that is one message whole."""
    buffer = bytearray()
    while len(buffer) <= MESSAGE_LIMIT and (block := stream.read(BLOCK)):
        buffer += block
    is_cut = len(buffer) > MESSAGE_LIMIT
    content = bytes(buffer[:MESSAGE_LIMIT])
    if kind is Kind.EMLX:
        length, _, rest = content.partition(b"\n")
        content = rest[: int(length)]
    return Message(name, content, stream.consumed(), is_cut)


def _mbox(stream: MailStream, name: str) -> Iterator[Item]:
    """The messages of an mbox, numbered from 1; one alone has the file's name."""
    for number, cut in enumerate(_Cutter(stream).messages(), 1):
        is_alone = number == 1 and cut.is_last
        place = name if is_alone else f"{name}:{number}"
        yield Message(place, cut.content, stream.consumed(), cut.is_cut)


@dataclass(frozen=True, slots=True)
class _Cut:
    """One message out of an mbox: cut at the limit? the last one?"""

    content: bytes
    is_cut: bool
    is_last: bool = False


class _Cutter:
    """Cuts the bytes of an mbox into messages, a block at a time."""

    def __init__(self, stream: MailStream) -> None:
        self._stream = stream
        first = stream.read(BLOCK).removeprefix(BOM).lstrip(b"\r\n")
        self._buffer = bytearray(b"\n" + first)
        self._start = 0  # the line end before the present message's separator
        self._seen = 1  # marks before this offset are known to be no separators
        self._dropped = False  # whether bytes of a message over the limit are gone
        self._ended = False

    def messages(self) -> Iterator[_Cut]:
        """Every message; where the file is damaged what there is, then the error."""
        damage: Exception | None = None
        while True:
            while (end := self._next_separator()) is not None:
                yield self._take(end)
                self._start, self._seen = end, end + 1
            if self._ended:
                break
            self._shrink()
            try:
                self._fill()
            except (OSError, EOFError, zlib.error) as error:
                damage, self._ended = error, True
        yield self._take(self._end_of_last(), is_last=True)
        if damage is not None:
            raise damage

    def _next_separator(self) -> int | None:
        """The offset of the line end before the next separator line."""
        buffer = self._buffer
        while (mark := buffer.find(_MARK, self._seen)) >= 0:
            if mark + _LOOK_AHEAD > len(buffer) and not self._ended:
                self._seen = mark
                return None
            if _is_separator(buffer, mark):
                return mark
            self._seen = mark + 1
        self._seen = max(self._seen, len(buffer) - len(_MARK) + 1)
        return None

    def _take(self, end: int, *, is_last: bool = False) -> _Cut:
        """The message that ends at an offset, without its separator line."""
        line_end = self._buffer.find(b"\n", self._start + 1, end)
        start = line_end + 1 if line_end >= 0 else end
        with memoryview(self._buffer) as view:
            raw = bytes(view[start : min(end, start + MESSAGE_LIMIT)])
        is_cut = self._dropped or end - start > MESSAGE_LIMIT
        self._dropped = False
        if raw.endswith(b"\n\r"):  # what is left of the empty line of CRLF files
            raw = raw[:-1]
        return _Cut(unquoted(raw), is_cut, is_last)

    def _end_of_last(self) -> int:
        """Where the last message ends: mbox puts an empty line behind it."""
        has_blank = self._buffer.endswith((b"\n\n", b"\n\r\n"))
        return len(self._buffer) - has_blank

    def _shrink(self) -> None:
        """Forget what was handed out, and what is over the limit of a message."""
        del self._buffer[: self._start]
        self._seen -= self._start
        self._start = 0
        kept = MESSAGE_LIMIT + _LOOK_AHEAD
        over = self._seen - 8 - kept  # a separator looks back a few bytes
        if over > 0:
            del self._buffer[kept : kept + over]
            self._seen -= over
            self._dropped = True

    def _fill(self) -> None:
        block = self._stream.read(BLOCK)
        self._buffer += block
        self._ended = not block


def _is_separator(buffer: bytearray, mark: int) -> bool:
    """Whether the "From " line behind a line end begins a message (RFC 4155).

    Behind an empty line, a time, a year or a header field on the next line is
    enough. Behind any other line all of them are asked for: prose begins lines
    with "From ", and some programs forget the empty line.
    """
    line_end = buffer.find(b"\n", mark + 1, mark + _LOOK_AHEAD)
    if line_end < 0:
        return False
    line = bytes(buffer[mark + 1 : line_end]).rstrip(b"\r")
    before = bytes(buffer[max(mark - 2, 0) : mark + 1])
    is_behind_blank = before.endswith((b"\n\n", b"\n\r\n"))
    has_field = _FIELD.match(buffer, line_end + 1) is not None
    if is_behind_blank:
        return has_field or _CLOCK_OR_YEAR.match(line) is not None
    return has_field and _ASCTIME.match(line) is not None


def unquoted(content: bytes) -> bytes:
    """The content with one ">" taken from each ">From " line (mboxrd)."""
    if b">From " not in content:
        return content
    return _QUOTED.sub(rb"\1", content)


def _file_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _reason(error: Exception) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, StreamError):
        return str(error)
    if isinstance(error, EOFError | zlib.error):
        return "is damaged: its compression breaks off"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror[:1].lower()}{error.strerror[1:]}"
    return "is damaged: its compression cannot be undone"
