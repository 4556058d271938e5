# SPDX-License-Identifier: Apache-2.0
"""Transfer encodings undone (RFC 2045 §6), block by block, as lenient readers do it.

Base64 with junk or padding in its middle, soft line breaks with white space behind
them, uuencode: what some mail reader decodes is decoded. Nothing here raises.
"""

import binascii
import re
from collections.abc import Iterator

BLOCK = 256 * 1024
"""Bytes of a part that are decoded at once, so that memory stays bounded."""

OVERLAP = 1024
"""Bytes that two blocks share where no line ends between them: more than an address."""

MOST_FILES = 200
"""Uuencoded files that are decoded in one text."""

LONGEST_UUENCODED = 8 * 1024 * 1024
"""Bytes of a text in which uuencoded files are looked for."""

IDENTITY = ""
BASE64 = "base64"
QUOTED_PRINTABLE = "quoted-printable"
UUENCODE = "x-uuencode"

_NAMES = {
    "": IDENTITY,
    "7bit": IDENTITY,
    "8bit": IDENTITY,
    "binary": IDENTITY,
    "base64": BASE64,
    "quoted-printable": QUOTED_PRINTABLE,
    "x-uuencode": UUENCODE,
    "uuencode": UUENCODE,
    "x-uue": UUENCODE,
    "uue": UUENCODE,
}
_COMMENT = re.compile(r"\([^()]*\)")
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64 = bytes(set(range(256)) - set(_ALPHABET))
_NOT_PADDED_BASE64 = bytes(set(_NOT_BASE64) - set(b"="))
_SOFT_BREAKS = re.compile(rb"=(?:[ \t]++\r?(?=\n)|[ \t]*+\r(?!\n))")
_UU_START = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*\r?\n", re.MULTILINE)


def encodings_named(body: bytes) -> tuple[str, ...]:
    """The encodings that a Content-Transfer-Encoding field may mean to a reader.

    One that is misspelt or unknown is ignored by some readers, guessed by others:
    each way is read.
    """
    text = body.decode("latin-1").lower().strip(" \t\r\n\"';,.")
    if "(" in text:
        text = _COMMENT.sub(" ", text).strip()
    name = _NAMES.get(text)
    if name is not None:
        return (name,)
    return (IDENTITY, BASE64, QUOTED_PRINTABLE)


def decoded(source: bytes, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """The bytes of a part with its transfer encoding undone.

    Blocks end with a line where there are lines, and overlap where there are none,
    so that an address always stands whole in one of them.
    """
    if not encoding and end - start <= BLOCK:
        yield source[start:end]
        return
    yield from _whole_lines(stream(source, start, end, encoding))
    if encoding == BASE64 and _has_inner_padding(source, start, end):
        yield from _whole_lines(_from_padded_base64(source, start, end))


def stream(source: bytes, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """The decoded bytes in blocks that are cut anywhere and do not overlap."""
    if encoding == BASE64:
        yield from _from_base64(source, start, end)
    elif encoding == UUENCODE:
        yield uudecoded(source[start : min(end, start + LONGEST_UUENCODED)])
    else:
        is_quoted = encoding == QUOTED_PRINTABLE
        while start < end:
            cut = _cut(source, start, min(start + BLOCK, end), end, is_quoted=is_quoted)
            block = source[start:cut]
            yield _from_quoted_printable(block) if is_quoted else block
            start = cut


def _cut(source: bytes, start: int, cut: int, end: int, *, is_quoted: bool) -> int:
    if not is_quoted or cut == end:
        return cut
    line = source.rfind(b"\n", start, cut) + 1
    if line:
        return line
    # Not inside of an encoded byte: it is three characters long.
    sign = source.rfind(b"=", cut - 2, cut)
    return sign if sign > start else cut


def _from_quoted_printable(block: bytes) -> bytes:
    if b"= " in block or b"=\t" in block or b"=\r" in block:
        block = _SOFT_BREAKS.sub(b"=\n", block).replace(b"=\n\n", b"=\n")
    return binascii.a2b_qp(block)


def _from_base64(source: bytes, start: int, end: int) -> Iterator[bytes]:
    left = b""
    while start < end:
        cut = min(start + BLOCK, end)
        clean = left + source[start:cut].translate(None, _NOT_BASE64)
        whole = len(clean) - len(clean) % 4
        yield binascii.a2b_base64(clean[:whole])
        left = clean[whole:]
        start = cut
    if len(left) > 1:
        yield binascii.a2b_base64(left + b"=" * (4 - len(left)))


def _has_inner_padding(source: bytes, start: int, end: int) -> bool:
    """Whether Base64 goes on after a padding: pieces were encoded one by one."""
    padding = source.find(b"=", start, end)
    return padding >= 0 and bool(source[padding:end].strip(b"= \t\r\n"))


def _from_padded_base64(source: bytes, start: int, end: int) -> Iterator[bytes]:
    """Base64 whose paddings keep their place: four characters are three bytes.

    A padding becomes a zero byte, which is no part of any text, and is left out.
    """
    left = b""
    while start < end:
        cut = min(start + BLOCK, end)
        clean = left + source[start:cut].translate(None, _NOT_PADDED_BASE64)
        whole = len(clean) - len(clean) % 4
        block = binascii.a2b_base64(clean[:whole].replace(b"=", b"A"))
        yield block.replace(b"\0", b"")
        left = clean[whole:]
        start = cut


def uudecoded(source: bytes) -> bytes:
    """The files of a uuencoded text, one after the other; empty where there is none."""
    pieces: list[bytes] = []
    position = 0
    for _ in range(MOST_FILES):
        begin = _UU_START.search(source, position)
        if begin is None:
            break
        position = begin.end()
        while position < len(source):
            line_end = source.find(b"\n", position)
            line_end = len(source) if line_end < 0 else line_end
            line = source[position:line_end].rstrip(b"\r")
            position = line_end + 1
            if line in (b"end", b"", b"`"):
                break
            pieces.append(_from_uu_line(line))
    return b"".join(pieces)


def _from_uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        # Trailing junk of some encoders: as many characters as the length says.
        size = ((line[0] - 32) & 63) * 4 // 3 + 4
        try:
            return binascii.a2b_uu(line[:size])
        except binascii.Error:
            return b""


def _whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    left = b""
    for block in blocks:
        whole = left + block
        cut = whole.rfind(b"\n") + 1
        if not cut and len(whole) > BLOCK:
            yield whole
            left = whole[-OVERLAP:]
            continue
        if cut:
            yield whole[:cut]
        left = whole[cut:]
    if left:
        yield left
