# SPDX-License-Identifier: Apache-2.0
"""Seals the journal: batches in one chain, a seal for every day that is over.

Writers neither wait for this nor can they fork it: they only insert. One task at a
time takes what has been committed since, in the order of ids, and writes a batch that
names it. An id that was taken but not yet committed is not in the batch; when it
appears, a later batch seals it. What is hashed, and how, stands in ``store.verifier``,
which anybody can run without the rest of this program.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from undisclosed.store.database import Connection, Row, database, transaction
from undisclosed.store.verifier import (
    FIRST,
    FORMAT,
    Tree,
    canonical,
    hash_of,
    leaf_hash,
)

MOST_IN_BATCH: Final = 10_000
"""Entries of one batch; what is left over is the next one's."""

LATE: Final = timedelta(days=1)
"""How long after a younger entry was sealed an older one may still be committed."""

_LOCK: Final = 0x7365616C  # advisory: one task seals at a time
_TAKE: Final = "SELECT pg_try_advisory_xact_lock(%s)"
_LAST: Final = (
    "SELECT number, hash, last_id FROM store_journalbatch ORDER BY number DESC LIMIT 1"
)
_RECENT: Final = """
SELECT coalesce((SELECT last_id FROM store_journalbatch WHERE sealed_at < %s
                  ORDER BY number DESC LIMIT 1), 0),
       coalesce((SELECT range_agg(sealed) FROM store_journalbatch, unnest(ids) AS sealed
                  WHERE sealed_at >= %s), '{}')::text
"""
_ENTRY: Final = "id, at, event, actor, facts"
_UNSEALED: Final = f"""
SELECT {_ENTRY} FROM store_journalentry
 WHERE id > %s AND NOT %s::int8multirange @> id ORDER BY id LIMIT %s
"""  # noqa: S608 (constant names of columns)
_INSERT: Final = """
INSERT INTO store_journalbatch (
    number, sealed_at, ids, last_id, entries, root, previous, hash
) VALUES (%s, %s, %s::int8multirange, %s, %s, %b, %b, %b)
"""
_BATCHES: Final = """
SELECT number, sealed_at, ids::text, entries, root, previous, hash
  FROM store_journalbatch WHERE number >= %s ORDER BY number LIMIT %s
"""
_OF_BATCH: Final = f"""
SELECT {_ENTRY} FROM store_journalentry
 WHERE id >= %s AND id <= %s AND %s::int8multirange @> id ORDER BY id
"""  # noqa: S608
_LAST_SEAL: Final = (
    "SELECT day, last_batch, hash FROM store_journalseal ORDER BY day DESC LIMIT 1"
)
_DAYS: Final = """
SELECT (sealed_at AT TIME ZONE 'UTC')::date AS day, min(number), max(number)
  FROM store_journalbatch WHERE number > %s GROUP BY day ORDER BY day
"""
_INSERT_SEAL: Final = """
INSERT INTO store_journalseal (
    day, first_batch, last_batch, entries, root, previous, hash
) VALUES (%s, %s, %s, %s, %b, %b, %b)
"""
_SEALS: Final = (
    "SELECT s.day, first_batch, last_batch, entries, root, previous, hash, response"
    " FROM store_journalseal s LEFT JOIN store_journaltimestamp t ON t.day = s.day"
    " ORDER BY s.day"
)
_SEAL: Final = (
    "SELECT day, first_batch, last_batch, entries, root, previous, hash"
    " FROM store_journalseal WHERE day = %s"
)
_EVERY_ID: Final = (
    "SELECT coalesce(range_agg(ids), '{}')::text"
    " FROM (SELECT unnest(ids) AS ids FROM store_journalbatch) AS batch"
)
_REST: Final = f"""
SELECT {_ENTRY} FROM store_journalentry
 WHERE NOT %s::int8multirange @> id ORDER BY id
"""  # noqa: S608
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one call sealed: how many entries, and the seals of the days, by day."""

    entries: int = 0
    days: tuple[tuple[str, str], ...] = ()


def seal(now: datetime) -> Sealed:
    """Seal what was committed since the last batch, and the days that are over.

    Nothing where somebody else is sealing. Raises TransientError where the database
    is away.
    """
    with transaction() as connection:
        row = connection.one(_TAKE, (_LOCK,))
        if row is None or not row[0]:
            return Sealed()
        # Days first: what is sealed now belongs to today.
        days = tuple(_seal_days(connection, now.astimezone(UTC).date()))
        return Sealed(_seal_batch(connection, now), days)


def records(now: datetime) -> Iterator[dict[str, Any]]:
    """The whole journal as the verifier reads it, from the first line on.

    Raises TransientError where the database is away.
    """
    yield {"format": FORMAT, "exported_at": _time(now)}
    with transaction() as connection:
        connection.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        seals: dict[int, list[Row]] = {}
        for row in connection.all(_SEALS):
            seals.setdefault(row[2], []).append(row)
        for batch in _batches(connection):
            yield from _entries(connection, batch)
            yield _batch_record(batch)
            yield from map(_stamped, seals.pop(batch[0], ()))
        # A seal of no batch is none of ours, and is shown for what it is.
        for rows in seals.values():
            yield from map(_stamped, rows)
        yield from _rest(connection, now)


def head_of(day: date) -> bytes:
    """The head that was sealed for a day: what the hash of its seal is the hash of.

    Raises TransientError where the database is away.
    """
    with database() as connection:
        (row,) = connection.all(_SEAL, (day,))
    record = _seal_record(row)
    del record["hash"]
    return canonical(record)


def head() -> str:
    """The hash of the newest batch, hexadecimal: worth noting somewhere else."""
    with database() as connection:
        row = connection.one(_LAST)
    return bytes(row[1]).hex() if row else FIRST


def _seal_batch(connection: Connection, now: datetime) -> int:
    last = connection.one(_LAST)
    number, previous = (last[0], bytes(last[1])) if last else (0, bytes.fromhex(FIRST))
    since = now - LATE
    recent = connection.one(_RECENT, (since, since))
    low, sealed = (recent[0], recent[1]) if recent else (0, "{}")
    rows = connection.all(_UNSEALED, (low, sealed, MOST_IN_BATCH))
    if not rows:
        return 0
    ranges = _ranges(row[0] for row in rows)
    tree = Tree()
    for row in rows:
        tree.add(leaf_hash(_entry(row)))
    record = {
        "kind": "batch",
        "number": number + 1,
        "sealed_at": _time(now),
        "ids": ranges,
        "entries": len(rows),
        "root": tree.root().hex(),
        "previous": previous.hex(),
    }
    connection.run(
        _INSERT,
        (
            number + 1,
            now,
            _multirange(ranges),
            max(rows[-1][0], last[2] if last else 0),
            len(rows),
            tree.root(),
            previous,
            bytes.fromhex(hash_of(record)),
        ),
    )
    return len(rows)


def _seal_days(connection: Connection, today: date) -> Iterator[tuple[str, str]]:
    last = connection.one(_LAST_SEAL)
    after, previous = (last[1], bytes(last[2])) if last else (0, bytes.fromhex(FIRST))
    for day, first, newest in connection.all(_DAYS, (after,)):
        if day >= today:
            return
        tree = Tree()
        for batch in _batches(connection, first, newest):
            for record in _entries(connection, batch):
                del record["kind"]
                tree.add(leaf_hash(record))
        row = (day, first, newest, tree.size, tree.root(), previous, b"")
        digest = bytes.fromhex(hash_of(_seal_record(row)))
        connection.run(_INSERT_SEAL, (*row[:-1], digest))
        yield day.isoformat(), digest.hex()
        previous = digest


def _batches(connection: Connection, first: int = 1, last: int = 0) -> Iterator[Row]:
    number = first
    while rows := connection.all(_BATCHES, (number, _PAGE)):
        for row in rows:
            if last and row[0] > last:
                return
            yield row
        number = rows[-1][0] + 1


def _entries(connection: Connection, batch: Row) -> Iterator[dict[str, Any]]:
    ranges = _parsed(batch[2])
    values = (ranges[0][0], ranges[-1][1], batch[2])
    for row in connection.all(_OF_BATCH, values):
        yield {"kind": "entry", **_entry(row)}


def _rest(connection: Connection, now: datetime) -> Iterator[dict[str, Any]]:
    """Entries in no batch; ``late`` are those that should long be in one."""
    row = connection.one(_EVERY_ID)
    for entry in connection.all(_REST, (row[0] if row else "{}",)):
        is_late = entry[1] < now - LATE
        yield {"kind": "entry", **_entry(entry), **({"late": True} if is_late else {})}


def _entry(row: Row) -> dict[str, Any]:
    number, at, event, actor, facts = row
    facts = json.loads(facts) if isinstance(facts, str) else facts
    return {
        "id": number,
        "at": _time(at),
        "event": event,
        "actor": actor,
        "facts": facts,
    }


def _batch_record(row: Row) -> dict[str, Any]:
    number, sealed_at, ids, entries, root, previous, digest = row
    return {
        "kind": "batch",
        "number": number,
        "sealed_at": _time(sealed_at),
        "ids": _parsed(ids),
        "entries": entries,
        "root": bytes(root).hex(),
        "previous": bytes(previous).hex(),
        "hash": bytes(digest).hex(),
    }


def _seal_record(row: Row) -> dict[str, Any]:
    day, first, last, entries, root, previous, digest = row
    return {
        "kind": "seal",
        "day": day.isoformat(),
        "batches": [first, last],
        "entries": entries,
        "root": bytes(root).hex(),
        "previous": bytes(previous).hex(),
        "hash": bytes(digest).hex(),
    }


def _stamped(row: Row) -> dict[str, Any]:
    """A seal with what an authority answered: beside its hash, not part of it."""
    *seal_row, response = row
    record = _seal_record(tuple(seal_row))
    if response is not None:
        record["timestamp"] = base64.b64encode(bytes(response)).decode("ascii")
    return record


def _time(at: datetime) -> str:
    """A time as it is hashed: RFC 3339, UTC, microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _ranges(ids: Iterator[int]) -> list[list[int]]:
    """Ascending ids as ranges, both ends included."""
    ranges: list[list[int]] = []
    for one in ids:
        if ranges and one == ranges[-1][1] + 1:
            ranges[-1][1] = one
        else:
            ranges.append([one, one])
    return ranges


def _multirange(ranges: list[list[int]]) -> str:
    return "{" + ",".join(f"[{first},{last}]" for first, last in ranges) + "}"


def _parsed(multirange: str) -> list[list[int]]:
    """PostgreSQL writes discrete ranges with their upper end left out."""
    pieces = multirange.strip("{}").replace("),[", ");[").split(";")
    bounds = (piece.strip("[)").split(",") for piece in pieces if piece)
    return [[int(first), int(beyond) - 1] for first, beyond in bounds]
