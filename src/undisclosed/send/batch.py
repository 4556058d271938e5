# SPDX-License-Identifier: Apache-2.0
"""One claim's worth of messages: made, looked at, written down, handed over, recorded.

A group is written down as about to leave, durably, before the first byte of it does;
the same transaction records what was answered since the last one. While a group is on
its way over several connections, the next one is made.
"""

import asyncio
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from undisclosed.core.address import Address
from undisclosed.core.campaign import Draft, MailKind, Row
from undisclosed.core.mail import Recipient
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.formats import dkim
from undisclosed.send.connections import Connections
from undisclosed.send.merge import Template
from undisclosed.send.message import Marks, Message
from undisclosed.send.outcomes import marked
from undisclosed.send.settings import SendSettings
from undisclosed.send.tokens import Purpose, Tokens
from undisclosed.send.wire_check import Allowed, check_wire
from undisclosed.store import ledger, lists
from undisclosed.store.campaigns import Campaign
from undisclosed.store.ledger import Claimed, Marked, Turn
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.bulk import Handed, Outcome, Parcel, Stream
from undisclosed.transport.smtp.client import LOST, ClientConnection
from undisclosed.transport.smtp.commands import mail_line, rcpt_line
from undisclosed.transport.smtp.content import wire as on_the_wire
from undisclosed.transport.smtp.extensions import Extensions

_FIELDS = re.compile(rb"\r\n(?![ \t])")
_GROUPS_READ = 10
_BETWEEN_TRIES = 0.5
_BETWEEN_LOOKS = 1.0


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

    def message(self, row: Row, now: datetime) -> Message:
        """The row's message, signed where we sign.

        Raises RowUnfit, and SomebodyElse where its bytes would show anybody else.
        """
        if row.address is None:
            raise Stopped("A person without an address stands in the ledger.")
        made = self._template.message(row, self._marks(row.number, now))
        wire = self._signed(made.wire, now)
        check_wire(wire, row.address, self._allowed, self._template.own_parts(row))
        return Message(wire, made.needs_utf8)

    def return_path(self, number: int) -> Address:
        """Where the bounces of one row go: a token, never the recipient's address."""
        domain = self._settings.return_domain
        if not domain:
            return self._template.draft.author
        return Address(f"b-{self._token(Purpose.RETURN_PATH, number)}", domain)

    def _marks(self, number: int, now: datetime) -> Marks:
        page = ""
        if self._template.draft.kind is MailKind.MARKETING:
            if not self._settings.unsubscribe_page:
                raise Stopped("Marketing needs a page to unsubscribe (console.url).")
            token = self._token(Purpose.UNSUBSCRIBE, number)
            page = self._settings.unsubscribe_page.format(token=token)
        return Marks(self._token(Purpose.MESSAGE_ID, number), now, page)

    def _token(self, purpose: Purpose, number: int) -> str:
        return self._tokens.make(purpose, self._campaign.serial, number)

    def _signed(self, wire: bytes, now: datetime) -> bytes:
        key = self._settings.dkim_key
        if key is None:
            return wire
        header, _, body = wire.partition(b"\r\n\r\n")
        if body != self._hashed[0]:
            self._hashed = (body, dkim.body_hash(body))
        fields = [_named(line) for line in _FIELDS.split(header)]
        signature = dkim.signature(fields, self._hashed[1], key, now)
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
        self._stop = stop
        self._maker = maker
        self._connections = connections
        self._settings = settings
        self._by = by
        self._clock = clock
        self._attempts = {one.number: one.attempts for one in claimed}
        self._rows: dict[int, Row] = {}
        self._waiting: deque[Parcel] = deque()
        self._outcomes: list[Outcome] = []
        self._open = 0
        self._streams = 0
        self._is_hop_away = False
        self._changed = asyncio.Event()

    async def run(self) -> int:
        """Try every row; how many were written down as about to leave.

        Raises what stops a campaign once all that was begun is recorded; and
        TransientError where the store is away.
        """
        first = await self._connections.take()
        if first is None:
            self._is_hop_away = True
            await self._postpone()
            return 0
        extensions = first.extensions
        self._connections.give_back(first)
        watching = asyncio.create_task(self._watch())
        try:
            return await self._begin_all(extensions)
        finally:
            watching.cancel()

    async def _begin_all(self, extensions: Extensions) -> int:
        try:
            return await self._go(extensions)
        except BaseException:
            # What waits was not handed over; what is on its way is waited for.
            self._give_up()
            raise
        finally:
            await self._until(0)
            await self._record()

    async def _watch(self) -> None:
        """Where the next hop is slow, a pause or our end does not wait for a group."""
        while True:
            await asyncio.sleep(_BETWEEN_LOOKS)
            if self._is_stopped:
                self._give_up()
            if not self._waiting:
                continue
            with suppress(TransientError):
                campaign_id = self._campaign.id
                if await asyncio.to_thread(ledger.because_of, campaign_id):
                    self._give_up()

    async def _go(self, extensions: Extensions) -> int:
        """Group after group; the next one is made while one is on its way."""
        begun = 0
        groups = deque(_groups(self._claimed, self._settings.group))
        making: asyncio.Task[list[Parcel]] | None
        making = self._make(groups.popleft(), extensions)
        try:
            while making is not None:
                parcels = await making
                making = self._make(groups.popleft(), extensions) if groups else None
                going = await self._turn(parcels)
                begun += len(going)
                self._open += len(going)
                self._waiting.extend(going)
                if len(going) < len(parcels):
                    self._give_up()
                    break
                await self._feed()
                await self._until(self._settings.group)
                if self._is_hop_away or self._is_stopped:
                    self._give_up()
                    break
        finally:
            if making is not None:
                # A thread cannot be stopped; what it makes is not used.
                await asyncio.gather(making, return_exceptions=True)
        return begun

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
        return asyncio.create_task(asyncio.to_thread(self._parcels, group, extensions))

    def _parcels(
        self, group: Sequence[Claimed], extensions: Extensions
    ) -> list[Parcel]:
        numbers = [one.number for one in group]
        if numbers[0] not in self._rows:
            self._read_from(numbers[0])
        rows = self._rows
        if not rows.keys() >= set(numbers):
            raise Stopped("A row of the ledger is no longer on the list.")
        now = self._clock()
        return [self._parcel(rows.pop(number), extensions, now) for number in numbers]

    def _read_from(self, number: int) -> None:
        """Read the rows of the next groups: to ask for each group alone is slow."""
        numbers = [one.number for one in self._claimed if one.number >= number]
        wanted = numbers[: _GROUPS_READ * self._settings.group]
        self._rows = lists.some(self._campaign.list_id or "", wanted)

    def _parcel(self, row: Row, extensions: Extensions, now: datetime) -> Parcel:
        message = self._maker.message(row, now)
        if row.address is None:
            raise Stopped("A person without an address stands in the ledger.")
        needs_utf8 = message.needs_utf8
        parameters = ("BODY=8BITMIME", "SMTPUTF8") if needs_utf8 else ()
        if needs_utf8 and not (extensions.utf8 and extensions.eight_bit):
            return Parcel(row.number, b"", b"", b"")
        return Parcel(
            row.number,
            mail_line(
                self._maker.return_path(row.number),
                parameters,
                extensions,
                len(message.wire),
            ),
            rcpt_line(Recipient(row.address), extensions),
            on_the_wire(message.wire),
        )

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
        if turned.because == ledger.OTHER_LIST:
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
        """A stream for each connection that may be made, as long as parcels wait."""
        while self._waiting and self._streams < self._connections.most:
            if self._streams * 2 > len(self._waiting) and self._streams:
                return
            connection = await self._connections.take()
            if connection is None:
                if not self._streams:
                    self._is_hop_away = True
                    self._give_up()
                return
            self._streams += 1
            self._stream(connection)

    def _stream(self, connection: ClientConnection) -> None:
        def ended() -> None:
            self._streams -= 1
            self._connections.give_back(connection)
            self._changed.set()

        Stream(connection, self._next, self._done, ended).start()

    def _next(self) -> Parcel | None:
        while self._waiting:
            parcel = self._waiting.popleft()
            if parcel.content:
                return parcel
            self._done(Outcome(parcel.number, Handed.ANSWERED, replies.NO_UTF8))
        return None

    def _done(self, outcome: Outcome) -> None:
        self._open -= 1
        self._outcomes.append(outcome)
        self._changed.set()

    def _give_up(self) -> None:
        """Nothing of what waits is handed over: it stays as it was."""
        while self._waiting:
            number = self._waiting.popleft().number
            self._done(Outcome(number, Handed.NOT_HANDED_OVER, LOST))

    async def _until(self, most: int) -> None:
        """Wait until at most so many are on their way."""
        while self._open > most:
            self._changed.clear()
            if self._waiting and not self._streams:
                await self._feed()
                continue
            await self._changed.wait()

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
