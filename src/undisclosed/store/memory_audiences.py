# SPDX-License-Identifier: Apache-2.0
"""Circles, threads and hidden audiences in PostgreSQL, as keyed hashes.

What is asked about one mail is one question, whatever the number of its people: those
of the asked who stand in an audience together come back with it.
"""

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from undisclosed.core.address import Address
from undisclosed.core.known import AudienceKind, HiddenAudience, People
from undisclosed.store import people
from undisclosed.store.crypto import Keys, person_bytes
from undisclosed.store.database import Connection
from undisclosed.store.memory_keys import person_hasher

_FEWEST: Final = 2
MOST_AUDIENCES: Final = 1_000
"""Audiences that one mail is compared with: hidden ones first, then the largest."""

_REMEMBER: Final = """
WITH made AS (
    INSERT INTO store_audience
        (kind, set_hash, key_id, people, is_sensitive, joined, at, until)
    VALUES (
        %s, sha256(convert_to(array_to_string(%b::bigint[], ',') || %s, 'UTF8')),
        %s, %s, %s, %b, %s, %s)
    ON CONFLICT (kind, set_hash) DO UPDATE SET
        at = greatest(store_audience.at, excluded.at),
        is_sensitive = store_audience.is_sensitive OR excluded.is_sensitive
    RETURNING id, xmax = 0 AS is_new
), members AS (
    INSERT INTO store_audiencemember (person, audience_id)
    SELECT person, made.id FROM made, unnest(%b::bigint[]) AS person
     WHERE made.is_new
)
SELECT id FROM made
"""
# Mail that was held and is shown was released by an approver: whom it shows counts
# against no limit any more. Mail in its undo window only waited.
SHOW: Final = """
WITH settled AS (
    UPDATE store_rememberedwave SET state = 'shown'
     WHERE id = %s AND state = ANY(%b::text[])
    RETURNING id, key_id, at, thread, joined, was_held
), told AS (
    SELECT *, was_held AND NOT EXISTS (
        SELECT FROM store_heldmail h
         WHERE h.reservation_id = settled.id AND h.state = 'accepted') AS is_approved
      FROM settled WHERE cardinality(thread) > 1
), made AS (
    INSERT INTO store_audience AS a
        (kind, set_hash, key_id, people, is_sensitive, joined, at)
    SELECT 'thread',
           sha256(convert_to(array_to_string(thread, ',') || '', 'UTF8')),
           key_id, cardinality(thread), false,
           CASE WHEN is_approved THEN NULL ELSE joined END, at
      FROM told
    ON CONFLICT (kind, set_hash) DO UPDATE SET
        at = greatest(a.at, excluded.at),
        joined = CASE WHEN excluded.joined IS NULL THEN NULL ELSE a.joined END
    RETURNING id, xmax = 0 AS is_new
)
INSERT INTO store_audiencemember (person, audience_id)
SELECT unnest(told.thread), made.id FROM told, made WHERE made.is_new
"""
_FORGET: Final = (
    "DELETE FROM store_audiencemember WHERE audience_id = ANY(%b::bigint[])",
    "DELETE FROM store_audience WHERE id = ANY(%b::bigint[])",
)


Joined = Address | tuple[str, int]
"""Somebody who joined a thread: asked about now, or known by a key and a hash only."""


@dataclass(slots=True)
class Found:
    """What Memory knows of the people of one mail."""

    circles: list[People] = field(default_factory=list)
    threads: list[tuple[People, frozenset[Joined]]] = field(default_factory=list)
    """Each with those whom our own mail brought into it."""
    hidden: list[HiddenAudience] = field(default_factory=list)


class Asked:
    """The people whom Memory is asked about, as hashes under every key.

    ``hashers`` are the keys' ids, each with what hashes a person with it.
    """

    def __init__(
        self,
        asked: People,
        hashers: Iterable[tuple[str, Callable[[Address], int]]],
    ) -> None:
        self._people = {
            (key_id, hashed(person)): person
            for key_id, hashed in hashers
            for person in asked
        }

    @property
    def numbers(self) -> list[int]:
        """What the audiences are looked for with."""
        return [number for _, number in self._people]

    def found(self, rows: Iterable[Sequence[Any]]) -> Found:
        """What the rows say: kind, key, whether sensitive, who joined, members."""
        found = Found()
        for kind, key_id, is_sensitive, joined, members in rows:
            group = frozenset(
                person
                for one in members
                if (person := self._people.get((key_id, one))) is not None
            )
            if kind == AudienceKind.CIRCLE:
                found.circles.append(group)
            elif kind == AudienceKind.THREAD:
                found.threads.append((group, self._joined(key_id, joined)))
            else:
                found.hidden.append(HiddenAudience(group, is_sensitive))
        return found

    def _joined(self, key_id: str, joined: str | None) -> frozenset[Joined]:
        brought = people.unpack(bytes.fromhex(joined)) if joined else ()
        marks = ((key_id, one) for one in brought)
        return frozenset(self._people.get(mark, mark) for mark in marks)


def remember(
    connection: Connection,
    keys: Keys,
    kind: AudienceKind,
    group: Iterable[Address],
    *,
    at: datetime,
    until: datetime | None = None,
    is_sensitive: bool = False,
) -> int | None:
    """Remember an audience; its id, None where it is fewer than two people.

    The same people are kept once, and renewed. Each circle is one of its own.
    """
    hashed = person_hasher(keys)
    hashes = sorted({hashed(person_bytes(person)) for person in group})
    if len(hashes) < _FEWEST:
        return None
    apart = secrets.token_hex(8) if kind is AudienceKind.CIRCLE else ""
    row = connection.one(
        _REMEMBER,
        (
            kind.value,
            hashes,
            apart,
            keys.id,
            len(hashes),
            is_sensitive,
            None,
            at,
            until,
            hashes,
        ),
    )
    return row[0] if row else None


def forget(connection: Connection, audiences: list[int]) -> None:
    """Forget audiences with their members."""
    for query in _FORGET:
        connection.run(query, (audiences,))
