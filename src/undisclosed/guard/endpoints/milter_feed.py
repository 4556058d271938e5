# SPDX-License-Identifier: Apache-2.0
"""The record-only milter: inbound mail is shown to Memory, and passes unchanged.

Whatever happens here, the MTA hears *accept*: incoming mail is not ours to judge,
and must not wait for a database that is away.
"""

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import Protocol

from undisclosed.core.mail import Mail
from undisclosed.guard.endpoints.milter import MilterSettings, ServedMilter, origin_of
from undisclosed.guard.origin import Origin
from undisclosed.transport.milter.events import Message, MessageRefused
from undisclosed.transport.milter.handler import Answer
from undisclosed.transport.milter.responses import ACCEPTED

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=5)
"""How long inbound mail waits for its recording, at most."""


class Records(Protocol):
    """Who keeps what inbound mail shows: ``guard.feed.Feed``."""

    def record(self, mail: Mail, origin: Origin) -> None:
        """Record one mail. May block; never raises."""


class MilterFeed(ServedMilter):
    """A milter that is shown inbound mail."""

    def __init__(
        self,
        feed: Records,
        settings: MilterSettings,
        patience: timedelta = PATIENCE,
    ) -> None:
        super().__init__(lambda: Recording(self), settings)
        self.feed = feed
        self.patience = patience


class Recording:
    """One connection of an MTA: each of its mails is recorded and accepted."""

    def __init__(self, milter: MilterFeed) -> None:
        self._milter = milter

    def on_message(self, message: Message, answer: Answer) -> None:
        """Record it; then, or when patience is over, it passes."""
        accepted = partial(answer, ACCEPTED)
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._milter.patience.total_seconds(), accepted)

        def recorded(result: None) -> None:
            timer.cancel()
            accepted()

        def failed(error: BaseException) -> None:
            log.warning("Inbound mail was not recorded: %s", type(error).__name__)
            recorded(None)

        record = partial(self._milter.feed.record, message.mail)
        call = partial(record, origin_of(message.client))
        self._milter.threads.run(call, recorded, failed)

    def on_refused(self, refused: MessageRefused, answer: Answer) -> None:
        """What cannot be read is not recorded."""
        answer(ACCEPTED)

    def on_given_up(self) -> None:
        """What is being recorded is recorded."""
