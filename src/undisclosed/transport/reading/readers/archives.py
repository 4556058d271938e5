# SPDX-License-Identifier: Apache-2.0
"""Archives: TAR, and files that are compressed as they stand (gzip, bzip2, xz).

Bounded in bytes while they are unpacked, not after: a bomb ends at the limit.
"""

import bz2
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from typing import Protocol

from undisclosed.transport.reading.found import BROKEN, Findings

ARCHIVE = "attached archive"
FILE_NAMES = "attached archive: file names"

_PIECE = 64 * 1024
_GZIP_HEADER, _FNAME, _FCOMMENT = 10, 8, 16
_LONGEST_NAME = 4096
_LZMA_MEMORY = 128 * 1024 * 1024


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


def read_gzip(content: bytes, findings: Findings) -> None:
    """Read a file compressed with gzip (RFC 1952); several may follow each other."""
    pieces = []
    rest = content
    while rest[:2] == b"\x1f\x8b":
        inflater = zlib.decompressobj(wbits=31)
        for piece in _inflated(inflater, rest, findings):
            pieces.append(piece)
        # Zero bytes may pad it, as on tapes.
        rest = inflater.unused_data.lstrip(b"\0") if inflater.eof else b""
    if rest:
        findings.doubt(BROKEN)
    findings.show(FILE_NAMES, _gzip_name(content))
    findings.open(ARCHIVE, "", b"".join(pieces))


def _gzip_name(content: bytes) -> str:
    """What the header says of the file's name (RFC 1952 §2.3.1), and what follows."""
    has_name = len(content) > _GZIP_HEADER and content[3] & (_FNAME | _FCOMMENT)
    if not has_name:
        return ""
    told = content[_GZIP_HEADER : _GZIP_HEADER + _LONGEST_NAME]
    return "\n".join(one.decode("latin-1") for one in told.split(b"\0", 2)[:2])


def _inflated(
    inflater: "zlib._Decompress", data: bytes, findings: Findings
) -> Iterator[bytes]:
    try:
        while data and not inflater.eof:
            piece = inflater.decompress(data, _PIECE)
            findings.budget.unpack(len(piece))
            yield piece
            data = inflater.unconsumed_tail
    except zlib.error:
        findings.doubt(BROKEN)
        return
    if not inflater.eof:
        findings.doubt(BROKEN)


def read_bzip2(content: bytes, findings: Findings) -> None:
    """Read a file compressed with bzip2."""
    _decompress(bz2.BZ2Decompressor(), content, findings)


def read_xz(content: bytes, findings: Findings) -> None:
    """Read a file compressed with xz."""
    _decompress(lzma.LZMADecompressor(memlimit=_LZMA_MEMORY), content, findings)


def _decompress(
    unpacker: "bz2.BZ2Decompressor | lzma.LZMADecompressor",
    content: bytes,
    findings: Findings,
) -> None:
    pieces = []
    try:
        while not unpacker.eof:
            piece = unpacker.decompress(content, _PIECE)
            if not piece and unpacker.needs_input and not content:
                findings.doubt(BROKEN)
                break
            content = b""
            findings.budget.unpack(len(piece))
            pieces.append(piece)
    except (OSError, EOFError, lzma.LZMAError):
        findings.doubt(BROKEN)
    if unpacker.eof and unpacker.unused_data.strip(b"\0"):
        findings.doubt(BROKEN)
    findings.open(ARCHIVE, "", b"".join(pieces))


def read_tar(content: bytes, findings: Findings) -> None:
    """Read every file of a TAR archive (POSIX ustar, pax, GNU)."""
    with tarfile.open(
        fileobj=io.BytesIO(content), mode="r:", ignore_zeros=True
    ) as archive:
        for member in archive:
            findings.budget.open()
            findings.show(FILE_NAMES, f"{member.name}\n{member.linkname}")
            findings.show(FILE_NAMES, f"{member.uname}\n{member.gname}")
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                findings.budget.unpack(min(member.size, len(content)))
                findings.open(ARCHIVE, member.name, file.read())
