# SPDX-License-Identifier: Apache-2.0
"""What stands behind a server: it is told what a client did, and answers.

Every method that is given an ``answer`` calls it once, now or later, in any
order; the server keeps the replies in the order of the commands. ``on_reset``
and ``on_close`` say that a transaction will not go on: answers given after that
are dropped.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail, Recipient
from undisclosed.transport.smtp.authentication import Credentials
from undisclosed.transport.smtp.certificates import ClientCertificate
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.replies import Reply

Answer = Callable[[Reply], None]
Offer = Callable[[Extensions], None]


@dataclass(frozen=True, slots=True)
class Session:
    """Who is talking: the peer's IP address, and what it says it is called.

    ``certificate`` is the one that the client showed inside TLS, verified.
    """

    peer: str
    hello: str = field(default="", repr=False)
    is_extended: bool = False
    is_secured: bool = False
    certificate: ClientCertificate | None = None


class Handler(Protocol):
    """One client's session, from its first EHLO to its end."""

    def on_hello(self, session: Session, offer: Offer) -> None:
        """EHLO or HELO: offer what can be carried. A transaction is given up."""

    def on_mail(
        self, mail_from: Address | None, parameters: tuple[str, ...], answer: Answer
    ) -> None:
        """MAIL: a transaction begins."""

    def on_rcpt(self, recipient: Recipient, answer: Answer) -> None:
        """RCPT: one more recipient. Earlier answers may still be outstanding."""

    def on_message(self, mail: Mail, answer: Answer) -> None:
        """The final dot came. Its recipients are those that were answered with 2yz.

        The reply ends the transaction, whatever it is.
        """

    def on_reset(self) -> None:
        """The transaction was given up: RSET, or content that was refused."""

    def on_close(self) -> None:
        """The session is over; an open transaction is given up."""


@runtime_checkable
class LoginHandler(Protocol):
    """A handler that offers AUTH."""

    def on_login(self, credentials: Credentials, answer: Answer) -> None:
        """AUTH: 235 where the password proves the login (RFC 4954 §4), else 535.

        A session logs in once; what it says afterwards is said under this login.
        """
