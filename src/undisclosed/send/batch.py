# SPDX-License-Identifier: Apache-2.0
"""One claim's worth of messages: made, looked at, written down, handed over, recorded.

A group is written down as about to leave, durably, before the first byte of it does;
the same statement records what was answered since the last one. While a group is on
its way over several connections, the next one is made and the one after written down,
so that no connection waits for us.
"""

import asyncio
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice

from undisclosed.core.address import Address
from undisclosed.core.campaign import Draft, MailKind, Row
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.formats import dkim
from undisclosed.send.connections import Connections
from undisclosed.send.feedback import feedback_id
from undisclosed.send.merge import Mask, Template
from undisclosed.send.message import Marks, Message
from undisclosed.send.outcomes import marked
from undisclosed.send.pace import Pace
from undisclosed.send.parcel import asking_for_reports, parcel_of
from undisclosed.send.settings import SendSettings
from undisclosed.send.tokens import Purpose, Tokens
from undisclosed.send.wire_check import Allowed, check_wire
from undisclosed.store import ledger, lists
from undisclosed.store.campaigns import Campaign
from undisclosed.store.ledger import Claimed, Marked, Turn
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.bulk import Handed, Outcome, Parcel, Stream
from undisclosed.transport.smtp.client import LOST, ClientConnection
from undisclosed.transport.smtp.extensions import Extensions

_FIELDS = re.compile(rb"\r\n(?![ \t])")
_GROUPS_READ = 10
_BETWEEN_TRIES = 0.5
_BETWEEN_LOOKS = 1.0
_SLOW = 0.02
"""Seconds in which a connection that answers at once carries more than one message."""

_LATE = 1.25 * _SLOW

_MOST_THREADS = 4
"""Threads that sign at the same time: what signs with RSA leaves the interpreter."""


class Stopped(UndisclosedError):
    """A message cannot leave: the campaign is paused until a person has looked."""


class Maker:
    """Makes the messages of one campaign as they travel, and looks at each."""

    def __init__(
        self,
        campaign: Campaign,
        template: Template,
        tokens: Tokens,
        settings: SendSettings,
    ) -> None:
        self._campaign = campaign
        self._template = template
        self._tokens = tokens
        self._settings = settings
        self._allowed = Allowed.of(_senders(template.draft), template.constant_texts())
        self._hashed: tuple[bytes, bytes] = (b"", b"")

    def message(self, row: Row, now: datetime, *, mask: Mask | None = None) -> Message:
        """The row's message, signed where we sign; with a mask, without its values.

        Raises RowUnfit, and SomebodyElse where its bytes would show anybody else.
        """
        if row.address is None:
            raise Stopped("A person without an address stands in the ledger.")
        marks = self._marks(row.number, now)
        made = self._template.message(row, marks, mask=mask)
        wire = self._signed(made.wire, now)
        check_wire(wire, row.address, self._allowed, self._template.own_parts(row))
        return Message(wire, made.needs_utf8)

    def return_path(self, number: int) -> Address:
        """Where the bounces of one row go: a token, never the recipient's address."""
        domain = self._settings.return_domain
        if not domain:
            return self._template.draft.author
        return Address(f"b-{self._token(Purpose.RETURN_PATH, number)}", domain)

    def envelope(self, row: Row) -> Envelope:
        """The envelope that the row's message leaves in. Raises Stopped."""
        if row.address is None:
            raise Stopped("A person without an address stands in the ledger.")
        path = self.return_path(row.number)
        if not self._settings.asks_delivered:
            return Envelope(path, (Recipient(row.address),))
        return asking_for_reports(
            path,
            row.address,
            envelope_id=self._token(Purpose.ENVELOPE, row.number),
            original=path if self._settings.return_domain else None,
        )

    def _marks(self, number: int, now: datetime) -> Marks:
        page = ""
        if self._template.draft.kind is MailKind.MARKETING:
            if not self._settings.unsubscribe_page:
                raise Stopped("Marketing needs a page to unsubscribe (console.url).")
            token = self._token(Purpose.UNSUBSCRIBE, number)
            page = self._settings.unsubscribe_page.format(token=token)
        message_id = self._token(Purpose.MESSAGE_ID, number)
        return Marks(message_id, now, page, self._feedback_id(number))

    def _feedback_id(self, number: int) -> str:
        sender = self._settings.feedback_sender
        if not sender:
            return ""
        kind, serial = self._template.draft.kind, self._campaign.serial
        return feedback_id(self._tokens, serial, number, kind=kind, sender=sender)

    def _token(self, purpose: Purpose, number: int) -> str:
        return self._tokens.make(purpose, self._campaign.serial, number)

    def _signed(self, wire: bytes, now: datetime) -> bytes:
        key = self._settings.dkim_key
        if key is None:
            return wire
        header, _, body = wire.partition(b"\r\n\r\n")
        last, hashed = self._hashed
        if body != last:
            hashed = dkim.body_hash(body)
            self._hashed = (body, hashed)
        fields = [_named(line) for line in _FIELDS.split(header)]
        signature = dkim.signature(fields, hashed, key, now)
        # Behind From: our own last look expects From to come first.
        first, _, rest = wire.partition(b"\r\n")
        return first + b"\r\n" + signature + rest


class Batch:
    """What one worker claimed of one campaign."""

    def __init__(
        self,
        campaign: Campaign,
        claimed: Sequence[Claimed],
        maker: Maker,
        connections: Connections,
        settings: SendSettings,
        *,
        by: str,
        clock: Callable[[], datetime],
        stop: asyncio.Event | None = None,
    ) -> None:
        self._campaign = campaign
        self._claimed = claimed
        self._groups = deque(_groups(claimed, settings.group))
        self._more: Callable[[], list[Claimed]] | None = None
        self._stop = stop
        self._maker = maker
        self._connections = connections
        self._settings = settings
        self._by = by
        self._clock = clock
        self._attempts = {one.number: one.attempts for one in claimed}
        self._rows: dict[int, Row] = {}
        self._ready: deque[Parcel] = deque()
        self._waiting: deque[Parcel] = deque()
        self._outcomes: list[Outcome] = []
        self._open = 0
        self._streams: list[Stream] = []
        self._pace = Pace(settings.group, time.monotonic(), connections.rate)
        self._is_hop_away = self._is_hop_full = False
        self._is_refused = self._is_record_due = False
        self._failed = 0
        self._changed = asyncio.Event()

    async def run(self, more: Callable[[], list[Claimed]] | None = None) -> int:
        """Try every row; how many were written down as about to leave.

        ``more`` claims what comes next while the last of it leaves, in a thread; it
        says nothing where somebody has to look at the campaign first.
        Raises what stops a campaign once all that was begun is recorded; and
        TransientError where the store is away.
        """
        self._more = more
        first = await self._connections.take()
        if first is None:
            self._is_hop_away = True
            await self._postpone()
            return 0
        extensions = first.extensions
        self._connections.give_back(first)
        beside = [asyncio.create_task(self._watch()), asyncio.create_task(self._grow())]
        try:
            return await self._begin_all(extensions)
        finally:
            for task in beside:
                task.cancel()

    async def _begin_all(self, extensions: Extensions) -> int:
        try:
            return await self._go(extensions)
        except BaseException:
            # What waits was not handed over; what is on its way is waited for.
            self._give_up()
            raise
        finally:
            await self._end()

    async def _end(self) -> None:
        """Wait for what is on its way; what is answered meanwhile is recorded.

        One answer that takes its time keeps no other in doubt. Raises TransientError.
        """
        while self._open:
            await self._until(0, or_record=True)
            # A database that is away is asked again with the next look, and at the end.
            self._is_record_due = False
            with suppress(TransientError):
                await self._turn(())
        await self._record()

    async def _watch(self) -> None:
        """Where the next hop is slow, a pause or our end does not wait for a group."""
        while True:
            await asyncio.sleep(_BETWEEN_LOOKS)
            # What was answered by a slow hop does not stay in doubt for a whole group.
            self._is_record_due = True
            self._changed.set()
            if self._is_stopped:
                self._give_up()
            if not self._waiting:
                continue
            with suppress(TransientError):
                campaign_id = self._campaign.id
                if await asyncio.to_thread(ledger.because_of, campaign_id):
                    self._give_up()

    async def _grow(self) -> None:
        """More connections where messages wait for the next hop, and not for us.

        A machine that is busy is late, and is no quicker with more connections.
        """
        while True:
            has_waited, seen = bool(self._waiting), self._pace.answered
            began, used = time.monotonic(), time.process_time()
            await asyncio.sleep(_SLOW)
            is_busy = (
                time.monotonic() - began > _LATE
                or time.process_time() - used > _SLOW / 2
                or self._pace.answered - seen >= 2 * len(self._streams)
            )
            if has_waited and self._waiting and not is_busy and not self._is_hop_full:
                self._connections.want_more()
                self._changed.set()

    async def _go(self, extensions: Extensions) -> int:
        """Group after group; the next one is made while one is on its way."""
        begun = 0
        making: asyncio.Task[list[Parcel]] | None = None
        claiming = None
        try:
            while True:
                if claiming is None and self._is_claiming_due and self._more:
                    claiming = asyncio.create_task(asyncio.to_thread(self._more))
                if claiming is not None and (claiming.done() or not self._groups):
                    self._add(await claiming)
                    claiming = None
                if making is None and self._groups and self._is_making_due:
                    making = self._make(self._groups.popleft(), extensions)
                size = self._size()
                if making is not None and len(self._ready) < max(size, 1):
                    self._ready.extend(await making)
                    making = None
                    continue
                if not self._ready:
                    return begun
                begun += await self._begin(size)
                if self._is_over:
                    self._give_up()
                    return begun
        finally:
            self._connections.rate = self._pace.rate
            self._connections.want_less()
            # A thread cannot be stopped; what it makes or claims is not used.
            beside = [task for task in (making, claiming) if task is not None]
            await asyncio.gather(*beside, return_exceptions=True)

    def _add(self, claimed: Sequence[Claimed]) -> None:
        """What was claimed meanwhile; where it is nothing, nothing more is."""
        if not claimed:
            self._more = None
        self._attempts.update((one.number, one.attempts) for one in claimed)
        self._groups.extend(_groups(claimed, self._settings.group))

    @property
    def _is_claiming_due(self) -> bool:
        return len(self._groups) <= 1

    @property
    def _is_making_due(self) -> bool:
        return len(self._ready) <= self._settings.group

    def _size(self) -> int:
        """How many to write down now, with the connections that there will be."""
        self._pace.measure(time.monotonic())
        return self._pace.size(self._streams_soon, self._open)

    @property
    def _streams_soon(self) -> int:
        return max(len(self._streams), self._connections.wanted)

    async def _begin(self, size: int) -> int:
        """Write the next group down and hand it over; how many may leave."""
        parcels = [self._ready.popleft() for _ in range(min(size, len(self._ready)))]
        going = await self._turn(parcels)
        self._open += len(going)
        self._waiting.extend(going)
        self._is_refused = len(going) < len(parcels)
        if not self._is_refused:
            await self._feed()
            await self._until(self._pace.low(self._streams_soon), or_record=True)
        return len(going)

    @property
    def _is_over(self) -> bool:
        """Whether somebody has to look before more is begun, or nothing more can be."""
        much = self._settings.worst_share * self._pace.answered
        is_failing = self._failed > max(self._settings.fewest_failures, much)
        return self._is_hop_away or self._is_stopped or self._is_refused or is_failing

    @property
    def _is_stopped(self) -> bool:
        return self._stop is not None and self._stop.is_set()

    async def _postpone(self) -> None:
        """The next hop is away: the rows wait, and were not tried."""
        wait = self._settings.retry_after[0]
        await asyncio.to_thread(
            ledger.postpone,
            self._campaign.id,
            [one.number for one in self._claimed],
            by=self._by,
            until=self._clock() + wait,
        )

    def _make(
        self, group: Sequence[Claimed], extensions: Extensions
    ) -> "asyncio.Task[list[Parcel]]":
        return asyncio.create_task(self._made(group, extensions))

    async def _made(
        self, group: Sequence[Claimed], extensions: Extensions
    ) -> list[Parcel]:
        """The parcels of a group, made in a thread; in several where signing is slow.

        The others wait for one that cannot be made: nothing is made behind our back.
        """
        ahead = [group, *islice(self._groups, _GROUPS_READ - 1)]
        wanted = [one.number for each in ahead for one in each]
        rows = await asyncio.to_thread(self._rows_of, wanted, len(group))
        share = -(-len(rows) // self._threads)
        shares = [rows[at : at + share] for at in range(0, len(rows), share)]
        making = [
            asyncio.to_thread(self._parcels, one, extensions, self._clock())
            for one in shares
        ]
        made = await asyncio.gather(*making, return_exceptions=True)
        parcels: list[Parcel] = []
        for one in made:
            if isinstance(one, BaseException):
                raise one
            parcels += one
        return parcels

    @property
    def _threads(self) -> int:
        key = self._settings.dkim_key
        if key is None or not key.is_slow:
            return 1
        return min(_MOST_THREADS, os.cpu_count() or 1)

    def _rows_of(self, wanted: Sequence[int], count: int) -> list[Row]:
        """The first rows of these; the others are read along: one by one is slow."""
        numbers = wanted[:count]
        if not self._rows.keys() >= set(numbers):
            self._rows = lists.some(self._campaign.list_id or "", wanted)
        rows = self._rows
        if not rows.keys() >= set(numbers):
            raise Stopped("A row of the ledger is no longer on the list.")
        return [rows.pop(number) for number in numbers]

    def _parcels(
        self, rows: Sequence[Row], extensions: Extensions, now: datetime
    ) -> list[Parcel]:
        return [parcel_of(self._maker, row, extensions, now) for row in rows]

    async def _turn(self, parcels: Sequence[Parcel]) -> list[Parcel]:
        """Record what was answered and begin these, in one transaction.

        What was answered is kept until it is recorded, whatever happens.
        """
        outcomes, numbers = list(self._outcomes), [one.number for one in parcels]
        try:
            turned = await asyncio.to_thread(self._written, outcomes, numbers)
        except TransientError:
            # Perhaps they were written down, and nothing of them has left.
            lost = Handed.NOT_HANDED_OVER
            self._outcomes += [Outcome(number, lost, LOST) for number in numbers]
            raise
        del self._outcomes[: len(outcomes)]
        self._is_record_due = False
        # Who only records goes on until all is recorded.
        if numbers and turned.because == ledger.OTHER_LIST:
            raise Stopped(turned.because)
        return [one for one in parcels if one.number in turned.begun]

    def _written(self, outcomes: Sequence[Outcome], numbers: Sequence[int]) -> Turn:
        now = self._clock()
        return ledger.turn(
            self._campaign.id,
            self._marked(outcomes, now),
            numbers,
            by=self._by,
            lease=self._settings.lease,
            now=now,
        )

    def _marked(self, outcomes: Sequence[Outcome], now: datetime) -> list[Marked]:
        until = min(
            self._campaign.not_after or datetime.max.replace(tzinfo=now.tzinfo),
            (self._campaign.started_at or now) + self._settings.keep_trying,
        )
        rows = (
            marked(
                one,
                attempts=self._attempts[one.number],
                now=now,
                until=until,
                retry_after=self._settings.retry_after,
            )
            for one in outcomes
        )
        return [row for row in rows if row is not None]

    async def _feed(self) -> None:
        """Tell the streams that there is more; those that are missing are begun."""
        for stream in tuple(self._streams):
            stream.go_on()
        if self._waiting and self._is_connection_missing:
            await self._connect()

    async def _connect(self) -> None:
        """A stream for each connection that is wanted, as long as parcels wait."""
        missing = min(self._connections.wanted - len(self._streams), len(self._waiting))
        await asyncio.gather(*(self._join() for _ in range(missing)))
        if not self._streams and self._is_hop_full:
            self._is_hop_away = True
            self._give_up()

    async def _join(self) -> None:
        connection = await self._connections.take()
        if connection is None:
            self._is_hop_full = True
        else:
            self._stream(connection)

    def _stream(self, connection: ClientConnection) -> None:
        def ended() -> None:
            self._streams.remove(stream)
            self._connections.give_back(connection)
            self._changed.set()

        stream = Stream(connection, self._next, self._done, ended)
        self._streams.append(stream)
        stream.start()

    def _next(self) -> Parcel | None:
        while self._waiting:
            parcel = self._waiting.popleft()
            if parcel.content:
                return parcel
            self._done(Outcome(parcel.number, Handed.ANSWERED, replies.NO_UTF8))
        return None

    def _done(self, outcome: Outcome) -> None:
        self._open -= 1
        self._pace.answered += 1
        self._failed += outcome.is_failed
        self._outcomes.append(outcome)
        self._changed.set()

    def _give_up(self) -> None:
        """Nothing of what waits is handed over: it stays as it was."""
        while self._waiting:
            number = self._waiting.popleft().number
            self._done(Outcome(number, Handed.NOT_HANDED_OVER, LOST))

    async def _until(self, most: int, *, or_record: bool = False) -> None:
        """Wait until at most so many are on their way, or something is to be recorded.

        Connections that are missing meanwhile are made.
        """
        while self._open > most:
            if or_record and self._is_record_due and self._outcomes:
                return
            self._changed.clear()
            if self._waiting and self._is_connection_missing:
                await self._connect()
                continue
            await self._changed.wait()

    @property
    def _is_connection_missing(self) -> bool:
        if self._is_hop_full and self._streams:
            return False
        return len(self._streams) < self._connections.wanted

    async def _record(self) -> None:
        """Record what was answered; a database that is away is waited for.

        What is known would be in doubt otherwise. Raises TransientError at the end of
        the patience.
        """
        end = time.monotonic() + self._settings.record_for.total_seconds()
        while self._outcomes:
            try:
                await self._turn(())
            except TransientError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(_BETWEEN_TRIES)


def _senders(draft: Draft) -> list[Address]:
    return [one for one in (draft.author, draft.reply_to) if one is not None]


def _named(line: bytes) -> tuple[bytes, bytes]:
    name, _, body = line.partition(b":")
    return name, body


def _groups(claimed: Sequence[Claimed], size: int) -> Iterator[Sequence[Claimed]]:
    for start in range(0, len(claimed), size):
        yield claimed[start : start + size]
