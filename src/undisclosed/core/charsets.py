# SPDX-License-Identifier: Apache-2.0
"""Bytes to text in any charset that mail names (RFC 2978), without ever failing."""

import codecs
import functools

# Codecs of Python that are no charsets of mail, or take more than linear time.
_NOT_CHARSETS = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}
)
_WHERE_AN_AT_SIGN_MAY_HIDE = ("utf-16", "utf-32", "utf-7", "cp037", "cp500", "cp1140")


@functools.lru_cache(maxsize=256)
def codec_of(charset: str) -> str | None:
    """Python's name for a charset, None where there is none."""
    # RFC 2231 §5 lets a language follow the charset of an encoded word.
    wanted = charset.partition("*")[0].strip().strip("\"'").lower()
    try:
        name = codecs.lookup(wanted).name
        b"    ".decode(name)
    except UnicodeError:
        pass  # A codec of text that does not like these bytes.
    except (LookupError, ValueError):
        return None
    return None if name in _NOT_CHARSETS else name


def decode(data: bytes, charset: str = "") -> str:
    """The text of these bytes; what does not fit its charset is read another way.

    Text without a charset, or with a wrong one, is UTF-8 if it can be (RFC 6532
    §3.2), else Latin-1: no byte is lost.
    """
    codec = codec_of(charset[:64]) if charset else None
    for candidate in (codec, "utf-8") if codec else ("utf-8",):
        try:
            return data.decode(candidate)
        except (UnicodeError, ValueError):
            continue
    if codec in (None, "utf-8", "ascii"):
        return data.decode("latin-1")
    return data.decode(codec, "replace")


def has_ascii_at_sign(charset: str) -> bool:
    """Whether an at sign of this charset is the byte 0x40 wherever it stands."""
    codec = codec_of(charset[:64]) if charset else None
    return not (codec or "").startswith(_WHERE_AN_AT_SIGN_MAY_HIDE)
