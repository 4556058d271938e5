# SPDX-License-Identifier: Apache-2.0
"""Mail that the system itself writes, as bytes: plain text, HTML, attached mail.

Lines end in CRLF, no line is longer than 998 octets (RFC 5322 §2.1.1), and only
addresses outside ASCII and attached mail need more than seven bits (RFC 6532,
RFC 6152). Times are aware; ids and boundaries come from the caller, so that the
same letter is written twice alike.
"""

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

ENCODED_WORD_BYTES = 42
"""Bytes of text in one encoded word: 75 characters are allowed (RFC 2047 §2)."""
MAX_UNENCODED = 70
"""Characters of a subject that stand as they are, on one line."""
BASE64_LINE = 76


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail of our own. Addresses are spelled out; all else is plain text.

    ``message_id`` is without its angle brackets. ``more`` are further fields, name
    and ASCII body.
    """

    author_name: str
    author: str = field(repr=False)
    to: str = field(repr=False)
    subject: str = field(repr=False)
    written_at: datetime
    message_id: str
    plain: str = field(repr=False)
    html: str | None = field(repr=False, default=None)
    more: tuple[tuple[str, str], ...] = ()

    @property
    def is_international(self) -> bool:
        """Whether an address needs SMTPUTF8 (RFC 6531 §3.3)."""
        return not (self.author + self.to).isascii()


def write_letter(letter: Letter, boundary: str) -> bytes:
    """The letter whole: text alone, or text and HTML as alternatives."""
    if letter.html is None:
        return header(letter) + text_part(letter.plain)
    parts = (text_part(letter.plain), text_part(letter.html, "html"))
    return multipart(letter, "multipart/alternative", boundary, parts)


def write_around(letter: Letter, boundary: str, is_8bit: bool) -> tuple[bytes, bytes]:
    """What stands before and behind a mail that the letter carries attached.

    The mail between is a message/rfc822 part (RFC 2046 §5.2.1) and stays as it is to
    the byte. The caller picks a boundary that does not occur in it.
    """
    encoding = "8bit" if is_8bit else "7bit"
    attached = lines(
        "Content-Type: message/rfc822",
        f"Content-Transfer-Encoding: {encoding}",
        "Content-Disposition: attachment",
        "",
    )
    whole = multipart(
        letter, "multipart/mixed", boundary, (text_part(letter.plain), attached)
    )
    behind = lines("", f"--{boundary}--")
    return whole.removesuffix(behind), behind


def multipart(
    letter: Letter, media_type: str, boundary: str, parts: tuple[bytes, ...]
) -> bytes:
    """The letter's header and parts; every part with its own header (RFC 2046 §5.1)."""
    content_type = lines(f'Content-Type: {media_type}; boundary="{boundary}"', "")
    delimiter = lines("", f"--{boundary}")
    body = b"".join(delimiter + part for part in parts)
    return header(letter) + content_type + body + lines("", f"--{boundary}--")


def header(letter: Letter) -> bytes:
    """The fields that every letter has, without the empty line behind them.

    Auto-Submitted keeps other programs from answering (RFC 3834 §5.2).
    """
    author = f"{phrase(letter.author_name)} <{one_line(letter.author)}>"
    fields = (
        ("From", author),
        ("To", f"<{one_line(letter.to)}>"),
        ("Subject", unstructured(letter.subject)),
        ("Date", date_time(letter.written_at)),
        ("Message-ID", f"<{letter.message_id}>"),
        ("Auto-Submitted", "auto-generated"),
        *letter.more,
        ("MIME-Version", "1.0"),
    )
    return lines(*(f"{name}: {body}" for name, body in fields))


def text_part(text: str, subtype: str = "plain") -> bytes:
    """A text part with its header: as it is where it is ASCII, else base64."""
    crlf = text.replace("\r\n", "\n").rstrip("\n").replace("\n", "\r\n") + "\r\n"
    encoded = crlf.encode("utf-8", "replace")
    is_plain = encoded.isascii() and max(map(len, encoded.split(b"\r\n"))) < 998
    charset = "us-ascii" if is_plain else "utf-8"
    fields = lines(
        f"Content-Type: text/{subtype}; charset={charset}",
        f"Content-Transfer-Encoding: {'7bit' if is_plain else 'base64'}",
        "",
    )
    return fields + (encoded if is_plain else in_base64(encoded))


def in_base64(data: bytes) -> bytes:
    """Base64 in lines of 76 (RFC 2045 §6.8)."""
    encoded = base64.b64encode(data).decode("ascii")
    starts = range(0, len(encoded), BASE64_LINE)
    return lines(*(encoded[start : start + BASE64_LINE] for start in starts))


def unstructured(text: str) -> str:
    """A field body of free text: as it is, or as encoded words (RFC 2047 §2)."""
    plain = one_line(text)
    if plain.isascii() and len(plain) <= MAX_UNENCODED and "=?" not in plain:
        return plain
    pieces, piece = [], ""
    for character in plain:
        if len((piece + character).encode("utf-8", "replace")) > ENCODED_WORD_BYTES:
            pieces.append(piece)
            piece = ""
        piece += character
    words = [base64.b64encode(p.encode("utf-8", "replace")) for p in (*pieces, piece)]
    return "\r\n ".join(f"=?utf-8?b?{word.decode('ascii')}?=" for word in words)


def phrase(text: str) -> str:
    """A display name (RFC 5322 §3.2.5): quoted, or as encoded words."""
    plain = one_line(text)
    if plain.isascii() and len(plain) <= MAX_UNENCODED:
        escaped = plain.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return unstructured(plain + "\N{NO-BREAK SPACE}" if plain.isascii() else plain)


def one_line(text: str) -> str:
    """The text without control characters: nothing can begin a field of its own."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).strip()


def date_time(at: datetime) -> str:
    """A date as RFC 5322 §3.3 has it, in UTC, whatever the locale."""
    utc = at.astimezone(UTC)
    day = f"{WEEKDAYS[utc.weekday()]}, {utc.day} {MONTHS[utc.month - 1]} {utc.year}"
    return f"{day} {utc:%H:%M:%S} +0000"


def lines(*texts: str) -> bytes:
    """Each text with its CRLF, as UTF-8."""
    return "".join(f"{text}\r\n" for text in texts).encode("utf-8", "replace")
