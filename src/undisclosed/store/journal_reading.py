# SPDX-License-Identifier: Apache-2.0
"""Reads the journal a page at a time, and says how far it is sealed.

Pages are asked for by the id that they begin behind, never by a number, and nothing is
counted: a journal of a million entries is read as quickly as one of ten. Each question
has its index (``models.journal``), and is put so that the database uses it.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from undisclosed.store.database import Connection, Row, database

MOST_UNSEALED: Final = 10_000
"""Unsealed entries are counted up to this number."""

SUBJECT: Final = re.compile(
    r"\A(?:person:\d{1,6}:[0-9a-f]{32}|[0-9a-f]{12,32}|[0-9a-f-]{36})\Z", re.ASCII
)
"""What an act can be about: a pseudonym, or an id of ours.

Never a word: half of a long journal may have the same one in it.
"""

_COLUMNS: Final = "id, at, event, actor, facts"
_PLAIN: Final = """
SELECT {columns} FROM store_journalentry WHERE {where} ORDER BY id {order} LIMIT %s
"""
# Each actor's own newest entries, so that no index is read further than a page.
_BY_ACTOR: Final = """
SELECT {columns} FROM unnest(%b::text[]) AS wanted(name) CROSS JOIN LATERAL (
    SELECT {columns} FROM store_journalentry
     WHERE actor = wanted.name AND {where} ORDER BY id {order} LIMIT %s) AS entry
 ORDER BY id {order} LIMIT %s
"""
# Materialised: what an act was about is found by its index, whatever is estimated.
_BY_SUBJECT: Final = """
WITH found AS MATERIALIZED (
    SELECT {columns} FROM store_journalentry WHERE facts @? %s::jsonpath)
SELECT {columns} FROM found WHERE {where} ORDER BY id {order} LIMIT %s
"""
_FROM: Final = (
    "SELECT id, at FROM store_journalentry WHERE id >= %s ORDER BY id LIMIT 1"
)
_LAST: Final = "SELECT id FROM store_journalentry ORDER BY id DESC LIMIT 1"
_APART: Final = timedelta(hours=1)  # ids come in the order of time but for so much
_EVENTS: Final = """
WITH RECURSIVE step AS (
    (SELECT event FROM store_journalentry ORDER BY event LIMIT 1)
    UNION ALL
    SELECT (SELECT event FROM store_journalentry e WHERE e.event > step.event
             ORDER BY event LIMIT 1) FROM step WHERE step.event IS NOT NULL)
SELECT event FROM step WHERE event IS NOT NULL
"""
_SEALED: Final = (
    "SELECT last_id, sealed_at, hash, number FROM store_journalbatch"
    " ORDER BY number DESC LIMIT 1"
)
_UNSEALED: Final = (
    "SELECT count(*) FROM (SELECT FROM store_journalentry WHERE id > %s LIMIT %s) AS e"
)
_DAYS: Final = (
    "SELECT day, entries, root, hash FROM store_journalseal"
    " WHERE day < %s ORDER BY day DESC LIMIT %s"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One act, as it stands in the journal."""

    id: int
    at: datetime
    event: str
    actor: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for; empty is everything.

    ``actors`` are actors as they stand in entries. ``before`` and ``after`` are ids
    of entries: of those before the one the newest, of those after the other the oldest.
    """

    event: str = ""
    actors: tuple[str, ...] | None = None
    day: date | None = None
    subject: str = ""
    before: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """A page, newest first, and whether there are older and newer entries."""

    entries: tuple[Entry, ...]
    has_older: bool = False
    has_newer: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """The seal of a day that is over: its root and its head, hexadecimal."""

    day: date
    entries: int
    root: str
    head: str


@dataclass(frozen=True, slots=True)
class Chain:
    """How far the journal is sealed. ``head`` is worth noting somewhere else."""

    sealed_until: int = 0
    sealed_at: datetime | None = None
    head: str = ""
    batches: int = 0
    unsealed: int = 0
    days: tuple[Day, ...] = field(default=())


def page(asked: Asked, most: int) -> Found:
    """Entries, ``most`` at once. Raises TransientError."""
    with database() as connection:
        rows = _rows(connection, asked, most + 1)
    entries = [_entry(row) for row in rows[:most]]
    is_more = len(rows) > most
    if asked.after:
        return Found(tuple(reversed(entries)), has_older=True, has_newer=is_more)
    return Found(tuple(entries), has_older=is_more, has_newer=bool(asked.before))


def events() -> list[str]:
    """Every kind of act that was ever written, by name."""
    with database() as connection:
        return [row[0] for row in connection.all(_EVENTS)]


def chain(days: int, before: date | None = None) -> Chain:
    """How far it is sealed, with the newest seals of days before a day."""
    with database() as connection:
        row = connection.one(_SEALED)
        last, at, head, batches = row or (0, None, b"", 0)
        waiting = connection.one(_UNSEALED, (last, MOST_UNSEALED))
        seals = connection.all(_DAYS, (before or date.max, days))
    return Chain(
        last,
        at,
        bytes(head).hex(),
        batches,
        waiting[0] if waiting else 0,
        tuple(
            Day(day, entries, bytes(root).hex(), bytes(digest).hex())
            for day, entries, root, digest in seals
        ),
    )


def newest(event: str) -> Entry | None:
    """The newest act of a kind."""
    found = page(Asked(event=event), 1).entries
    return found[0] if found else None


def _rows(connection: Connection, asked: Asked, most: int) -> list[Row]:
    clauses: list[str] = []
    values: list[object] = []
    for clause, *given in _conditions(connection, asked):
        clauses.append(clause)
        values += given
    parts = {
        "columns": _COLUMNS,
        "where": " AND ".join(clauses) or "true",
        "order": "ASC" if asked.after else "DESC",
    }
    if asked.subject:
        # A text in JSON is a text in the language of paths, too.
        path = f"$.** ? (@ == {json.dumps(asked.subject)})"
        by_actor = "" if asked.actors is None else " AND actor = ANY(%b::text[])"
        parts["where"] += by_actor
        actors = [] if asked.actors is None else [list(asked.actors)]
        query = _BY_SUBJECT.format(**parts)
        return connection.all(query, (path, *values, *actors, most))
    if asked.actors is not None:
        query = _BY_ACTOR.format(**parts)
        return connection.all(query, (list(asked.actors), *values, most, most))
    return connection.all(_PLAIN.format(**parts), (*values, most))


def _conditions(connection: Connection, asked: Asked) -> Iterator[tuple[Any, ...]]:
    if asked.event:
        yield "event = %s", asked.event
    if asked.before:
        yield "id < %s", asked.before
    if asked.after:
        yield "id > %s", asked.after
    if asked.day is not None:
        since = datetime.combine(asked.day, time.min, UTC)
        until = since + timedelta(days=1)
        first = _first_since(connection, since - _APART)
        yield "id >= %s AND id < %s", first, _first_since(connection, until + _APART)
        yield "at >= %s AND at < %s", since, until


def _first_since(connection: Connection, at: datetime) -> int:
    """The id from which on entries are of this time or later, found by halving."""
    last = connection.one(_LAST)
    low, high = 0, last[0] + 1 if last else 0
    while low < high:
        middle = (low + high) // 2
        row = connection.one(_FROM, (middle,))
        if row is None or row[1] >= at:
            high = middle
        else:
            low = row[0] + 1
    return low


def _entry(row: Row) -> Entry:
    number, at, event, actor, facts = row
    loaded = json.loads(facts) if isinstance(facts, str) else facts
    return Entry(number, at, event, actor, loaded)
