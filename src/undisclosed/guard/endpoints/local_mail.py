# SPDX-License-Identifier: Apache-2.0
"""Mail as a local program writes it, made into a mail object as sendmail(8) does.

Lines end in LF or CR LF, fields may be missing, the recipients may stand in the
header alone. What comes out is what a mail program would have handed in over SMTP:
an envelope, no Bcc, and the fields that RFC 5322 §3.6 asks for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from undisclosed.core.address import Address
from undisclosed.core.header import Field, split_content
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.recipient_list import NoRecipientList, recipient_list
from undisclosed.errors import UndisclosedError
from undisclosed.formats.letter import date_time, phrase
from undisclosed.transport.smtp.commands import needs_utf8
from undisclosed.transport.smtp.content import with_line_ends

DESTINATIONS = ("to", "cc", "bcc")
RESENT = ("resent-to", "resent-cc", "resent-bcc")
"""Where these stand, the mail is sent again, and the others are history (RFC 5322
§3.6.6)."""
REMOVED = ("bcc", "resent-bcc")

_HEADER = re.compile(rb"(?:[!-9;-~]+[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*)*")
_MBOX_LINE = re.compile(rb">?From [^\n]*\n")
_LONE_DOT = re.compile(rb"^\.\r?\n", re.MULTILINE)


class NoRecipients(UndisclosedError):
    """The mail names no recipient: nothing was sent."""


@dataclass(frozen=True, slots=True)
class Handing:
    """How a local program hands a mail in: what its options and its user say.

    ``author`` is the user's own address, which a missing From field gets; ``sender``
    the envelope's, None for the null sender. ``is_read_from_header`` is ``-t``: the
    destination fields name recipients besides ``recipients``. ``has_plain_dots`` is
    ``-i``: a line with one dot is a line. ``parameters`` are those of MAIL (RFC 3461),
    ``recipient_parameters`` those of each RCPT.
    """

    author: Address
    sender: Address | None
    recipients: tuple[Address, ...] = ()
    author_name: str = field(default="", repr=False)
    is_read_from_header: bool = False
    has_plain_dots: bool = False
    parameters: tuple[str, ...] = ()
    recipient_parameters: tuple[str, ...] = ()


def made_whole(
    written: bytes, handing: Handing, *, domain: str, message_id: str, now: datetime
) -> Mail:
    """The mail object of what was written on standard input.

    ``domain`` is that of names without one; ``message_id`` (without brackets) and
    ``now`` are for fields that are missing. Raises NoRecipients, and NoRecipientList
    where a list of ``-t`` could be taken in two ways.
    """
    content, end = _with_header_end(with_line_ends(_as_written(written, handing)))
    block = split_content(content)
    people = handing.recipients
    if handing.is_read_from_header:
        if block.is_cut:
            raise NoRecipientList
        people = (*people, *_named(block.fields, domain))
    if not people:
        raise NoRecipients
    recipients = tuple(
        Recipient(one, handing.recipient_parameters) for one in dict.fromkeys(people)
    )
    missing = _missing(block.fields, handing, message_id, now)
    content = _without_bcc(content[:end], block.fields) + missing + content[end:]
    return _with_parameters(Envelope(handing.sender, recipients), handing, content)


def _as_written(written: bytes, handing: Handing) -> bytes:
    """Less the line that mailboxes put in front, and what follows a lone dot."""
    mbox_line = _MBOX_LINE.match(written)
    if mbox_line is not None:
        written = written[mbox_line.end() :]
    if handing.has_plain_dots:
        return written
    dot = _LONE_DOT.search(written)
    return written if dot is None else written[: dot.start()]


def _with_header_end(content: bytes) -> tuple[bytes, int]:
    """With an empty line behind the header block, and where that line is.

    It is put before the first line that is no field: ``echo text | sendmail ann`` has
    no header at all.
    """
    if content and not content.endswith(b"\n"):
        content += b"\r\n"
    header = _HEADER.match(content)
    end = header.end() if header else 0
    if not content.startswith(b"\r\n", end):
        content = b"%s\r\n%s" % (content[:end], content[end:])
    return content, end


def _named(fields: tuple[Field, ...], domain: str) -> Iterator[Address]:
    """The recipients that the destination fields name."""
    names = {each.name for each in fields}
    wanted = DESTINATIONS if names.isdisjoint(RESENT) else RESENT
    for each in fields:
        if each.name in wanted:
            text = each.body.decode("utf-8", "replace")
            yield from recipient_list(re.sub(r"\r?\n", "", text), domain)


def _without_bcc(header: bytes, fields: tuple[Field, ...]) -> bytes:
    pieces, position = [], 0
    for each in fields:
        if each.name in REMOVED:
            pieces.append(header[position : each.start])
            position = each.end
    return b"".join((*pieces, header[position:]))


def _missing(
    fields: tuple[Field, ...], handing: Handing, message_id: str, now: datetime
) -> bytes:
    """The fields that the mail has to have and lacks (RFC 5322 §3.6)."""
    names = {each.name for each in fields}
    lines = []
    if "from" not in names:
        address = (handing.sender or handing.author).spelled_out()
        name = f"{phrase(handing.author_name)} " if handing.author_name else ""
        lines.append(f"From: {name}<{address}>\r\n")
    if "date" not in names:
        lines.append(f"Date: {date_time(now)}\r\n")
    if "message-id" not in names:
        lines.append(f"Message-ID: <{message_id}>\r\n")
    return "".join(lines).encode("utf-8", "replace")


def _with_parameters(envelope: Envelope, handing: Handing, content: bytes) -> Mail:
    """With the parameters of MAIL that the options ask for and the bytes need."""
    parameters = list(handing.parameters)
    if needs_utf8(envelope):
        parameters.append("SMTPUTF8")
    has_body = any(parameter.startswith("BODY=") for parameter in parameters)
    if not content.isascii() and not has_body:
        parameters.append("BODY=8BITMIME")
    return Mail(replace(envelope, parameters=tuple(parameters)), content)
