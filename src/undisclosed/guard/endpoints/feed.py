# SPDX-License-Identifier: Apache-2.0
"""The record-only feed by SMTP: copies of inbound mail, read and thrown away.

A mail server sends a copy here of what comes in (``always_bcc``, a journal rule).
Every copy is answered with 250 and never sent on: nothing that happens here may hold
up mail. What is not recorded costs a question later, no mail.
"""

import asyncio

from undisclosed.core.mail import Mail
from undisclosed.guard.feed import Feed
from undisclosed.guard.origin import Origin
from undisclosed.transport.smtp.handler import Answer, Session
from undisclosed.transport.smtp.replies import Reply
from undisclosed.transport.smtp.settings import ServerSettings
from undisclosed.transport.smtp.taking import TakingServer

RECORDED = Reply(250, ("2.0.0 Recorded: it is not sent on",))
MOST_WAITING = 1_000
"""Copies that wait to be read; above it the next ones are not recorded."""


class SmtpFeed(TakingServer):
    """Takes copies of inbound mail on one port, for one process and event loop.

    Any recipient: the copy's envelope says nothing of whom the mail went to.
    ``passed_over`` counts the copies that were not recorded.
    """

    def __init__(self, feed: Feed, settings: ServerSettings) -> None:
        super().__init__(settings, name="feed")
        self._feed = feed
        self._waiting = 0
        self.passed_over = 0

    def take(self, mail: Mail, session: Session, answer: Answer) -> None:
        """Answer at once; the copy is recorded in a thread, some time after."""
        answer(RECORDED)
        if self._waiting >= MOST_WAITING:
            self.passed_over += 1
            return
        self._waiting += 1
        origin = Origin("SMTP", session.peer)
        self.hand_on(self._feed.record, mail, origin).add_done_callback(self._done)

    def _done(self, reading: "asyncio.Future[None]") -> None:
        self._waiting -= 1
