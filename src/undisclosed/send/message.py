# SPDX-License-Identifier: Apache-2.0
"""One message as it goes over the wire: header fields, parts, encodings.

Everything that is the same for all is made once; for each person the values are put
in and the texts encoded. Line ends are CRLF (RFC 5322 §2.1). The dot-stuffing is left
to the transport.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from urllib.parse import quote

from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached

LONGEST_LINE = 900
"""Octets of a line that is left as it is (RFC 5321 §4.5.3.1.6 allows 998)."""

_ALTERNATIVE, _MIXED = b"=_text", b"=_all"
"""Boundaries. ``=_`` cannot stand in quoted-printable nor in Base64 (RFC 2045 §6.7)."""

_PART = b"--%s\r\nContent-Type: text/%s; charset=utf-8\r\nContent-Transfer-Encoding: "
_BLANK = b"\r\n\r\n"
_BEGINS = (
    b'Content-Type: multipart/alternative; boundary="%s"\r\n\r\n' % _ALTERNATIVE
    + _PART % (_ALTERNATIVE, b"plain")
)
_GOES_ON = b"\r\n" + _PART % (_ALTERNATIVE, b"html")
_ENDS = b"\r\n--%s--\r\n" % _ALTERNATIVE
"""A body of two texts: between these stand how each is encoded, and its octets."""

# RFC 3834 §5: nobody's holiday answers to this.
_LAST_FIELDS = b"Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"

_WORD = 45  # octets of UTF-8 in one encoded word (RFC 2047 §2: 75 characters at most)
_PLAIN = re.compile(r"[\x20-\x7e]*")
_ATOMS = re.compile(r"[A-Za-z0-9 !#$%&'*+/=?^_`{|}~-]+")
_MAILBOX_SPECIALS = re.compile(r'(["\\])')
_NEWLINE = re.compile(rb"\r?\n")
_MEDIA_TYPE = re.compile(r"[a-z0-9]+/[a-z0-9.+-]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marks:
    """What is different in each message besides the row: opaque, and of its own.

    ``message_id`` is the left side of the Message-ID; ``unsubscribe_url`` empty where
    nobody can unsubscribe (service mail).
    """

    message_id: str
    date: datetime
    unsubscribe_url: str = field(default="", repr=False)
    feedback_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One complete message. ``needs_utf8``: only SMTPUTF8 can carry it (RFC 6531)."""

    wire: bytes = field(repr=False)
    needs_utf8: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """An attachment, already encoded as the part that it will be."""

    part: bytes = field(repr=False)
    digest: bytes


class Shape:
    """What all messages of a campaign have in common."""

    def __init__(
        self,
        *,
        author: Address,
        author_name: str,
        reply_to: Address | None,
        hostname: str,
    ) -> None:
        self._from = b"From: " + _mailbox(author_name, author) + b"\r\nTo: "
        self._host = b"@" + hostname.encode("ascii") + b">\r\n"
        if reply_to:
            self._host += b"Reply-To: " + _bare(reply_to) + b"\r\n"
        self._date: tuple[datetime | None, bytes] = (None, b"")

    def message(
        self,
        to: Address,
        subject: str,
        texts: tuple[str, str],
        files: Sequence[File],
        marks: Marks,
    ) -> Message:
        """The message; ``texts`` are the plain text and the HTML, lines end in LF."""
        fields = [
            self._from,
            _bare(to),
            b"\r\nSubject: ",
            unstructured(subject),
            self._dated(marks.date),
            marks.message_id.encode("ascii"),
            self._host,
        ]
        if marks.unsubscribe_url:
            # RFC 8058 §3.1: both, and both signed.
            url = marks.unsubscribe_url.encode("ascii")
            fields.append(b"List-Unsubscribe: <%s>\r\n" % url)
            fields.append(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n")
        if marks.feedback_id:
            fields.append(b"Feedback-ID: %s\r\n" % marks.feedback_id.encode("ascii"))
        fields.append(_LAST_FIELDS)
        header = b"".join(fields)
        return Message(header + _body(texts, files), not header.isascii())

    def _dated(self, date: datetime) -> bytes:
        """The Date field and the beginning of the next: many messages have one date."""
        last, written = self._date
        if date is not last:
            written = format_datetime(date).encode("ascii")
            self._date = (date, written)
        return b"\r\nDate: %s\r\nMessage-ID: <" % written


def file_of(attached: Attached, digest: bytes) -> File:
    """Encode an attachment once for all messages that carry it (RFC 2045 §6.8).

    Raises ValueError for what is no media type.
    """
    if not _MEDIA_TYPE.fullmatch(attached.media_type):
        raise ValueError("no media type")
    encoded = _NEWLINE.sub(b"\r\n", base64.encodebytes(attached.content))
    name = quote(attached.name, safe="")
    head = (
        f"Content-Type: {attached.media_type}\r\n"
        "Content-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment; filename*=UTF-8''{name}\r\n\r\n"
    )
    return File(head.encode("ascii") + encoded, digest)


def unstructured(text: str) -> bytes:
    """A text as the body of a field, in encoded words where it must (RFC 2047)."""
    if _PLAIN.fullmatch(text) and "=?" not in text and len(text) <= LONGEST_LINE:
        return text.encode("ascii")
    return b"\r\n ".join(_encoded_words(text))


def encoded_text(text: str) -> tuple[bytes, bytes]:
    """How a text travels: the transfer encoding and the octets (RFC 2045 §6)."""
    octets = text.encode("utf-8")
    is_plain = octets.isascii() and b"=_" not in octets
    if is_plain and not _has_long_line(octets):
        return b"7bit", _with_line_ends(octets)
    quoted = binascii.b2a_qp(octets, istext=True)
    return b"quoted-printable", _with_line_ends(quoted)


def _has_long_line(octets: bytes) -> bool:
    """Whether a line has more than ``LONGEST_LINE`` octets; jumps from line to line."""
    start = 0
    while start + LONGEST_LINE < len(octets):
        end = octets.rfind(b"\n", start, start + LONGEST_LINE + 1)
        if end < 0:
            return True
        start = end + 1
    return False


def _with_line_ends(octets: bytes) -> bytes:
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n")
    return octets.replace(b"\n", b"\r\n")


def _body(texts: tuple[str, str], files: Sequence[File]) -> bytes:
    (plain_as, plain), (html_as, html) = encoded_text(texts[0]), encoded_text(texts[1])
    pieces = (_BEGINS, plain_as, _BLANK, plain, _GOES_ON, html_as, _BLANK, html, _ENDS)
    alternative = b"".join(pieces)
    if not files:
        return alternative
    parts = b"".join(b"--%s\r\n%s" % (_MIXED, one.part) for one in files)
    return (
        b'Content-Type: multipart/mixed; boundary="%s"\r\n\r\n--%s\r\n'
        % (_MIXED, _MIXED)
        + alternative
        + parts
        + b"--%s--\r\n" % _MIXED
    )


def _encoded_words(text: str) -> list[bytes]:
    """Words of whole characters, so that each can be decoded alone (RFC 2047 §5)."""
    words, piece = [], b""
    for letter in text:
        octets = letter.encode("utf-8", "replace")
        if len(piece) + len(octets) > _WORD:
            words.append(piece)
            piece = b""
        piece += octets
    words.append(piece)
    return [b"=?utf-8?B?%s?=" % base64.b64encode(word) for word in words]


def _mailbox(name: str, address: Address) -> bytes:
    if not name:
        return _bare(address)
    if _ATOMS.fullmatch(name):
        written = name.encode("ascii")
    elif _PLAIN.fullmatch(name) and "=?" not in name:
        written = b'"%s"' % _MAILBOX_SPECIALS.sub(r"\\\1", name).encode("ascii")
    else:
        written = b" ".join(_encoded_words(name))
    return written + b" <" + _bare(address) + b">"


def _bare(address: Address) -> bytes:
    return address.spelled_out().encode("utf-8")
