# SPDX-License-Identifier: Apache-2.0
"""Memory in PostgreSQL: what was shown to whom before, as keyed hashes only.

It fits the port ``Memory`` of the guard. All mail of one sender takes its place one
after the other, under a lock that ends with the transaction: two guards that judge
at once see one another, and mail of different senders does not wait.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.held import WAVE_TRANSITIONS, Reservation, WaveState
from undisclosed.core.known import Known, MailingSoFar
from undisclosed.core.mailing import SIMILARITY, Wave, similarity, sketch
from undisclosed.store import bootstrap, crypto, people
from undisclosed.store.crypto import Keys, person_bytes
from undisclosed.store.database import Connection, Row, database, transaction

_BOTTOM: Final = 16
"""Two sketches as similar as one mailing's share one of their smallest values, but
for about one pair in a hundred thousand million."""

_MOST_CANDIDATES: Final = 200
"""The latest texts of a sender with a value in common are compared, no more."""

_LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"
_SAME_DIGEST: Final = (
    "SELECT id, mailing_id, state FROM store_rememberedwave"
    " WHERE digest_hash = %b ORDER BY at LIMIT 1"
)
_CANDIDATES: Final = """
SELECT mailing_id, sketch FROM store_rememberedwave
 WHERE sender_hash = %b AND at >= %s AND bottom && %b::bigint[]
 GROUP BY mailing_id, sketch ORDER BY max(at) DESC LIMIT %s
"""
_INSERT: Final = """
INSERT INTO store_rememberedwave (
    id, mailing_id, sender_hash, digest_hash, subject_hash, key_id, state, was_held,
    at, disclosures, people, audience, sketch, bottom
) VALUES (%s, %s, %b, %b, %b, %s, 'reserved', false, %s, %s, %b, %b, %b, %b::bigint[])
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


@dataclass(frozen=True, slots=True)
class _Hashed:
    """A wave with nothing readable left in it."""

    sender: bytes = field(repr=False)
    digest: bytes = field(repr=False)
    subject: bytes = field(repr=False)
    recalls: bytes | None = field(repr=False)
    people: bytes = field(repr=False)
    audience: bytes = field(repr=False)
    sketch: tuple[int, ...] = field(repr=False)
    disclosures: int

    @property
    def bottom(self) -> list[int]:
        return list(self.sketch[:_BOTTOM])


class PostgresMemory:
    """Reservations in one serialised transaction each.

    May be called from any thread. Every call raises TransientError while the
    database is away.
    """

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys = keys or crypto.keys()
        self._person = keys.hasher("memory person")
        self._shingle = keys.hasher("memory shingle")

    def reserve(self, wave: Wave, *, window: timedelta, now: datetime) -> Reservation:
        """Take a place for this mail; a retry finds its own again."""
        bootstrap.ensure_key()
        hashed = self._hashed(wave)
        lock = int.from_bytes(hashed.sender[:8], "big", signed=True)
        with transaction() as connection:
            connection.run(_LOCK, (lock,))
            place_id, mailing_id, joins = self._place(connection, hashed, window, now)
            mailing = (
                _count(connection, mailing_id, hashed.sender)
                if joins
                else _alone(mailing_id, hashed)
            )
            known = Known(mailing, _is_recall(connection, hashed))
        return Reservation(place_id, known)

    def settle(self, reservation_id: str, state: WaveState) -> None:
        """Say what became of the mail. Settling twice is settling once."""
        before = [old.value for old, news in WAVE_TRANSITIONS.items() if state in news]
        values = (state.value, state is WaveState.HELD, reservation_id, before)
        if state is not WaveState.CANCELLED:
            with database() as connection:
                connection.run(_SETTLE, values)
            return
        with transaction() as connection:
            row = connection.one(_SENDER_OF, (reservation_id,))
            if row is None:
                return
            lock = int.from_bytes(row[0][:8], "big", signed=True)
            connection.run(_LOCK, (lock,))
            settled = connection.one(_SETTLE, values)
            if settled is not None and not row[1]:
                _count(connection, settled[0], row[0])

    def _place(
        self,
        connection: Connection,
        hashed: _Hashed,
        window: timedelta,
        now: datetime,
    ) -> tuple[str, str, bool]:
        """The place, its mailing, and whether others may be in that mailing."""
        row = connection.one(_SAME_DIGEST, (hashed.digest,))
        if row is not None:
            if row[2] == WaveState.CANCELLED.value:
                connection.run(
                    "UPDATE store_rememberedwave SET state = 'reserved' WHERE id = %s",
                    (row[0],),
                )
            return row[0], row[1], True
        joined = _most_similar(connection, hashed, now - window)
        place_id, mailing_id = secrets.token_hex(16), joined or secrets.token_hex(12)
        self._insert(connection, place_id, mailing_id, hashed, now)
        return place_id, mailing_id, joined is not None

    def _insert(
        self,
        connection: Connection,
        place_id: str,
        mailing_id: str,
        hashed: _Hashed,
        now: datetime,
    ) -> None:
        connection.run(
            _INSERT,
            (
                place_id,
                mailing_id,
                hashed.sender,
                hashed.digest,
                hashed.subject,
                self._keys.id,
                now,
                hashed.disclosures,
                hashed.people,
                None if hashed.audience == hashed.people else hashed.audience,
                people.pack(hashed.sketch),
                hashed.bottom,
            ),
        )

    def _hashed(self, wave: Wave) -> _Hashed:
        shown = self._pack(wave.people)
        same = wave.audience == wave.people
        subject = self._keys.hash("memory subject", _bytes(wave.subject))
        recalls = None
        if wave.recalls is not None:
            recalls = self._keys.hash("memory subject", _bytes(wave.recalls))
            # A recall has the subject of what it recalls: it must not find itself,
            # nor an earlier one, but only mail that can be recalled.
            subject = self._keys.hash("memory recall", _bytes(wave.subject))
        return _Hashed(
            sender=self._keys.hash("memory sender", _bytes(wave.sender)),
            digest=self._keys.hash("memory digest", wave.digest),
            subject=subject,
            recalls=recalls,
            people=shown,
            audience=shown if same else self._pack(wave.audience),
            sketch=self._sketch(wave),
            disclosures=wave.disclosures,
        )

    def _sketch(self, wave: Wave) -> tuple[int, ...]:
        """Empty where the mail joins none; a mail without text has one shingle."""
        if not wave.adds_up:
            return ()
        return sketch(map(self._shingle, wave.shingles or {b""}))

    def _pack(self, group: Iterable[Address]) -> bytes:
        hashed = self._person
        return people.pack({hashed(person_bytes(person)) for person in group})


def _most_similar(
    connection: Connection, hashed: _Hashed, since: datetime
) -> str | None:
    """The mailing that this mail belongs to; of several the most similar, latest."""
    if not hashed.sketch:
        return None
    rows = connection.all(
        _CANDIDATES, (hashed.sender, since, hashed.bottom, _MOST_CANDIDATES)
    )
    best, found = SIMILARITY, None
    for mailing_id, packed in rows:
        alike = similarity(hashed.sketch, tuple(people.unpack(packed)))
        if alike > best or (alike == best and found is None):
            best, found = alike, mailing_id
    return found


def _alone(mailing_id: str, hashed: _Hashed) -> MailingSoFar:
    return MailingSoFar(
        mailing_id, len(hashed.people) // 8, hashed.disclosures, waves=1
    )


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


def _is_recall(connection: Connection, hashed: _Hashed) -> bool:
    if hashed.recalls is None:
        return False
    rows = connection.all(_RECALLED, (hashed.sender, hashed.recalls))
    return any(people.overlap(row[0], hashed.audience) for row in rows)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
