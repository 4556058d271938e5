# SPDX-License-Identifier: Apache-2.0
"""Timestamps beside the journal's daily seals: what is missing is asked for.

An authority that is away holds nothing up: seals are made without it, and it is asked
again later, with no transaction open while it answers. What it answered is kept beside
the seal and never changed; the seal's own hash does not cover it.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from cryptography.x509 import Certificate

from undisclosed.errors import TransientError
from undisclosed.store import journal, sealing, timestamps
from undisclosed.store.database import database, transaction
from undisclosed.store.timestamps import Authority, TimestampWrong
from undisclosed.store.verifier import Timestamp, Verified, read_timestamp

MOST: Final = 3
"""Days that are asked for in one go: an authority is not flooded after a holiday."""

AGAIN_AFTER: Final = timedelta(minutes=10)
"""How long an authority that did not help is left alone."""

_MISSING: Final = """
SELECT s.day FROM store_journalseal s
 WHERE NOT EXISTS (SELECT FROM store_journaltimestamp t WHERE t.day = s.day)
 ORDER BY s.day = ANY(%b::date[]), s.day LIMIT %s
"""
_INSERT: Final = (
    "INSERT INTO store_journaltimestamp (day, at, response) VALUES (%s, %s, %b)"
    " ON CONFLICT DO NOTHING"
)

log = logging.getLogger(__name__)


def stamp(
    authority: Authority, most: int = MOST, wrong: set[date] | None = None
) -> int:
    """Ask for what is missing, the oldest first; how many seals got their timestamp.

    A day whose timestamp is wrong holds up no other: it is put into ``wrong``, and what
    is in there is asked for after the rest. Raises the last TimestampWrong at the end,
    AuthorityAway at once, and TransientError where the database is away.
    """
    wrong = set() if wrong is None else wrong
    with database() as connection:
        days = [row[0] for row in connection.all(_MISSING, (sorted(wrong), most))]
    last: TimestampWrong | None = None
    for day in days:
        try:
            _keep(day, _asked(authority, day))
        except TimestampWrong as error:
            last = error
            wrong.add(day)
        else:
            wrong.discard(day)
    if last is not None:
        raise last
    return len(days)


def check(found: Verified, roots: tuple[Certificate, ...]) -> Verified:
    """The faults of timestamps whose signature does not hold, beside the others."""
    faults = []
    for one in found.timestamps:
        try:
            timestamps.verify(one.response, one.digest, roots)
        except TimestampWrong as error:
            because = error.facts.get("because", "")
            faults.append(f"The timestamp of {one.day} does not verify: {because}.")
    return replace(found, faults=[*found.faults, *faults])


class Stamping:
    """Asks for timestamps again and again, and not more often than is polite."""

    def __init__(self, authority: Authority, clock: Callable[[], datetime]) -> None:
        self._authority = authority
        self._clock = clock
        self._next_at: datetime | None = None
        self._wrong: set[date] = set()

    def stamp_due(self) -> int:
        """Ask where something is missing and it is time to. Never raises for it.

        How many were kept, where nothing went wrong.
        """
        now = self._clock()
        if self._next_at is not None and now < self._next_at:
            return 0
        try:
            return stamp(self._authority, wrong=self._wrong)
        except (TimestampWrong, TransientError) as error:
            self._next_at = now + AGAIN_AFTER
            log.warning("No timestamp of the journal: %s", error)
            return 0


def _asked(authority: Authority, day: date) -> Timestamp:
    response = timestamps.ask(authority, sealing.head_of(day))
    found = read_timestamp(response, day.isoformat())
    if found.at < _end_of(day):
        # One of the two clocks is wrong, and it would stay so for good.
        raise TimestampWrong(because="it is from before the end of that day")
    return found


def _keep(day: date, found: Timestamp) -> None:
    with transaction() as connection:
        values = (day, found.at, found.response)
        if connection.run(_INSERT, values).rowcount:
            facts = {"day": found.day, "stamped_at": found.at.isoformat()}
            journal.write_with(connection, "seal timestamped", facts, actor="worker")


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
