# SPDX-License-Identifier: Apache-2.0
"""The record-only feed by SMTP: copies of inbound mail, read and thrown away.

A mail server sends a copy here of what comes in (``always_bcc``, a journal rule).
Every copy is answered with 250 and never sent on: nothing that happens here may hold
up mail. What is not recorded costs a question later, no mail.
"""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail, Recipient
from undisclosed.guard.feed import Feed
from undisclosed.guard.origin import Origin
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.handler import Answer, Offer, Session
from undisclosed.transport.smtp.replies import Reply
from undisclosed.transport.smtp.server import SmtpServer
from undisclosed.transport.smtp.settings import ServerSettings

log = logging.getLogger(__name__)

RECORDED = Reply(250, ("2.0.0 Recorded: it is not sent on",))
MOST_WAITING = 1_000
"""Copies that wait to be read; above it the next ones are not recorded."""

_THREADS = 2


class SmtpFeed:
    """Takes copies of inbound mail on one port, for one process and event loop."""

    def __init__(self, feed: Feed, settings: ServerSettings) -> None:
        self.settings = settings
        self._feed = feed
        self._server = SmtpServer(lambda: _Copies(self), settings)
        self._threads = ThreadPoolExecutor(_THREADS, "feed")
        self._waiting = 0
        self.passed_over = 0

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._server.port

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Listen. Raises PortInUse or PortRefused."""
        await self._server.start(host, port, reuse_port=reuse_port)

    async def close(self, grace: timedelta = timedelta(seconds=5)) -> None:
        """Stop taking copies; those that were taken are read first."""
        await self._server.close(grace)
        await asyncio.to_thread(self._threads.shutdown)

    def take(self, mail: Mail, origin: Origin) -> None:
        """Record a copy in a thread, some time after its client was answered."""
        if self._waiting >= MOST_WAITING:
            self.passed_over += 1
            return
        self._waiting += 1
        loop = asyncio.get_running_loop()
        reading = loop.run_in_executor(self._threads, self._feed.record, mail, origin)
        reading.add_done_callback(self._done)

    def _done(self, reading: "asyncio.Future[None]") -> None:
        self._waiting -= 1


class _Copies:
    """One client's session: everything is taken."""

    def __init__(self, feed: SmtpFeed) -> None:
        self._feed = feed
        self._peer = ""

    def on_hello(self, session: Session, offer: Offer) -> None:
        """Offer what a mail server needs to hand a copy on as it is."""
        self._peer = session.peer
        settings = self._feed.settings
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
        """Any sender."""
        answer(replies.SENDER_OK)

    def on_rcpt(self, recipient: Recipient, answer: Answer) -> None:
        """Any recipient: the copy's envelope says nothing of whom the mail went to."""
        answer(replies.RECIPIENT_OK)

    def on_message(self, mail: Mail, answer: Answer) -> None:
        """Record it; the answer does not wait."""
        self._feed.take(mail, Origin("SMTP", self._peer))
        answer(RECORDED)

    def on_reset(self) -> None:
        """Nothing was taken yet."""

    def on_close(self) -> None:
        """What was taken is recorded."""
