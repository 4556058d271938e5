# SPDX-License-Identifier: Apache-2.0
"""Before a campaign's first message, its seeds: it begins once they came back right.

A round is one message to each seed box, made, looked at and handed over as all of the
campaign are. Nobody of the list is in it: the values are masked, and of one person's
own file there is only that there is one. The worker does other things meanwhile; it
looks into the box again and again until all are there or the time is over.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.campaign import Row, Way
from undisclosed.core.mail import Envelope
from undisclosed.core.masking import masked
from undisclosed.errors import TransientError
from undisclosed.send.batch import Maker, Stopped
from undisclosed.send.connections import Connections
from undisclosed.send.message import Message
from undisclosed.send.parcel import parcel_of
from undisclosed.send.seeds import Seen, fetched, seed_numbers, seed_of, seed_row
from undisclosed.store import lists
from undisclosed.store import seeds as kept
from undisclosed.store.campaigns import Campaign
from undisclosed.store.seeds import SeedRound
from undisclosed.transport.imap import ImapSettings
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.bulk import Handed, Outcome, Parcel, Stream
from undisclosed.transport.smtp.client import LOST, ClientConnection
from undisclosed.transport.smtp.replies import Reply

AGAIN: Final = timedelta(seconds=5)
"""Between two looks into the box."""


@dataclass(frozen=True, slots=True)
class SeedSettings:
    """The boxes, where they are read, and how long their messages may take.

    ``away`` is the time after which a next hop that is away is tried again.
    """

    addresses: tuple[Address, ...]
    box: ImapSettings
    wait: timedelta = timedelta(minutes=15)
    away: timedelta = timedelta(minutes=1)


class Seeding:
    """Sends and compares the seeds of campaigns, for one worker."""

    def __init__(
        self,
        settings: SeedSettings,
        connections: Connections,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._connections = connections
        self._clock = clock

    async def again_at(self, campaign: Campaign, maker: Maker) -> datetime | None:
        """When to ask again; None once the campaign's own messages may leave.

        Where a seed is otherwise than it left, the campaign is paused. Raises
        TransientError where the store is away, and what making a message raises.
        """
        last = await asyncio.to_thread(kept.of, campaign.id)
        if last is not None and last.may_begin:
            return None
        now = self._clock()
        if last is None or last.state is kept.SeedState.DIFFERENT:
            return await self._send(campaign, maker, last.number + 1 if last else 1)
        if await asyncio.to_thread(self._look, campaign, maker, last, now):
            return now
        return now + AGAIN

    async def _send(self, campaign: Campaign, maker: Maker, number: int) -> datetime:
        """Begin a round: of several workers one does."""
        now = self._clock()
        connection = await self._connections.take()
        if connection is None:
            return now + self._settings.away
        try:
            parcels = await asyncio.to_thread(
                self._parcels, campaign, maker, number, now, connection
            )
            is_ours = await asyncio.to_thread(
                kept.begin, campaign.id, number, messages=len(parcels), now=now
            )
            outcomes = await _handed_over(connection, parcels) if is_ours else []
        finally:
            self._connections.give_back(connection)
        refused = [one for one in outcomes if not one.reply.is_positive]
        if refused:
            said = [_answered(one.reply) for one in refused]
            await asyncio.to_thread(
                self._end, campaign, number, len(parcels), len(refused), said
            )
        return now + AGAIN

    def _parcels(
        self,
        campaign: Campaign,
        maker: Maker,
        number: int,
        now: datetime,
        connection: ClientConnection,
    ) -> list[Parcel]:
        return [
            parcel_of(_Masked(maker), row, connection.extensions, now)
            for row in self._rows(campaign, number)
        ]

    def _look(
        self, campaign: Campaign, maker: Maker, last: SeedRound, now: datetime
    ) -> bool:
        """Compare what is there; whether the round is over."""
        seeds = [
            seed_of(_Masked(maker), row, last.sent_at)
            for row in self._rows(campaign, last.number)
        ]
        is_late = now >= last.sent_at + self._settings.wait
        try:
            seen = fetched(seeds, self._settings.box, is_last=is_late)
        except TransientError:
            if not is_late:
                return False
            said = ["The seed box cannot be read."]
            self._end(campaign, last.number, len(seeds), len(seeds), said)
            return True
        if not is_late and not all(one.has_arrived for one in seen):
            return False
        wrong = [one for one in seen if not one.is_same]
        said = [sentence for one in wrong for sentence in _told(one)]
        self._end(campaign, last.number, len(seen), len(wrong), said)
        return True

    def _end(
        self,
        campaign: Campaign,
        number: int,
        messages: int,
        different: int,
        said: Sequence[str],
    ) -> None:
        kept.end(
            campaign.id,
            number,
            messages=messages,
            different=different,
            findings=tuple(dict.fromkeys(said)),
            now=self._clock(),
        )

    def _rows(self, campaign: Campaign, number: int) -> list[Row]:
        """A row for each box: the first ones of the list, and nothing of them."""
        boxes = self._settings.addresses
        people = lists.rows(campaign.list_id or "", way=Way.MAIL)
        first = list(islice(people, len(boxes)))
        if not first:
            raise Stopped("There is nobody on its list.")
        return [
            seed_row(person, row, to)
            for person, row, to in zip(
                cycle(first), seed_numbers(number, len(boxes)), boxes, strict=False
            )
        ]


@dataclass(frozen=True, slots=True)
class _Masked:
    """Makes messages as the campaign's maker does, with nothing of a person in them."""

    maker: Maker

    def message(self, row: Row, now: datetime) -> Message:
        """The row's message: only the seed's own address stands in it as it is."""
        own = row.address.spelled_out() if row.address else ""
        return self.maker.message(
            row, now, mask=lambda value: value if value == own else masked(value)
        )

    def envelope(self, row: Row) -> Envelope:
        """The row's envelope."""
        return self.maker.envelope(row)


async def _handed_over(
    connection: ClientConnection, parcels: Sequence[Parcel]
) -> list[Outcome]:
    """Hand them over as a campaign's messages are; what became of each."""
    outcomes = [
        Outcome(one.number, Handed.ANSWERED, replies.NO_UTF8)
        for one in parcels
        if not one.content
    ]
    waiting = deque(one for one in parcels if one.content)
    ended = asyncio.get_running_loop().create_future()

    def next_parcel() -> Parcel | None:
        return waiting.popleft() if waiting else None

    def end() -> None:
        ended.set_result(None)

    Stream(connection, next_parcel, outcomes.append, end).start()
    await ended
    lost = [Outcome(one.number, Handed.NOT_HANDED_OVER, LOST) for one in waiting]
    return outcomes + lost


def _answered(reply: Reply) -> str:
    if reply is LOST:
        return "The next hop went away."
    return f"The next hop answered {reply.code}."


def _told(seen: Seen) -> tuple[str, ...]:
    return seen.differences if seen.has_arrived else ("It did not arrive in time.",)
