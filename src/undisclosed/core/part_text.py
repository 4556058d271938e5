# SPDX-License-Identifier: Apache-2.0
"""The text of a part in every way in which a mail reader might show it.

Mail readers do not agree about charsets: one believes what a part says of itself,
one does not know the charset and shows ASCII, one leaves control characters out.
A text that holds no at sign in any of these ways costs a search.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace

from undisclosed.core.charsets import codec_of, decode, is_transparent, readings
from undisclosed.core.mime import TextPart
from undisclosed.core.text import has_at_sign, html_has_at_sign
from undisclosed.core.transfer_encodings import OVERLAP, decoded, stream
from undisclosed.formats.calendar import unfolded

LONGEST_IN_ODD_CHARSET = 8 * 1024 * 1024
"""Bytes of a part that are decoded from a charset whose bytes are not ASCII's: such
decoders are slow where much does not fit."""

# All but tab, line feed, vertical tab, form feed, carriage return, and the escape
# that begins a change of charset.
_CONTROLS = bytes({*range(32), 127} - {9, 10, 11, 12, 13, 27})
_BYTE_ORDER_MARKS = b"\xff\xfe"
_CONTROLS_IN_TEXT = dict.fromkeys(_CONTROLS)
_AT_SIGN = re.compile(rb"@|%40|=40")
# Values in Base64, and references as HTML in a calendar has them.
_CODED_LINE = re.compile(rb"[Nn][Gg]=\"?[Bb]|;base64,|&#|&commat")
_EIGHT_BIT = bytes(range(128, 256))
_JAPANESE_BEGINS = b"\x1b$"  # RFC 1468: some mail does not name its charset


def is_read_whole(part: TextPart) -> bool:
    """Whether the part is short enough to be decoded to its end."""
    if part.end - part.start <= LONGEST_IN_ODD_CHARSET:
        return True
    codec = codec_of(part.charset[:64]) if part.charset else None
    return codec is None or is_transparent(codec)


def bytes_of(part: TextPart, most: int = 0) -> bytes:
    """The decoded bytes of a part; with ``most``, not many more than its first ones."""
    pieces: list[bytes] = []
    size = 0
    # Encoded, what is wanted takes up to three times its size, and line ends.
    end = min(part.end, part.start + 4 * most) if most else part.end
    for block in stream(part.source, part.start, end, part.encoding):
        pieces.append(block)
        size += len(block)
        if most and size >= most:
            break
    return b"".join(pieces)


def texts_with_at_sign(part: TextPart) -> Iterator[str]:
    """The readings of a part's blocks that hold an at sign in some form."""
    charset = part.charset
    codec = codec_of(charset[:64]) if charset else None
    if codec and not is_transparent(codec):
        yield from _in_its_charset(part, codec)
        if codec.startswith(("iso2022", "hz")):
            return
        charset = ""
    for block in decoded(part.source, part.start, part.end, part.encoding):
        yield from _of_block(block, charset)


def texts_of_lines(part: TextPart, most: int) -> list[str]:
    """The readings of a part made of folded content lines, if it may name anybody.

    Folds may lie inside of a character, so they are undone before it is decoded.
    """
    data = bytes_of(replace(part, end=min(part.end, part.start + most)))
    codec = codec_of(part.charset[:64]) if part.charset else None
    if codec and not is_transparent(codec):
        return [text for text in readings(data, part.charset) if has_at_sign(text)]
    if not (
        b"@" in data
        or b"%40" in data
        or b"=40" in data
        or _CODED_LINE.search(data)
        or _may_hide_at_sign(data)
    ):
        return []
    clean = unfolded(data.translate(None, _CONTROLS).lstrip(_BYTE_ORDER_MARKS))
    return readings(clean, part.charset)


def _of_block(block: bytes, charset: str) -> Iterator[str]:
    if b"@" in block or b"%40" in block:
        yield decode(block, charset)
    elif _may_hide_at_sign(block):
        text = decode(block, charset)
        if html_has_at_sign(text):
            yield text
    else:
        return
    clean = block.translate(None, _CONTROLS).lstrip(_BYTE_ORDER_MARKS)
    if len(clean) != len(block):
        yield decode(clean, charset)
    if not block.isascii():
        yield from _in_utf_8(clean)
    if _JAPANESE_BEGINS in block:
        yield clean.decode("iso2022_jp_2", "replace")


def _in_utf_8(block: bytes) -> Iterator[str]:
    """What shows where a byte that does not fit is left out of UTF-8."""
    try:
        block.decode("utf-8")
    except UnicodeError:
        text = block.decode("utf-8", "ignore")
        if has_at_sign(text):
            yield text


def _may_hide_at_sign(block: bytes) -> bool:
    # HTML may stand under any name.
    if b"&#" in block or b"&comm" in block:
        return True
    return not block.isascii() or b"\x1b" in block


def _in_its_charset(part: TextPart, codec: str) -> Iterator[str]:
    """Text whose bytes are not ASCII's, decoded as one stream whatever its blocks."""
    decoder = codecs.getincrementaldecoder(codec)("replace")
    left = ""
    end = min(part.end, part.start + LONGEST_IN_ODD_CHARSET)
    for block in stream(part.source, part.start, end, part.encoding):
        if codec == "utf-7":
            # No byte of UTF-7 has its eighth bit; each one would cost an error.
            block = block.translate(None, _EIGHT_BIT)  # noqa: PLW2901
        try:
            text = left + decoder.decode(block)
        except UnicodeError:
            return  # A stream that does not begin as its charset must.
        if html_has_at_sign(text):
            yield text.translate(_CONTROLS_IN_TEXT)
        left = text[-OVERLAP:] if len(block) > OVERLAP else text
