# SPDX-License-Identifier: Apache-2.0
"""What a PDF holds beside its pages, stream by stream, whoever refers to it.

Forms of their own (XFA), scripts, metadata, drawn notes, files that only a note or a
page refers to, pages as they were before the last change: other programs show them,
and PDFium tells nothing of them. ISO 32000-2 §7.3.8 (streams), §7.3.4 (strings).
"""

import re
import zlib
from collections.abc import Iterator

from undisclosed.transport.reading.found import Findings

LONGEST_DICTIONARY = 512
"""Bytes before a stream in which its dictionary is looked at."""

_STREAM = re.compile(rb"\bstream\r?\n")
_LET_BE = re.compile(rb"/Image\b|/Length1\b|/XRef\b")
"""Pictures, fonts, tables of places."""

_FILE = re.compile(rb"/EmbeddedFile\b")
_DEFLATED = re.compile(rb"/FlateDecode\b|/Fl\b")
_HEXADECIMAL = re.compile(rb"<([0-9A-Fa-f\s]{16,65536})>")
_PIECE = 64 * 1024


def files_and_streams(
    content: bytes, findings: Findings
) -> Iterator[tuple[bool, bytes]]:
    """Each stream unpacked, and whether it is an embedded file. Raises TooMuch."""
    for found in _STREAM.finditer(content):
        start = max(0, found.start() - LONGEST_DICTIONARY)
        dictionary = content[start : found.start()]
        dictionary = dictionary[dictionary.rfind(b" obj") + 1 :]
        if _LET_BE.search(dictionary):
            continue
        end = content.find(b"endstream", found.end())
        stream = content[found.end() : end if end >= 0 else len(content)]
        if _DEFLATED.search(dictionary):
            stream = _inflated(stream, findings)
        else:
            stream = stream.removesuffix(b"\n").removesuffix(b"\r")
        yield _FILE.search(dictionary) is not None, stream


def strings(data: bytes) -> Iterator[str]:
    """The texts that stand in these bytes as hexadecimal digits or with escapes."""
    for found in _HEXADECIMAL.finditer(data):
        digits = b"".join(found[1].split()).decode("ascii")
        text = bytes.fromhex(digits + "0" * (len(digits) % 2))
        is_wide = text.startswith(b"\xfe\xff")
        yield text.decode("utf-16-be" if is_wide else "latin-1", "replace")
    if b"\\100" in data:
        yield data.replace(b"\\100", b"@").decode("latin-1")


def _inflated(stream: bytes, findings: Findings) -> bytes:
    """As far as it can be unpacked: what is broken was told by PDFium."""
    inflater = zlib.decompressobj()
    pieces: list[bytes] = []
    try:
        while stream and not inflater.eof:
            piece = inflater.decompress(stream, _PIECE)
            findings.budget.unpack(len(piece))
            pieces.append(piece)
            stream = inflater.unconsumed_tail
    except zlib.error:
        pass
    return b"".join(pieces)
