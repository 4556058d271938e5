# SPDX-License-Identifier: Apache-2.0
"""The text of a field body: encoded words (RFC 2047) and 8-bit text (RFC 6532).

Encoded words are read wherever they stand, inside quotes and comments too, because
mail readers show them there against RFC 2047 §5.
"""

import binascii
import re

from undisclosed.core.charsets import decode

# Spaces inside the encoded text are not allowed, and decoded by mail readers.
_WORD = re.compile(r"=\?([^?\s]*)\?([bBqQ])\?([^?]*)\?=")
_BETWEEN = re.compile(r"(\?=)\s+(?==\?[^?\s]*\?[bBqQ]\?[^?]*\?=)")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_FOLD = re.compile(r"\r?\n(?=[ \t])")


def field_text(body: bytes) -> str:
    """The body of a field as a reader would see it, on one line."""
    text = body.decode("ascii") if body.isascii() else decode(body)
    if "=?" in text:
        text = decode_words(text)
    return (_FOLD.sub("", text) if "\n" in text else text).strip()


def decode_words(text: str) -> str:
    """The text with its encoded words decoded; words that cannot be stay as they are.

    Neighbours of one charset and encoding are decoded together: some senders cut
    them in the middle of a character.
    """
    text = _BETWEEN.sub(r"\1", text)
    pieces: list[str] = []
    pending: list[bytes] = []
    pending_charset = ""
    position = 0
    for word in _WORD.finditer(text):
        data = _encoded_bytes(word[2], word[3])
        charset = word[1].lower()
        is_apart = word.start() != position or charset != pending_charset
        if pending and (is_apart or data is None):
            pieces.append(decode(b"".join(pending), pending_charset))
            pending = []
        pieces.append(text[position : word.start()])
        if data is None:
            pieces.append(word[0])
        else:
            pending.append(data)
        pending_charset = charset
        position = word.end()
    pieces.append(decode(b"".join(pending), pending_charset))
    pieces.append(text[position:])
    return "".join(pieces)


def is_glued(text: str) -> bool:
    """Whether an encoded word touches a letter: readers part them there or do not."""
    return any(
        text[word.end() : word.end() + 1].isalnum()
        or text[max(0, word.start() - 1) : word.start()].isalnum()
        for word in _WORD.finditer(text)
    )


def part_words(text: str) -> str:
    """The text with white space around every encoded word."""
    return _WORD.sub(r" \g<0> ", text)


def _encoded_bytes(encoding: str, encoded: str) -> bytes | None:
    if encoding in "qQ":
        raw = encoded.replace("_", " ").encode("utf-8", "surrogatepass")
        return _HEX.sub(lambda pair: bytes.fromhex(pair[1].decode()), raw)
    if "@" in encoded:
        return None
    clean = _NOT_BASE64.sub("", encoded)
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + "=" * (-len(clean) % 4))
