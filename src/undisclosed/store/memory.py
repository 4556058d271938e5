# SPDX-License-Identifier: Apache-2.0
"""Memory in PostgreSQL: what was shown to whom before, as keyed hashes only.

It fits the port ``Memory`` of the guard. All mail of one sender takes its place one
after the other, under a lock that ends with the transaction: two guards that judge
at once see one another, and mail of different senders does not wait.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.held import WAVE_TRANSITIONS, Reservation, WaveState
from undisclosed.core.known import AudienceKind, Known, MailingSoFar
from undisclosed.core.mailing import SIMILARITY, Wave, similarity
from undisclosed.core.strangers import joined_before
from undisclosed.store import bootstrap, crypto, people
from undisclosed.store.crypto import Keys
from undisclosed.store.database import Connection, Row, database, transaction
from undisclosed.store.memory_audiences import SHOW, Found, Joined, ask, remember
from undisclosed.store.memory_hashes import Hashes
from undisclosed.store.memory_keys import MARK, Generations

_MOST_CANDIDATES: Final = 200
"""The latest texts of a sender with a value in common are compared, no more."""

_LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"
_LOCK_AND_MARK: Final = f"{MARK} FROM pg_advisory_xact_lock(%s)"
# The same bytes again come before another transaction of the same message.
_SAME: Final = """
SELECT id, mailing_id, state, key_id, digest_hash = ANY(%b::bytea[]) AS is_retry
  FROM store_rememberedwave
 WHERE digest_hash = ANY(%b::bytea[])
    OR (message_id_hash = ANY(%b::bytea[]) AND sender_hash = ANY(%b::bytea[])
        AND at >= %s)
 ORDER BY is_retry DESC, at LIMIT 1
"""
_AGAIN: Final = "UPDATE store_rememberedwave SET state = 'reserved' WHERE id = %s"
_CANDIDATES: Final = """
SELECT mailing_id, sketch FROM store_rememberedwave
 WHERE sender_hash = %b AND at >= %s AND bottom && %b::bigint[]
 GROUP BY mailing_id, sketch ORDER BY max(at) DESC LIMIT %s
"""
_INSERT: Final = """
INSERT INTO store_rememberedwave (
    id, mailing_id, sender_hash, digest_hash, subject_hash, message_id_hash, key_id,
    state, was_held, at, disclosures, people, audience, sketch, bottom, thread, joined
) VALUES (
    %s, %s, %b, %b, %b, %b, %s, 'reserved', false, %s, %s, %b, %b, %b, %b::bigint[],
    %b::bigint[], %b)
"""
# What counts for the judgement is everything not cancelled; what the pages tell is
# what would have been seen, so held mail stays in it after it was split or withdrawn.
_TOTALS: Final = """
SELECT people,
       count(*) FILTER (WHERE state <> 'cancelled'),
       coalesce(sum(disclosures) FILTER (WHERE state <> 'cancelled'), 0)::bigint,
       count(*) FILTER (WHERE state <> 'cancelled' OR was_held),
       coalesce(
           sum(disclosures) FILTER (WHERE state <> 'cancelled' OR was_held), 0)::bigint,
       min(at), max(at)
  FROM store_rememberedwave WHERE mailing_id = %s GROUP BY people
"""
_TELL: Final = """
INSERT INTO store_mailing (
    id, sender_hash, first_at, last_at, people, disclosures, waves,
    holds, open_holds, state
) VALUES (%s, %b, %s, %s, %s, %s, %s, 0, 0, '')
ON CONFLICT (id) DO UPDATE SET
    sender_hash = excluded.sender_hash, people = excluded.people,
    disclosures = excluded.disclosures,
    waves = excluded.waves, last_at = greatest(store_mailing.last_at, excluded.last_at)
"""
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

    def reserve(self, wave: Wave, *, window: timedelta, now: datetime) -> Reservation:
        """Take a place for this mail; a retry finds its own again."""
        bootstrap.ensure_key()
        with transaction() as connection:
            generations = self._lock(connection, wave)
            hashes = [Hashes(wave, keys) for keys in generations.keys]
            found = ask(
                connection,
                generations,
                wave.asked,
                wave.authors,
                master=self._keys,
                now=now,
            )
            place = _Place(wave, found, hashes, window, now)
            reservation = place.take(connection)
            if wave.hidden:
                remember(
                    connection,
                    generations.newest,
                    AudienceKind.HIDDEN,
                    wave.hidden,
                    at=now,
                    is_sensitive=wave.strangers.is_sensitive,
                )
        return reservation

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
                _count(connection, settled[0], row[0])

    def hide(
        self, people: Iterable[Address], *, is_sensitive: bool, now: datetime
    ) -> None:
        """Remember a hidden audience; see the port."""
        kind = AudienceKind.HIDDEN
        self._remember(kind, people, is_sensitive=is_sensitive, now=now)

    def learn(self, people: Iterable[Address], *, now: datetime) -> None:
        """Remember a thread that is not ours; see the port."""
        self._remember(AudienceKind.THREAD, people, is_sensitive=False, now=now)

    def _lock(self, connection: Connection, wave: Wave) -> Generations:
        """Wait for earlier mail of the sender; the keys of the moment.

        The lock under the master key is the same for a process that has not heard of
        a new key yet; those under the others are what ``settle`` takes.
        """
        first = Hashes(wave, self._keys).sender
        row = connection.one(_LOCK_AND_MARK, (_number(first),))
        generations = Generations.of(connection, self._keys, row[0] if row else "")
        for keys in generations.keys:
            if keys is not self._keys:
                connection.run(_LOCK, (_number(Hashes(wave, keys).sender),))
        return generations

    def _remember(
        self,
        kind: AudienceKind,
        people: Iterable[Address],
        *,
        is_sensitive: bool,
        now: datetime,
    ) -> None:
        bootstrap.ensure_key()
        with database() as connection:
            keys = Generations.of(connection, self._keys).newest
            remember(connection, keys, kind, people, at=now, is_sensitive=is_sensitive)


@dataclass(slots=True)
class _Place:
    """The place of one mail while it is being taken, inside the transaction."""

    wave: Wave = field(repr=False)
    found: Found = field(repr=False)
    hashes: list[Hashes] = field(repr=False)
    window: timedelta
    now: datetime

    def take(self, connection: Connection) -> Reservation:
        """The place, and everything that Memory knows of the mail."""
        found = self.found
        known = Known(
            recalled=_is_recall(connection, self.hashes),
            circles=tuple(found.circles),
            threads=tuple(group for group, _ in found.threads),
            hidden=tuple(found.hidden),
            is_controlled=found.is_controlled,
        )
        wave = self.wave.with_known(known)
        joined = self._joined()
        row = self._same(connection)
        if row is not None and row[4]:
            place_id, mailing_id, mailing = self._again(connection, row)
        else:
            place_id, mailing_id, mailing = self._new(connection, wave, joined, row)
        if mailing is None:
            mailing = MailingSoFar(mailing_id, len(wave.people), wave.disclosures, 1)
        number = len(joined - wave.people)
        return Reservation(place_id, replace(known, mailing=mailing, joined=number))

    def _joined(self) -> frozenset[Joined]:
        """Whom our mail brought into the threads that this mail goes on with."""
        if self.wave.strangers.is_sensitive:
            return frozenset()
        return joined_before(self.found.threads, self.wave.people)

    def _same(self, connection: Connection) -> Row | None:
        """The mail's own place, or another transaction of the same message."""
        digests = [one.digest for one in self.hashes]
        messages = [one.message_id for one in self.hashes if one.message_id]
        senders = [one.sender for one in self.hashes]
        since = self.now - self.window
        return connection.one(_SAME, (digests, digests, messages, senders, since))

    def _again(
        self, connection: Connection, row: Row
    ) -> tuple[str, str, MailingSoFar | None]:
        place_id, mailing_id, state, key_id, _ = row
        if state == WaveState.CANCELLED.value:
            connection.run(_AGAIN, (place_id,))
        sender = self._of(key_id).sender
        return place_id, mailing_id, _count(connection, mailing_id, sender)

    def _new(
        self,
        connection: Connection,
        wave: Wave,
        joined: frozenset[Joined],
        row: Row | None,
    ) -> tuple[str, str, MailingSoFar | None]:
        if row is not None:
            found, hashes = row[1], self._of(row[3])
        else:
            found, hashes = self._most_similar(connection, wave)
        place_id, mailing_id = secrets.token_hex(16), found or secrets.token_hex(12)
        values = hashes.row(wave, joined, self.now)
        connection.run(_INSERT, (place_id, mailing_id, *values))
        if found is None:
            return place_id, mailing_id, None
        return place_id, mailing_id, _count(connection, mailing_id, hashes.sender)

    def _of(self, key_id: str) -> Hashes:
        """The wave under the key that made a row: a mailing keeps its key."""
        return next(one for one in self.hashes if one.key_id == key_id)

    def _most_similar(
        self, connection: Connection, wave: Wave
    ) -> tuple[str | None, Hashes]:
        """The mailing that this mail belongs to; of several the most similar, latest.

        Texts that were hashed with another key can be compared under that key only.
        """
        best, found, key = SIMILARITY, None, self.hashes[0]
        if not wave.adds_up:
            return None, key
        since = self.now - self.window
        for hashes in self.hashes:
            values = (hashes.sender, since, hashes.bottom, _MOST_CANDIDATES)
            for mailing_id, packed in connection.all(_CANDIDATES, values):
                alike = similarity(hashes.sketch, tuple(people.unpack(packed)))
                if alike > best or (alike == best and found is None):
                    best, found, key = alike, mailing_id, hashes
        return found, key


def _count(connection: Connection, mailing_id: str, sender: bytes) -> MailingSoFar:
    """Count a mailing, and write down what the pages tell of it."""
    rows = connection.all(_TOTALS, (mailing_id,))
    _tell(connection, mailing_id, sender, rows)
    counted = [row for row in rows if row[1]]
    return MailingSoFar(
        mailing_id,
        people=people.count_union(row[0] for row in counted),
        disclosures=sum(row[2] for row in counted),
        waves=sum(row[1] for row in counted),
    )


def _tell(
    connection: Connection, mailing_id: str, sender: bytes, rows: list[Row]
) -> None:
    told = [row for row in rows if row[3]]
    if not told:
        return
    connection.run(
        _TELL,
        (
            mailing_id,
            sender,
            min(row[5] for row in told),
            max(row[6] for row in told),
            people.count_union(row[0] for row in told),
            sum(row[4] for row in told),
            sum(row[3] for row in told),
        ),
    )


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
