# SPDX-License-Identifier: Apache-2.0
"""The text of a field body: encoded words (RFC 2047) and 8-bit text (RFC 6532).

Encoded words are read wherever they stand, inside quotes and comments too, because
mail readers show them there against RFC 2047 §5.
"""

import binascii
import re
from collections.abc import Iterator
from itertools import chain, pairwise

from undisclosed.core.charsets import decode, readings

# Spaces inside the encoded text are not allowed, and decoded by mail readers.
_HEAD = re.compile(r"=\?[ \t]*+([^?\s]{0,80}+)[ \t]*+\?[ \t]*+([bBqQ])[ \t]*+\?")
_BLANK = re.compile(r"\s")
_WIDE_AT_SIGNS = "\uff20\ufe6b"
_AT_SIGNS = "@" + _WIDE_AT_SIGNS
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_FOLD = re.compile(r"\r?\n(?=[ \t])")


def field_text(body: bytes) -> str:
    """The body of a field as a reader would see it, on one line."""
    text = body.decode("ascii") if body.isascii() else _eight_bit_text(body)
    if "\x1b" in text:
        text = body.decode("iso2022_jp_2", "replace")
    if "=?" in text:
        text = decode_words(text)
    return (_FOLD.sub("", text) if "\n" in text else text).strip()


def _eight_bit_text(body: bytes) -> str:
    """8-bit text; where it is no UTF-8, what of it shows as an at sign to others."""
    text = decode(body)
    if "\xef" in text:
        lenient = body.decode("utf-8", "ignore")
        if lenient != text and any(sign in lenient for sign in _WIDE_AT_SIGNS):
            return f"{text}, {lenient}"
    return text


def decode_words(text: str) -> str:
    """The text with its encoded words decoded; words that cannot be stay as they are.

    Neighbours of one charset and encoding are decoded together: some senders cut
    them in the middle of a character.
    """
    pieces: list[str] = []
    pending: list[bytes] = []
    pending_charset = ""
    position = 0
    follows = False
    for start, end, charset, data in _words(text):
        gap = text[position:start]
        follows = follows and data is not None and not gap.strip()
        if pending and not (follows and charset == pending_charset):
            pieces.append(_as_read(pending, pending_charset))
            pending = []
        if not follows:
            pieces.append(gap)
        if data is None:
            pieces.append(text[start:end])
        else:
            pending.append(data)
        pending_charset = charset
        follows = data is not None
        position = end
    pieces.append(_as_read(pending, pending_charset))
    pieces.append(text[position:])
    return "".join(pieces)


def _words(text: str) -> Iterator[tuple[int, int, str, bytes | None]]:
    """Where each encoded word stands, its charset, and its bytes if it has any.

    A question mark inside of a word, and a word that never ends, are read as lenient
    readers do: to ``?=``, or to the next word or white space.
    """
    end = -1
    for head, follower in pairwise(chain(_HEAD.finditer(text), (None,))):
        if head is None:
            break
        if head.start() < end - 1:
            continue
        limit = follower.start() if follower else len(text)
        if end < len(text) and end - 2 < head.end():
            end = text.find("?=", head.end())
            end = len(text) + 2 if end < 0 else end + 2
        if end - 2 <= limit and end <= len(text):
            encoded, after = text[head.end() : end - 2], end
        else:
            blank = _BLANK.search(text, head.end(), limit)
            after = blank.start() if blank else limit
            encoded = text[head.end() : after]
        yield head.start(), after, head[1].lower(), _encoded_bytes(head[2], encoded)


def _as_read(words: list[bytes], charset: str) -> str:
    """The text of neighbouring words, with what other readers would find in them."""
    texts = readings(b"".join(words), charset)
    others = [text for text in texts[1:] if any(one in text for one in _AT_SIGNS)]
    return ", ".join((texts[0], *others)) if others else texts[0]


def _encoded_bytes(encoding: str, encoded: str) -> bytes | None:
    if encoding in "qQ":
        raw = encoded.replace("_", " ").encode("utf-8", "surrogatepass")
        return _HEX.sub(lambda pair: bytes.fromhex(pair[1].decode()), raw)
    if "@" in encoded:
        return None
    if "=" in encoded.rstrip("= \t"):
        return _from_padded(encoded)
    clean = _NOT_BASE64.sub("", encoded)
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + "=" * (-len(clean) % 4))


def _from_padded(encoded: str) -> bytes:
    """Base64 that goes on after a padding, which keeps its place: a byte of zero."""
    clean = "".join(_NOT_BASE64.sub("", piece) + "A" for piece in encoded.split("="))
    return binascii.a2b_base64(clean[: len(clean) - len(clean) % 4]).replace(b"\0", b"")
