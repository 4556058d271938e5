# SPDX-License-Identifier: Apache-2.0
"""Takes what comes back by SMTP: an MTA hands in the mail of our return domain.

Only return paths that we made and the addresses for complaints are there; so it is
no open mailbox and nobody can look for people in it. Reports are taken after their
commit. A person's letter is refused with a sentence that says where to write: nobody
would read it here.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail, Recipient
from undisclosed.core.returns import ReturnKind
from undisclosed.errors import TransientError
from undisclosed.send.returns import Returns, Taken
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.handler import Answer, Offer, Session
from undisclosed.transport.smtp.replies import Reply, reply
from undisclosed.transport.smtp.server import SmtpServer
from undisclosed.transport.smtp.settings import ServerSettings

log = logging.getLogger(__name__)

TAKEN: Final = reply(250, "2.0.0 Taken")
NOBODY: Final = reply(550, "5.1.1 No such return path here")
NO_REPORT: Final = reply(
    550, "5.7.1 This address takes reports only: please answer to the author"
)
_THREADS: Final = 2


class ReturnListener:
    """Takes returned mail on one port, for one process and event loop."""

    def __init__(self, takes: Returns, settings: ServerSettings) -> None:
        self.settings = settings
        self.takes = takes
        self._server = SmtpServer(lambda: _Session(self), settings)
        self._threads = ThreadPoolExecutor(_THREADS, "returns")

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Listen. Raises PortInUse or PortRefused."""
        await self._server.start(host, port, reuse_port=reuse_port)

    async def close(self, grace: timedelta = timedelta(seconds=5)) -> None:
        """Stop; what is being taken is finished first."""
        await self._server.close(grace)
        await asyncio.to_thread(self._threads.shutdown)

    def take(self, mail: Mail, answer: Answer) -> None:
        """Take a report in a thread; the answer follows its commit."""
        loop = asyncio.get_running_loop()
        rcpt_tos = mail.envelope.rcpt_tos
        taking = loop.run_in_executor(
            self._threads, self.takes.take, mail.content, rcpt_tos
        )
        is_from_nobody = mail.envelope.mail_from is None

        def ended(future: "asyncio.Future[Taken]") -> None:
            answer(_reply_of(future, is_from_nobody=is_from_nobody))

        taking.add_done_callback(ended)


def _reply_of(future: "asyncio.Future[Taken]", *, is_from_nobody: bool) -> Reply:
    error = None if future.cancelled() else future.exception()
    if future.cancelled() or error is not None:
        if error is not None and not isinstance(error, TransientError):
            # Its own text may quote the mail: its kind is all that is told.
            log.error("Returned mail was not taken: %s", type(error).__name__)
        return replies.OUR_FAULT
    if future.result().kind is not ReturnKind.UNKNOWN:
        return TAKEN
    if is_from_nobody:
        # To refuse it would tell nobody (RFC 5321 §4.5.5).
        log.warning("Returned mail from nobody says nothing that can be read.")
        return TAKEN
    return NO_REPORT


class _Session:
    """One mail server's session."""

    def __init__(self, listener: ReturnListener) -> None:
        self._listener = listener

    def on_hello(self, session: Session, offer: Offer) -> None:
        """Offer what a mail server needs to hand a report on as it is."""
        settings = self._listener.settings
        offer(
            Extensions(
                pipelining=True,
                size=settings.limits.max_size,
                eight_bit=True,
                utf8=True,
                enhanced_status=True,
                starttls=settings.tls is not None and not session.is_secured,
            )
        )

    def on_mail(
        self, mail_from: Address | None, parameters: tuple[str, ...], answer: Answer
    ) -> None:
        """Any sender: reports come from nobody, complaints and auto-replies do not."""
        answer(replies.SENDER_OK)

    def on_rcpt(self, recipient: Recipient, answer: Answer) -> None:
        """A return path of ours, or an address for complaints."""
        is_for_us = self._listener.takes.is_for_us(recipient.address)
        answer(replies.RECIPIENT_OK if is_for_us else NOBODY)

    def on_message(self, mail: Mail, answer: Answer) -> None:
        """Take it; the answer comes when it is durable."""
        self._listener.take(mail, answer)

    def on_reset(self) -> None:
        """Nothing was taken yet."""

    def on_close(self) -> None:
        """What was taken is recorded."""
