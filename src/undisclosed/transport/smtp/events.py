# SPDX-License-Identifier: Apache-2.0
"""What a client did, as values. ``number`` is what its reply is given under."""

from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail, Recipient
from undisclosed.transport.smtp.authentication import Credentials
from undisclosed.transport.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO or HELO (RFC 5321 §4.1.1.1). Whatever was begun is given up."""

    number: int
    name: str = field(repr=False)
    is_extended: bool


@dataclass(frozen=True, slots=True)
class MailFrom:
    """MAIL (RFC 5321 §4.1.1.2). ``mail_from`` is None for the null sender."""

    number: int
    mail_from: Address | None
    parameters: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class RcptTo:
    """RCPT (RFC 5321 §4.1.1.3)."""

    number: int
    recipient: Recipient


@dataclass(frozen=True, slots=True)
class Message:
    """The final dot came: a whole mail object."""

    number: int
    mail: Mail


@dataclass(frozen=True, slots=True)
class MessageRefused:
    """A message ended that was not taken; ``answer`` was already given."""

    answer: Reply


@dataclass(frozen=True, slots=True)
class Reset:
    """RSET (RFC 5321 §4.1.1.5); already answered."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """STARTTLS (RFC 3207 §4): after a 220 the handshake comes."""

    number: int


@dataclass(frozen=True, slots=True)
class Login:
    """AUTH (RFC 4954) with all that belongs to it: who it is, waits for an answer."""

    number: int
    credentials: Credentials


Event = Hello | MailFrom | RcptTo | Message | MessageRefused | Reset | StartTls | Login
