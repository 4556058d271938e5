# SPDX-License-Identifier: Apache-2.0
"""The post office: an SMTP server that takes every mail and sends none on.

It stands where a next hop will be. A mail is answered with 250 only after it is
committed; mails that come at once are committed together, so that a thousand
copies take a few transactions. What the guard would need of a real next hop is
offered (RFC 5321, RFC 2920, RFC 6152, RFC 6531, RFC 3461).
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from undisclosed.core.mail import Mail
from undisclosed.transport.smtp.handler import Answer, Session
from undisclosed.transport.smtp.limits import MEBIBYTE
from undisclosed.transport.smtp.replies import Reply
from undisclosed.transport.smtp.settings import ServerSettings
from undisclosed.transport.smtp.taking import TakingServer

log = logging.getLogger(__name__)

CAUGHT = Reply(250, ("2.0.0 Caught: it does not leave this machine",))
NOT_KEPT = Reply(451, ("4.3.0 The post office cannot keep mail now, try again later",))


class Catcher(Protocol):
    """Where caught mail is kept. Calls block; what is away raises TransientError."""

    def keep(self, mails: Sequence[Mail], *, caught_at: datetime) -> None:
        """Commit all of these in one transaction. Durable when this returns."""

    def prune(self, *, keep: int, before: datetime) -> int:
        """Drop all but the latest ``keep`` mails, and those caught before a time.

        Returns how many were dropped.
        """


class Clock(Protocol):
    """Where the post office learns the time (aware UTC)."""

    def __call__(self) -> datetime:
        """Now."""


@dataclass(frozen=True, slots=True)
class PostOfficeSettings:
    """What the post office takes and for how long it keeps it.

    At most ``keep`` mails are kept, none longer than ``keep_for``. One transaction
    has at most ``group`` mails and about ``group_size`` bytes. After ``prune_every``
    mails the limits are applied.
    """

    server: ServerSettings = field(default_factory=ServerSettings)
    keep: int = 20_000
    keep_for: timedelta = timedelta(days=30)
    group: int = 500
    group_size: int = 16 * MEBIBYTE
    prune_every: int = 1_000


class PostOffice(TakingServer):
    """Catches mail on one port, for one process and event loop."""

    def __init__(
        self, catcher: Catcher, clock: Clock, settings: PostOfficeSettings
    ) -> None:
        super().__init__(settings.server, name="post office", has_dsn=True)
        self.settings = settings
        self._catcher = catcher
        self._clock = clock
        self._waiting: list[tuple[Mail, Answer]] = []
        self._committing: asyncio.Task[None] | None = None
        self._since_pruning = 0

    async def settle(self) -> None:
        """What was taken is committed."""
        if self._committing is not None:
            await self._committing

    def take(self, mail: Mail, session: Session, answer: Answer) -> None:
        """Keep a mail; its answer comes after the commit."""
        self._waiting.append((mail, answer))
        if self._committing is None:
            loop = asyncio.get_running_loop()
            self._committing = loop.create_task(self._commit())

    async def _commit(self) -> None:
        """Commit group after group, as long as there are any."""
        while self._waiting:
            group = self._next_group()
            reply = await self._keep([mail for mail, _ in group])
            for _, answer in group:
                answer(reply)
        self._committing = None

    def _next_group(self) -> list[tuple[Mail, Answer]]:
        size = count = 0
        for mail, _ in self._waiting[: self.settings.group]:
            size += len(mail.content)
            count += 1
            if size >= self.settings.group_size:
                break
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _keep(self, mails: list[Mail]) -> Reply:
        now = self._clock()
        try:
            await self.hand_on(self._catcher.keep, mails, caught_at=now)
        except Exception as error:  # whatever it is, the client keeps its mail
            log.error("Caught mail could not be kept: %s", type(error).__name__)
            return NOT_KEPT
        self._since_pruning += len(mails)
        if self._since_pruning >= self.settings.prune_every:
            self._since_pruning = 0
            await self._prune(now)
        return CAUGHT

    async def _prune(self, now: datetime) -> None:
        settings = self.settings
        before = now - settings.keep_for
        try:
            await self.hand_on(self._catcher.prune, keep=settings.keep, before=before)
        except Exception as error:  # it is tried again with later mail
            log.error("Old caught mail was not dropped: %s", type(error).__name__)
