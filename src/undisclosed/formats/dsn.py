# SPDX-License-Identifier: Apache-2.0
"""Delivery status notifications (RFC 3464): what became of which recipient.

A report is a multipart/report (RFC 6522) of three parts: words for people, a
group of fields per recipient for programs, and the header of the mail that it
is about. Everything is ASCII: addresses outside it are written as RFC 6533 §3
has them for such reports (``utf-8;`` with ``\\x{…}``).
"""

import quopri
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from undisclosed.formats.letter import (
    Letter,
    date_time,
    lines,
    multipart,
    one_line,
    text_part,
)

MAX_LINE = 998
"""Octets of a line without its CRLF (RFC 5322 §2.1.1)."""
DIAGNOSTIC = 900
"""Characters of a reply that are kept; the field has a name and a type before it."""


class DeliveryAction(Enum):
    """What was done for a recipient (RFC 3464 §2.3.3)."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    EXPANDED = "expanded"


@dataclass(frozen=True, slots=True)
class RecipientStatus:
    """One recipient's group of fields (RFC 3464 §2.3).

    ``original_recipient`` is the ORCPT as the sender gave it, type and xtext
    (RFC 3461 §4.2). ``status`` is an enhanced status code (RFC 3463), ``reply``
    what the next hop said.
    """

    final_recipient: str = field(repr=False)
    action: DeliveryAction
    status: str
    reply: str = field(default="", repr=False)
    original_recipient: str | None = field(default=None, repr=False)
    last_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """One report: per message (RFC 3464 §2.2), then per recipient.

    ``envelope_id`` is the ENVID as the sender gave it, in xtext (RFC 3461 §4.4).
    """

    reporting_mta: str
    recipients: tuple[RecipientStatus, ...]
    envelope_id: str | None = None
    arrived_at: datetime | None = None


def write_dsn(
    letter: Letter, report: DeliveryReport, returned_header: bytes, boundary: str
) -> bytes:
    """The report as a message: the letter's words, the groups, the header.

    ``returned_header`` is what may be seen of the original (RFC 3464 §2: the third
    part); the caller cuts it.
    """
    return multipart(
        letter,
        "multipart/report; report-type=delivery-status",
        boundary,
        (text_part(letter.plain), _status_part(report), _header_part(returned_header)),
    )


def _status_part(report: DeliveryReport) -> bytes:
    """message/delivery-status: groups of fields with an empty line between them."""
    groups = [_message_group(report)]
    groups += [_recipient_group(recipient) for recipient in report.recipients]
    return lines("Content-Type: message/delivery-status", "") + b"\r\n".join(groups)


def _message_group(report: DeliveryReport) -> bytes:
    fields = []
    if report.envelope_id is not None:
        fields.append(f"Original-Envelope-Id: {_decoded_xtext(report.envelope_id)}")
    fields.append(f"Reporting-MTA: dns; {_ascii(report.reporting_mta)}")
    if report.arrived_at is not None:
        fields.append(f"Arrival-Date: {date_time(report.arrived_at)}")
    return lines(*fields)


def _recipient_group(recipient: RecipientStatus) -> bytes:
    fields = []
    if recipient.original_recipient is not None:
        kind, _, address = recipient.original_recipient.partition(";")
        original = f"{_ascii(kind)}; {_decoded_xtext(address)}"
        fields.append(f"Original-Recipient: {original}")
    fields.append(f"Final-Recipient: {_typed(recipient.final_recipient)}")
    fields.append(f"Action: {recipient.action.value}")
    fields.append(f"Status: {recipient.status}")
    if recipient.reply:
        fields.append(f"Diagnostic-Code: smtp; {_ascii(recipient.reply)[:DIAGNOSTIC]}")
    if recipient.last_attempt_at is not None:
        fields.append(f"Last-Attempt-Date: {date_time(recipient.last_attempt_at)}")
    return lines(*fields)


def _header_part(header: bytes) -> bytes:
    """text/rfc822-headers (RFC 6522 §4): as it is, or made legal by encoding."""
    crlf = header.rstrip(b"\r\n") + b"\r\n"
    is_legal = crlf.isascii() and max(map(len, crlf.split(b"\r\n"))) <= MAX_LINE
    encoding = "7bit" if is_legal else "quoted-printable"
    fields = lines(
        "Content-Type: text/rfc822-headers", f"Content-Transfer-Encoding: {encoding}"
    )
    if is_legal:
        return fields + b"\r\n" + crlf
    encoded = quopri.encodestring(crlf.replace(b"\r\n", b"\n"))
    return fields + b"\r\n" + encoded.replace(b"\n", b"\r\n")


def _typed(address: str) -> str:
    """An address with its type: rfc822, or utf-8 where it is not ASCII."""
    plain = one_line(address)
    if plain.isascii():
        return f"rfc822; {plain}"
    return f"utf-8; {_ascii(plain)}"


def _ascii(text: str) -> str:
    """ASCII; other letters as RFC 6533 §3 writes them: ``\\x{E9}``."""
    return "".join(
        letter if letter.isascii() else f"\\x{{{ord(letter):X}}}"
        for letter in one_line(text)
    )


def _decoded_xtext(text: str) -> str:
    """xtext (RFC 3461 §4) back as text: ``+`` and two hexadecimal digits."""
    decoded = re.sub(
        r"\+([0-9A-F]{2})", lambda match: chr(int(match[1], 16)), one_line(text)
    )
    return _ascii(decoded)
