# SPDX-License-Identifier: Apache-2.0
"""A message and its envelope as they travel: one recipient, and opaque names.

A report of delivery (RFC 3464) is asked for where the settings say so and the next
hop offers that (RFC 3461). What it is to name the delivery by is a token, not the
person's address: the report may pass through other people's hands.
"""

from datetime import datetime
from typing import Final, Protocol

from undisclosed.core.address import Address
from undisclosed.core.campaign import Row
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.send.message import Message
from undisclosed.transport.smtp.bulk import Parcel
from undisclosed.transport.smtp.commands import mail_line, rcpt_line
from undisclosed.transport.smtp.content import wire
from undisclosed.transport.smtp.extensions import Extensions

NEEDS_UTF8: Final = ("BODY=8BITMIME", "SMTPUTF8")
"""The parameters of MAIL for a message that only SMTPUTF8 can carry (RFC 6531)."""


class Making(Protocol):
    """What makes the messages of one campaign."""

    def message(self, row: Row, now: datetime) -> Message:
        """The row's message as it leaves."""
        ...

    def envelope(self, row: Row) -> Envelope:
        """The envelope that it leaves in."""
        ...


def parcel_of(
    making: Making, row: Row, extensions: Extensions, now: datetime
) -> Parcel:
    """The row's message for a next hop with these extensions.

    Without content where the hop cannot carry it. Raises as ``making`` does.
    """
    message, envelope = making.message(row, now), making.envelope(row)
    if message.needs_utf8 and not (extensions.utf8 and extensions.eight_bit):
        return Parcel(row.number, b"", b"", b"")
    parameters = NEEDS_UTF8 if message.needs_utf8 else ()
    return Parcel(
        row.number,
        mail_line(
            envelope.mail_from,
            (*parameters, *envelope.parameters),
            extensions,
            len(message.wire),
        ),
        rcpt_line(envelope.recipients[0], extensions),
        wire(message.wire),
    )


def asking_for_reports(
    mail_from: Address, to: Address, *, envelope_id: str, original: Address | None
) -> Envelope:
    """An envelope that asks to be told of delivery, delay and failure (RFC 3461 §4).

    ``envelope_id`` is what a report calls the message (ENVID), ``original`` what it
    calls the person (ORCPT): an address of ours, or nothing.
    """
    parameters = ["NOTIFY=SUCCESS,FAILURE,DELAY"]
    if original is not None:
        parameters.append(f"ORCPT=rfc822;{original.spelled_out()}")
    return Envelope(
        mail_from,
        (Recipient(to, tuple(parameters)),),
        ("RET=HDRS", f"ENVID={envelope_id}"),
    )
