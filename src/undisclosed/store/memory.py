# SPDX-License-Identifier: Apache-2.0
"""Memory in PostgreSQL: what was shown to whom before, as keyed hashes only.

It fits the port ``Memory`` of the guard. All mail of one sender takes its place one
after the other, under a lock that ends with the transaction: two guards that judge
at once see one another, and mail of different senders does not wait.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from undisclosed.core.address import Address
from undisclosed.core.held import WAVE_TRANSITIONS, Reservation, WaveState
from undisclosed.core.known import AudienceKind, Known, MailingSoFar
from undisclosed.core.mailing import SIMILARITY, Wave, similarity
from undisclosed.core.strangers import joined_before
from undisclosed.store import bootstrap, crypto, memory_crowds, people
from undisclosed.store.control import author_hash
from undisclosed.store.crypto import Keys
from undisclosed.store.database import Connection, Prepared, database, transaction
from undisclosed.store.memory_audiences import (
    MOST_AUDIENCES,
    SHOW,
    Asked,
    Found,
    Joined,
    remember,
)
from undisclosed.store.memory_hashes import Hashes, byte_strings, numbers
from undisclosed.store.memory_keys import Generations
from undisclosed.store.memory_totals import Totals, count, totals_of

_MOST_CANDIDATES: Final = 200
"""The latest texts of a sender with a value in common are compared, no more."""

_LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"
_LOOK: Final = Prepared(
    "undisclosed_look",
    "SELECT store_look($1::bigint[], $2, $3::bigint[], $4::int, $5::bytea[],"
    " $6::timestamptz, $7::bytea[], $8::bytea[], $9::bytea[], $10::timestamptz,"
    " $11::bigint[], $12::bytea[], $13::int)",
)
_TAKE: Final = Prepared(
    "undisclosed_take",
    "SELECT store_take_place($1, $2, $3::bytea, $4::bytea, $5::bytea, $6::bytea, $7,"
    " $8::timestamptz, $9::bigint, $10::bytea, $11::bytea, $12::bytea, $13::bigint[],"
    " $14::bigint[], $15::bytea, $16::timestamptz, $17::timestamptz, $18::int,"
    " $19::bigint, $20::int)",
)
_AGAIN: Final = "UPDATE store_rememberedwave SET state = 'reserved' WHERE id = %s"
_RECALLED: Final = (
    "SELECT coalesce(audience, people) FROM store_rememberedwave"
    " WHERE sender_hash = %b AND subject_hash = %b"
)
_SETTLE: Final = (
    "UPDATE store_rememberedwave SET state = %s, was_held = was_held OR %s"
    " WHERE id = %s AND state = ANY(%b::text[]) RETURNING mailing_id"
)
_SENDER_OF: Final = (
    "SELECT sender_hash, was_held FROM store_rememberedwave WHERE id = %s"
)


class PostgresMemory:
    """Reservations in one serialised transaction each.

    May be called from any thread. Every call raises TransientError while the
    database is away.
    """

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys or crypto.keys()
        self._mark = ""

    def reserve(self, wave: Wave, *, window: timedelta, now: datetime) -> Reservation:
        """Take a place for this mail; a retry finds its own again."""
        bootstrap.ensure_key()
        with transaction() as connection:
            place, newest = self._look(connection, wave, window, now)
            reservation = place.take(connection)
            if wave.hidden:
                remember(
                    connection,
                    newest,
                    AudienceKind.HIDDEN,
                    wave.hidden,
                    at=now,
                    is_sensitive=wave.strangers.is_sensitive,
                )
        return reservation

    def _look(
        self, connection: Connection, wave: Wave, window: timedelta, now: datetime
    ) -> tuple["_Place", Keys]:
        """Wait for earlier mail of the sender; what is known then, in one question.

        Where the keys of the moment are others than at the last question, it is asked
        again with them.
        """
        mark = self._mark
        while True:
            generations = Generations.of(connection, self._keys, mark)
            hashes = [Hashes(wave, keys) for keys in generations.keys]
            asked = Asked(wave.asked, [(one.key_id, one.of) for one in hashes])
            values = self._values(wave, hashes, asked, window, now)
            seen = json.loads(connection.ask(_LOOK, (values[0], mark, *values[1:])))
            if seen["mark"] == mark:
                self._mark = mark
                found = asked.found(seen["audiences"] or ())
                return _Place(wave, found, hashes, seen, now), generations.newest
            mark = seen["mark"]

    def _values(
        self,
        wave: Wave,
        hashes: Sequence[Hashes],
        asked: Asked,
        window: timedelta,
        now: datetime,
    ) -> tuple[object, ...]:
        """The values of ``store_look`` but for the mark of the keys.

        The lock under the master key is the same for a process that has not heard of
        a new key yet; those under the others are what ``settle`` takes.
        """
        senders = [one.sender for one in hashes]
        master = Hashes(wave, self._keys).sender
        return (
            numbers(dict.fromkeys(map(_number, (master, *senders)))),
            numbers(asked.numbers),
            MOST_AUDIENCES,
            byte_strings(author_hash(self._keys, author) for author in wave.authors),
            now,
            byte_strings(one.digest for one in hashes),
            byte_strings(one.message_id for one in hashes if one.message_id),
            byte_strings(senders),
            now - window,
            numbers(value for one in hashes for value in one.bottom),
            byte_strings(people.pack(one.sketch) for one in hashes),
            _MOST_CANDIDATES,
        )

    def settle(self, reservation_id: str, state: WaveState) -> None:
        """Say what became of the mail. Settling twice is settling once."""
        before = [old.value for old, news in WAVE_TRANSITIONS.items() if state in news]
        if state is WaveState.SHOWN:
            with database() as connection:
                connection.run(SHOW, (reservation_id, before))
            return
        values = (state.value, state is WaveState.HELD, reservation_id, before)
        if state is not WaveState.CANCELLED:
            with database() as connection:
                connection.run(_SETTLE, values)
            return
        with transaction() as connection:
            row = connection.one(_SENDER_OF, (reservation_id,))
            if row is None:
                return
            connection.run(_LOCK, (_number(row[0]),))
            settled = connection.one(_SETTLE, values)
            if settled is not None and not row[1]:
                count(connection, settled[0], row[0])

    def hide(
        self, people: Iterable[Address], *, is_sensitive: bool, now: datetime
    ) -> None:
        """Remember a hidden audience; see the port."""
        bootstrap.ensure_key()
        with transaction() as connection:
            keys = Generations.of(connection, self._keys).newest
            memory_crowds.hide(
                connection, keys, people, at=now, is_sensitive=is_sensitive
            )

    def learn(self, people: Iterable[Address], *, now: datetime) -> None:
        """Remember a thread that is not ours; see the port."""
        bootstrap.ensure_key()
        with database() as connection:
            keys = Generations.of(connection, self._keys).newest
            remember(connection, keys, AudienceKind.THREAD, people, at=now)


@dataclass(slots=True)
class _Place:
    """The place of one mail while it is being taken, inside the transaction.

    ``seen`` is what the database answered to ``store_look``.
    """

    wave: Wave = field(repr=False)
    found: Found = field(repr=False)
    hashes: list[Hashes] = field(repr=False)
    seen: dict[str, Any] = field(repr=False)
    now: datetime

    def take(self, connection: Connection) -> Reservation:
        """The place, and everything that Memory knows of the mail."""
        found = self.found
        known = Known(
            recalled=_is_recall(connection, self.hashes),
            circles=tuple(found.circles),
            threads=tuple(group for group, _ in found.threads),
            hidden=tuple(found.hidden),
            is_controlled=self.seen["is controlled"],
        )
        wave = self.wave.with_known(known)
        joined = self._joined()
        row = self.seen["place"]
        if row is not None and row["is_retry"]:
            place_id, mailing = self._again(connection, row)
        else:
            place_id, mailing = self._new(connection, wave, joined, row)
        number = len(joined - wave.people)
        return Reservation(place_id, replace(known, mailing=mailing, joined=number))

    def _joined(self) -> frozenset[Joined]:
        """Whom our mail brought into the threads that this mail goes on with."""
        if self.wave.strangers.is_sensitive:
            return frozenset()
        return joined_before(self.found.threads, self.wave.people)

    def _again(
        self, connection: Connection, row: dict[str, str]
    ) -> tuple[str, MailingSoFar]:
        if row["state"] == WaveState.CANCELLED.value:
            connection.run(_AGAIN, (row["id"],))
        sender = self._of(row["key_id"]).sender
        return row["id"], count(connection, row["mailing_id"], sender)

    def _new(
        self,
        connection: Connection,
        wave: Wave,
        joined: frozenset[Joined],
        row: dict[str, str] | None,
    ) -> tuple[str, MailingSoFar]:
        if row is not None:
            hashes = self._of(row["key_id"])
            found: str | None = row["mailing_id"]
        else:
            found, hashes = self._most_similar(wave)
        place_id, mailing_id = secrets.token_hex(16), found or secrets.token_hex(12)
        values = hashes.row(wave, joined, self.now)
        mailing = MailingSoFar(mailing_id, len(wave.people), wave.disclosures, 1)
        told: tuple[object, ...] = (None,) * 5
        if found is not None:
            totals = self._totals(connection, found)
            mailing = totals.with_mail(hashes.pack(wave.people), mailing, self.now)
            told = totals.told
        connection.ask(_TAKE, (place_id, mailing_id, *values, *told))
        return place_id, mailing

    def _totals(self, connection: Connection, mailing_id: str) -> Totals:
        """What there is of the mailing so far; asked for where another was guessed."""
        if self.seen["mailing"] == mailing_id:
            return Totals(self.seen["totals"])
        return totals_of(connection, mailing_id)

    def _of(self, key_id: str) -> Hashes:
        """The wave under the key that made a row: a mailing keeps its key."""
        return next(one for one in self.hashes if one.key_id == key_id)

    def _most_similar(self, wave: Wave) -> tuple[str | None, Hashes]:
        """The mailing that this mail belongs to; of several the most similar, latest.

        Texts that were hashed with another key can be compared under that key only.
        """
        best, key = SIMILARITY, self.hashes[0]
        found: str | None = None
        if not wave.adds_up:
            return None, key
        by_sender = {one.sender.hex(): one for one in self.hashes}
        for mailing_id, sender, packed in self.seen["texts"] or ():
            hashes = by_sender[sender]
            sketch = tuple(people.unpack(bytes.fromhex(packed)))
            alike = similarity(hashes.sketch, sketch)
            if alike > best or (alike == best and found is None):
                best, found, key = alike, mailing_id, hashes
        return found, key


def _is_recall(connection: Connection, hashes: list[Hashes]) -> bool:
    for each in hashes:
        if each.recalls is None:
            return False
        rows = connection.all(_RECALLED, (each.sender, each.recalls))
        if any(people.overlap(row[0], each.audience) for row in rows):
            return True
    return False


def _number(hashed: bytes) -> int:
    """The name of a lock."""
    return int.from_bytes(hashed[:8], "big", signed=True)
