# SPDX-License-Identifier: Apache-2.0
"""A server that takes mail and sends none on: it is kept, read or recorded here.

What takes differs in three things: whom it takes mail for, what it does with a mail,
and when it answers. All the rest of a session is the same, and stands here once.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final, ParamSpec, TypeVar

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail, Recipient
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.handler import Answer, Offer, Session
from undisclosed.transport.smtp.replies import Reply
from undisclosed.transport.smtp.server import SmtpServer
from undisclosed.transport.smtp.settings import ServerSettings

THREADS: Final = 2
"""Threads in which one server does what blocks."""

_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


class TakingServer(ABC):
    """Takes mail on one port, for one process and event loop.

    ``name`` is that of its threads. ``has_dsn``: the parameters of RFC 3461 are taken,
    too, as a next hop would.
    """

    def __init__(
        self, settings: ServerSettings, *, name: str, has_dsn: bool = False
    ) -> None:
        self._offered = settings
        self._has_dsn = has_dsn
        self._server = SmtpServer(lambda: _Taking(self), settings)
        self._threads = ThreadPoolExecutor(THREADS, name)

    @abstractmethod
    def take(self, mail: Mail, session: Session, answer: Answer) -> None:
        """A mail came whole: answer once, now or when it is durable."""

    def refusal(self, recipient: Address) -> Reply | None:
        """Why a recipient is not taken; None where it is. Everybody is by default."""
        return None

    async def settle(self) -> None:
        """Finish what was taken; nobody is connected any more."""
        return

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Listen. Raises PortInUse or PortRefused."""
        await self._server.start(host, port, reuse_port=reuse_port)

    async def close(self, grace: timedelta = timedelta(seconds=5)) -> None:
        """Stop taking mail; what was taken is finished first."""
        await self._server.close(grace)
        await self.settle()
        await asyncio.to_thread(self._threads.shutdown)

    def hand_on(
        self,
        work: Callable[_Given, _Made],
        *given: _Given.args,
        **named: _Given.kwargs,
    ) -> "asyncio.Future[_Made]":
        """Do what blocks in a thread; more than there are threads waits."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._threads, lambda: work(*given, **named))

    def offers(self, session: Session) -> Extensions:
        """What a mail server needs to hand mail over as it is."""
        return Extensions(
            pipelining=True,
            size=self._offered.limits.max_size,
            eight_bit=True,
            utf8=True,
            dsn=self._has_dsn,
            enhanced_status=True,
            starttls=self._offered.tls is not None and not session.is_secured,
        )


class _Taking:
    """One client's session."""

    def __init__(self, server: TakingServer) -> None:
        self._server = server
        self._session = Session("")

    def on_hello(self, session: Session, offer: Offer) -> None:
        """Remember who is talking."""
        self._session = session
        offer(self._server.offers(session))

    def on_mail(
        self, mail_from: Address | None, parameters: tuple[str, ...], answer: Answer
    ) -> None:
        """Any sender: nothing is sent on, and nobody is written to."""
        answer(replies.SENDER_OK)

    def on_rcpt(self, recipient: Recipient, answer: Answer) -> None:
        """Whom it is for, the server says."""
        answer(self._server.refusal(recipient.address) or replies.RECIPIENT_OK)

    def on_message(self, mail: Mail, answer: Answer) -> None:
        """Hand it on."""
        self._server.take(mail, self._session, answer)

    def on_reset(self) -> None:
        """Nothing was taken yet."""

    def on_close(self) -> None:
        """What was taken is finished, whether or not the client hears of it."""
