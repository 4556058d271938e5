# SPDX-License-Identifier: Apache-2.0
"""Deliver what the spool queued: claim, send to the next hop, mark.

Each copy leaves at least once. A copy leaves twice only where we stopped between
the next hop's 250 and our record of it (RFC 1047). A copy of several recipients
whose answers differ is divided: who was refused gets a copy of their own, with a
state of its own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

from undisclosed.core.address import Address
from undisclosed.core.held import (
    CopyEvent,
    HoldState,
    NoSuchHold,
    Outgoing,
    OutgoingKind,
)
from undisclosed.core.mail import Envelope
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.guard.desk import settle_as_shown
from undisclosed.guard.ports import Clock, KeyedId, Memory, Spool
from undisclosed.guard.schedule import RETRY_AFTER, retry_at
from undisclosed.guard.sweep import SweepSettings, sweep
from undisclosed.transport.smtp.client import HopReply

__all__ = [
    "DeliverySettings",
    "Relay",
    "SweepSettings",
    "deliver_due",
    "sweep",
]

log = logging.getLogger(__name__)

AWAY = "451 4.4.1 The next hop cannot be reached"
GONE = "554 5.6.0 The held content is gone"
BROKEN = "451 4.3.0 The delivery broke"
TAKEN_BACK = "Withdrawn before it left"


class Relay(Protocol):
    """The next hop, as delivery needs it: ``guard.relay.Hop`` is one."""

    async def send(self, envelope: Envelope, content: bytes) -> HopReply:
        """Send one mail object. Raises TransientError where the hop is away."""


class Tried(Protocol):
    """Where tries are counted."""

    def tried(self, event: CopyEvent) -> None:
        """A copy was tried; what the next hop answered."""


class Finish(Protocol):
    """What a copy gets last, before it leaves: a stamp, a signature."""

    def finished(
        self, copy: Outgoing, held: bytes, content: bytes, now: datetime
    ) -> bytes:
        """The content as it leaves; ``held`` is what the copy was made of."""


class FinishBroke(UndisclosedError):
    """A copy could not be stamped or signed; it is tried again."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """How copies are delivered. Sizes in bytes.

    ``patience`` is how long one try may take, ``lease`` for how long a worker keeps
    what it claimed; a copy that could outlast its lease is left for the next claim.
    ``retry`` are the waits after the first, second, … try that failed for now.
    ``concurrency`` tries run at once, fewer where contents are large: together they
    take at most ``budget``. ``record_again_after``: the waits before an answer is
    recorded again where the spool is away for a moment. ``finishes`` are done to each
    copy in their order, in a thread.
    """

    lease: timedelta = timedelta(minutes=30)
    patience: timedelta = timedelta(minutes=12)
    retry: tuple[timedelta, ...] = RETRY_AFTER
    concurrency: int = 20
    budget: int = 24 * 1024 * 1024
    record_again_after: tuple[timedelta, ...] = tuple(
        timedelta(seconds=seconds) for seconds in (0.2, 1, 2, 4, 8)
    )
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    finishes: tuple[Finish, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    event: CopyEvent
    reply: str = field(repr=False)


async def deliver_due(  # noqa: PLR0913 (everything that a delivery needs meets here)
    spool: Spool,
    hop: Relay,
    by: str,
    now_fn: Clock,
    limit: int = 100,
    *,
    name: KeyedId,
    settings: DeliverySettings | None = None,
    metrics: Tried | None = None,
    memory: Memory | None = None,
) -> int:
    """Claim up to ``limit`` copies whose time has come and try each once.

    Returns how many were claimed: 0 where nothing is due. ``by`` names the worker.
    ``memory`` is told when a mail leaves as it was written. Of a mail that is
    withdrawn meanwhile nothing more is tried than is being tried already.
    Raises TransientError where the spool is away before anything was claimed.
    """
    settings = settings or DeliverySettings()
    claimed_at = now_fn()
    copies = await asyncio.to_thread(
        spool.claim, by=by, limit=limit, lease=settings.lease, now=claimed_at
    )
    until = claimed_at + settings.lease - settings.patience
    round_ = _Round(spool, hop, now_fn, until, name, settings, metrics, memory)
    by_hold = sorted(copies, key=lambda copy: copy.hold_id or "")
    for hold_id, group in groupby(by_hold, key=lambda copy: copy.hold_id):
        await round_.deliver(hold_id, list(group))
    return len(copies)


class _Round:
    """One claim's worth of copies."""

    def __init__(
        self,
        spool: Spool,
        hop: Relay,
        now_fn: Clock,
        until: datetime,
        name: KeyedId,
        settings: DeliverySettings,
        metrics: Tried | None,
        memory: Memory | None,
    ) -> None:
        self.spool = spool
        self.hop = hop
        self.now_fn = now_fn
        self.until = until
        self.name = name
        self.settings = settings
        self.metrics = metrics
        self.memory = memory
        self.is_hop_away = False
        self.withdrawn: set[str | None] = set()

    async def deliver(self, hold_id: str | None, copies: list[Outgoing]) -> None:
        """Try every copy of one hold: its content is in memory once."""
        held = await self._content(hold_id, copies)
        if held is None:
            return
        largest = max([len(held), *(len(copy.content or b"") for copy in copies)])
        # A try holds the content, its copy and its form on the wire.
        fitting = self.settings.budget // (3 * largest + 1)
        gate = asyncio.Semaphore(max(1, min(self.settings.concurrency, fitting)))

        async def one(copy: Outgoing) -> None:
            async with gate:
                if hold_id in self.withdrawn:
                    await self._take_back(copy)
                elif self.now_fn() <= self.until:
                    await self._deliver_one(copy, held)

        await asyncio.gather(*(one(copy) for copy in copies))

    async def _content(
        self, hold_id: str | None, copies: Sequence[Outgoing]
    ) -> bytes | None:
        """The held content; None where these copies cannot be tried."""
        if hold_id is None or all(copy.content is not None for copy in copies):
            return b""
        try:
            return await asyncio.to_thread(self._content_of_waiting, hold_id)
        except NoSuchHold:
            for copy in copies:
                await self._record(copy, _Answer(CopyEvent.REPLY_5XX, GONE))
        except TransientError:
            log.error("The spool is away: copies wait for their lease to end.")
        return None

    def _content_of_waiting(self, hold_id: str) -> bytes:
        """The held content; whether it was withdrawn since it was claimed is noted."""
        if self.spool.get(hold_id).state is HoldState.WITHDRAWN:
            self.withdrawn.add(hold_id)
        return self.spool.content(hold_id)

    async def _deliver_one(self, copy: Outgoing, held: bytes) -> None:
        content = copy.content
        if content is None:
            content = copy.patch.apply(held) if copy.patch else held
        answers = await self._try(copy, held, content)
        events = {answer.event for answer in answers}
        if len(events) == 1:
            await self._record(copy, answers[0])
        else:
            await self._divide(copy, answers)

    async def _try(self, copy: Outgoing, held: bytes, content: bytes) -> list[_Answer]:
        """One answer for each recipient."""
        recipients = copy.envelope.recipients
        if self.is_hop_away:
            return [_Answer(CopyEvent.REPLY_4XX, AWAY)] * len(recipients)
        try:
            if self.settings.finishes:
                content = await asyncio.to_thread(self._finished, copy, held, content)
            async with asyncio.timeout(self.settings.patience.total_seconds()):
                reply = await self.hop.send(copy.envelope, content)
        except (TransientError, TimeoutError):
            self.is_hop_away = True
            return [_Answer(CopyEvent.REPLY_4XX, AWAY)] * len(recipients)
        except (UndisclosedError, OSError, ValueError, RuntimeError) as error:
            # The text of an unforeseen error may hold an address; its kind does not.
            log.error("A delivery broke: %s", type(error).__name__)
            return [_Answer(CopyEvent.REPLY_4XX, BROKEN)] * len(recipients)
        return _answers(reply, len(recipients))

    def _finished(self, copy: Outgoing, held: bytes, content: bytes) -> bytes:
        try:
            for each in self.settings.finishes:
                content = each.finished(copy, held, content, self.now_fn())
        except Exception:
            # What breaks here may quote the copy: only that it broke is told.
            raise FinishBroke from None
        return content

    async def _divide(self, copy: Outgoing, answers: list[_Answer]) -> None:
        """Recipients that fared differently part; each part then has one answer."""
        stays = _staying(answers)
        recipients = copy.envelope.recipients
        parts: list[tuple[Outgoing, _Answer]] = []
        delayed = _Answer(CopyEvent.REPLY_4XX, "")
        waiting: list[int] = []
        for number, answer in enumerate(answers):
            if answer.event is stays.event:
                continue
            if answer.event is CopyEvent.REPLY_4XX:
                waiting.append(number)
                delayed = answer
                continue
            person = recipients[number].address
            identifier = self.name(copy.id, "part", person.person)
            parts.append((_part(copy, identifier, {person}), answer))
        if waiting:
            people = {recipients[number].address for number in waiting}
            identifier = self.name(copy.id, "delayed", str(copy.attempts))
            parts.append((_part(copy, identifier, people), delayed))
        now = self.now_fn()
        await self._insist(
            lambda: self.spool.divide(copy.id, [part for part, _ in parts], now=now)
        )
        await self._record(copy, stays)
        for part, answer in parts:
            await self._record(part, answer)

    async def _record(self, copy: Outgoing, answer: _Answer) -> None:
        now = self.now_fn()
        event, again_at = answer.event, None
        if event is CopyEvent.REPLY_4XX:
            if copy.expires_at is not None and now >= copy.expires_at:
                event = CopyEvent.GIVEN_UP
            else:
                again_at = retry_at(copy.attempts, now, self.settings.retry)
        is_withdrawn = await self._insist(
            lambda: self.spool.mark(
                copy.id, event, answer.reply, now=now, retry_at=again_at
            )
        )
        if self.metrics is not None:
            self.metrics.tried(event)
        if is_withdrawn:
            self.withdrawn.add(copy.hold_id)
        if is_withdrawn and again_at is not None:
            await self._take_back(copy)
        elif event is CopyEvent.REPLY_2XX and copy.kind is OutgoingKind.RELEASE:
            await self._shown(copy)

    async def _take_back(self, copy: Outgoing) -> None:
        """End a copy that was claimed, whose mail was withdrawn before it left."""
        now, event = self.now_fn(), CopyEvent.TAKEN_BACK
        await self._insist(lambda: self.spool.mark(copy.id, event, TAKEN_BACK, now=now))

    async def _shown(self, copy: Outgoing) -> None:
        """A mail left as it was written: from now on its people were shown."""
        if self.memory is None or copy.hold_id is None:
            return
        memory, hold_id = self.memory, copy.hold_id
        try:
            hold = await asyncio.to_thread(self.spool.get, hold_id)
        except (TransientError, NoSuchHold):
            return  # its place goes on counting
        await asyncio.to_thread(settle_as_shown, memory, hold)

    async def _insist(self, act: Callable[[], bool | None]) -> bool:
        """Record, and again where the spool is away for a moment.

        What the next hop took and we do not record leaves a second time.
        """
        for wait in self.settings.record_again_after:
            try:
                return bool(await asyncio.to_thread(act))
            except TransientError:
                await self.settings.sleep(wait.total_seconds())
        try:
            return bool(await asyncio.to_thread(act))
        except TransientError:
            log.error("A delivery could not be recorded: it may be repeated.")
            return False


def _answers(reply: HopReply, recipients: int) -> list[_Answer]:
    """The hop's reply as one answer per recipient (RFC 5321 §3.3).

    A recipient that was taken shares the fate of the content; where no recipient's
    reply is known, all share it.
    """
    last = _answer(reply.code, reply.text)
    if len(reply.recipients) != recipients:
        return [last] * recipients
    return [
        last if each.is_positive else _answer(each.code, each.text)
        for each in reply.recipients
    ]


def _answer(code: int, text: str) -> _Answer:
    reply = f"{code} {text}"
    if 200 <= code < 300:
        return _Answer(CopyEvent.REPLY_2XX, reply)
    if 500 <= code < 600:
        return _Answer(CopyEvent.REPLY_5XX, reply)
    return _Answer(CopyEvent.REPLY_4XX, reply)


def _staying(answers: list[_Answer]) -> _Answer:
    """Whose answer the divided copy keeps: those that were sent to, if any."""
    order = (CopyEvent.REPLY_2XX, CopyEvent.REPLY_4XX)
    return min(
        answers,
        key=lambda answer: (
            order.index(answer.event) if answer.event in order else len(order)
        ),
    )


def _part(copy: Outgoing, identifier: str, people: set[Address]) -> Outgoing:
    recipients = tuple(r for r in copy.envelope.recipients if r.address in people)
    return replace(
        copy, id=identifier, envelope=replace(copy.envelope, recipients=recipients)
    )
