# SPDX-License-Identifier: Apache-2.0
"""The mail object: an envelope and a content (RFC 5321 §2.3.1)."""

from dataclasses import dataclass, field

from undisclosed.core.address import Address


@dataclass(frozen=True, slots=True)
class Recipient:
    """One RCPT TO: the address and its ESMTP parameters (RFC 3461 §4).

    ``parameters`` are kept as they were given, upper-case keyword first, for
    example ``("NOTIFY=FAILURE", "ORCPT=rfc822;ann@a.example")``.
    """

    address: Address
    parameters: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What MAIL FROM and RCPT TO said (RFC 5321 §3.3).

    ``mail_from`` is None for the null sender ``<>`` (RFC 5321 §4.5.5).
    ``parameters`` are those of MAIL, as given, for example
    ``("BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=1")``.
    """

    mail_from: Address | None
    recipients: tuple[Recipient, ...]
    parameters: tuple[str, ...] = field(default=(), repr=False)

    @property
    def rcpt_tos(self) -> tuple[Address, ...]:
        """The recipients' addresses, in the order in which they were given."""
        return tuple(recipient.address for recipient in self.recipients)


@dataclass(frozen=True, slots=True)
class Mail:
    """Envelope and content; the content's bytes are exactly those received.

    Line ends are whatever came; over SMTP that is CRLF (RFC 5321 §2.3.8), and
    the dot-stuffing is already undone (RFC 5321 §4.5.2).
    """

    envelope: Envelope
    content: bytes = field(repr=False)
