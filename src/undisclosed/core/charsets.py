# SPDX-License-Identifier: Apache-2.0
"""Bytes to text in any charset that mail names (RFC 2978), without ever failing."""

import codecs
import functools

# Codecs of Python that are no charsets of mail, or take more than linear time.
_NOT_CHARSETS = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}
)


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
    return None if name.replace("-", "_") in _NOT_CHARSETS else name


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


@functools.lru_cache(maxsize=256)
def is_transparent(codec: str) -> bool:
    """Whether every ASCII character is its own byte in this codec of Python.

    It is not in UTF-16, in EBCDIC, and where escapes change what bytes mean.
    """
    if codec.startswith(("iso2022", "hz", "utf-7", "utf_7")):
        return False
    ascii_bytes = bytes(range(0x20, 0x7F))
    try:
        # Some charsets of Asia have another sign at the place of two of them.
        text = ascii_bytes.decode(codec)
    except (UnicodeError, ValueError):
        return False
    return [one for one in text if one not in "\\~¥‾₩"] == [
        one for one in ascii_bytes.decode("ascii") if one not in "\\~"
    ]


def readings(data: bytes, charset: str) -> list[str]:
    """The text of these bytes in each way that a reader might take it.

    A reader that does not know the charset shows ASCII; one that does leaves out
    what does not fit.
    """
    first = decode(data, charset)
    codec = codec_of(charset[:64]) if charset else None
    texts = [first]
    if codec and not is_transparent(codec):
        texts += [data.decode(codec, "replace"), decode(data.replace(b"\0", b""))]
    elif not data.isascii():
        texts.append(data.decode("utf-8", "ignore"))
    return list(dict.fromkeys(texts))
