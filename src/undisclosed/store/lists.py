# SPDX-License-Identifier: Apache-2.0
"""Lists of recipients: every row sealed with the list's own key, looked up by hash.

A list is imported whole or not at all, under a fresh data key; destroying the wrapped
key destroys every row that was sealed with it. Who may see rows, and that it is
journalled, is for whoever calls this.
"""

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from psycopg import sql

from undisclosed.core.address import Address
from undisclosed.core.campaign import Row, Sensitivity, Way
from undisclosed.core.masking import masked_values
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, journal, list_traces
from undisclosed.store.crypto import DataKey
from undisclosed.store.database import Connection, database, transaction

FEW: Final = 5
"""A domain that fewer people share is not written down: it would name them."""

_CHUNK: Final = 1_000
_PROGRESS_EVERY: Final = 10_000

_CREATE: Final = """
INSERT INTO store_recipientlist (
    id, team_id, name, purpose, legal_basis, sensitivity, owner_id, rows, mailed,
    version, created_at, keep_until
) VALUES (%s, %s, %s, %s, %s, %s, %s, 0, 0, 0, %s, %s)
"""
_LOCK: Final = (
    "SELECT version FROM store_recipientlist"
    " WHERE id = %s AND destroyed_at IS NULL FOR UPDATE"
)
_IMPORTED: Final = """
UPDATE store_recipientlist
   SET data_key = %b, columns_sealed = %b, rows = %s, mailed = %s,
       version = version + 1, imported_at = %s
 WHERE id = %s
"""
_EMPTY: Final = "DELETE FROM store_listrow WHERE list_id = %s"
_KEY: Final = (
    "SELECT data_key, columns_sealed FROM store_recipientlist"
    " WHERE id = %s AND data_key IS NOT NULL"
)
_ROWS: Final = """
SELECT number, way, sealed FROM store_listrow
 WHERE list_id = %s AND number > %s AND (%s = '' OR way = %s) ORDER BY number LIMIT %s
"""
_SOME: Final = (
    "SELECT number, way, sealed FROM store_listrow"
    " WHERE list_id = %s AND number = ANY(%b::int[])"
)
_WAYS: Final = "SELECT way, count(*) FROM store_listrow WHERE list_id = %s GROUP BY way"
_IN_USE: Final = (
    "SELECT 1 FROM store_campaign"
    " WHERE list_id = %s AND state IN ('sending', 'paused') LIMIT 1"
)
_ON_PAPER: Final = (
    "SELECT way, count(*) FROM store_listrow"
    " WHERE list_id = %s AND way <> 'mail' GROUP BY way"
)
_DESTROY: Final = """
UPDATE store_recipientlist SET data_key = NULL, columns_sealed = NULL, rows = 0,
       mailed = 0, destroyed_at = %s WHERE id = %s AND destroyed_at IS NULL
"""
_OVER: Final = """
SELECT id FROM store_recipientlist l
 WHERE keep_until < %s AND destroyed_at IS NULL
   AND NOT EXISTS (SELECT FROM store_campaign c
                    WHERE c.list_id = l.id AND c.state IN ('sending', 'paused'))
 ORDER BY keep_until LIMIT %s
"""
_COPY: Final = sql.SQL(
    "COPY store_listrow (list_id, number, address_hash, domain, way, sealed)"
    " FROM STDIN (FORMAT binary)"
)
_TYPES: Final = ("varchar", "int4", "bytea", "varchar", "varchar", "bytea")


class NoSuchList(UndisclosedError):
    """There is no such list, or it was destroyed."""


class ListInUse(UndisclosedError):
    """A campaign is being sent to this list: it can be changed when that has ended."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote: people in all, and those of them who are mailed."""

    rows: int
    mailed: int


@dataclass(frozen=True, slots=True)
class ListFacts:
    """What is written about a list when it is made."""

    name: str
    purpose: str
    sensitivity: Sensitivity
    legal_basis: str = ""
    keep_until: date | None = None


@dataclass(slots=True)
class _Writing:
    """One import: the key that its rows are sealed with, and what was counted."""

    list_id: str
    columns: Sequence[str]
    key: DataKey = field(repr=False)
    shared_domains: frozenset[str] = field(repr=False)
    rows: int = 0
    mailed: int = 0

    def row(self, row: Row) -> tuple[object, ...]:
        """The row as the table has it."""
        self.rows += 1
        address, domain, hashed = row.address, "", None
        if address is not None:
            self.mailed += row.way is Way.MAIL
            hashed = crypto.address_hash(address)
            own = address.person.rpartition("@")[2]
            domain = own if own in self.shared_domains else ""
        sealed = self.key.seal(self._plain(row), _context(self.list_id, row.number))
        mailed = hashed if row.way is Way.MAIL else None
        return (self.list_id, row.number, mailed, domain, row.way.value, sealed)

    def _plain(self, row: Row) -> bytes:
        address = row.address
        who = [address.local_part, address.domain] if address else None
        values = [row.values.get(column, "") for column in self.columns]
        return json.dumps([who, *values], ensure_ascii=False).encode()


def create(
    facts: ListFacts, *, team: object, owner: object, by: str, now: datetime
) -> str:
    """Make an empty list; its id. ``team`` and ``owner`` are ids."""
    list_id = secrets.token_hex(16)
    values = (
        list_id,
        team,
        facts.name,
        facts.purpose,
        facts.legal_basis,
        facts.sensitivity.value,
        owner,
        now,
        facts.keep_until,
    )
    with transaction() as connection:
        connection.run(_CREATE, values)
        _write(connection, "list made", by, now, list=list_id)
    return list_id


def import_rows(
    list_id: str,
    columns: Sequence[str],
    rows: Iterable[Row],
    *,
    by: str,
    now: datetime,
    shared_domains: frozenset[str] = frozenset(),
    progress: Callable[[int], None] | None = None,
) -> Imported:
    """Replace everything in a list, in one transaction.

    ``shared_domains`` are those that at least ``FEW`` people of the list share.
    Raises NoSuchList, ListInUse, and whatever ``rows`` raises: then the list is as it
    was.
    """
    key, wrapped = crypto.keys().new_data_key(f"list/{list_id}")
    writing = _Writing(list_id, columns, key, shared_domains)
    with transaction() as connection:
        if connection.one(_LOCK, (list_id,)) is None:
            raise NoSuchList(list=list_id)
        _refuse_in_use(connection, list_id)
        connection.run(_EMPTY, (list_id,))
        _copy(connection, writing, rows, progress)
        sealed = key.seal(json.dumps(list(columns)).encode(), f"columns/{list_id}")
        values = (wrapped, sealed, writing.rows, writing.mailed, now, list_id)
        connection.run(_IMPORTED, values)
        _write(
            connection,
            "list imported",
            by,
            now,
            list=list_id,
            rows=writing.rows,
            mailed=writing.mailed,
        )
    with database() as connection:
        connection.run("ANALYZE store_listrow")
    return Imported(writing.rows, writing.mailed)


def columns(list_id: str) -> tuple[str, ...]:
    """The names of the columns, in the order of the file. Raises NoSuchList."""
    return _opened(list_id)[1]


def rows(list_id: str, *, after: int = 0, way: Way | None = None) -> Iterator[Row]:
    """Every row, opened one after the other. Raises NoSuchList."""
    key, names = _opened(list_id)
    wanted = way.value if way else ""
    while True:
        with database() as connection:
            found = connection.all(_ROWS, (list_id, after, wanted, wanted, _CHUNK))
        for row in found:
            yield _row(list_id, key, names, row)
        if len(found) < _CHUNK:
            return
        after = found[-1][0]


def some(list_id: str, numbers: Sequence[int]) -> dict[int, Row]:
    """Rows by their numbers; those that are not there are left out."""
    key, names = _opened(list_id)
    with database() as connection:
        found = connection.all(_SOME, (list_id, list(numbers)))
    return {row[0]: _row(list_id, key, names, row) for row in found}


def ways(list_id: str) -> dict[Way, int]:
    """How many people are mailed, phoned, written to."""
    with database() as connection:
        return {Way(way): number for way, number in connection.all(_WAYS, (list_id,))}


def on_paper(list_id: str) -> dict[Way, int]:
    """How many people are phoned and written to; those mailed are not touched."""
    with database() as connection:
        found = connection.all(_ON_PAPER, (list_id,))
        return {Way(way): number for way, number in found}


def destroy(list_id: str, *, by: str, now: datetime) -> None:
    """Destroy a list: its key first, its rows with it. Raises NoSuchList, ListInUse."""
    with transaction() as connection:
        if not connection.run(_DESTROY, (now, list_id)).rowcount:
            raise NoSuchList(list=list_id)
        _refuse_in_use(connection, list_id)
        connection.run(_EMPTY, (list_id,))
        list_traces.forget(connection, list_id)
        _write(connection, "list destroyed", by, now, list=list_id)


def destroy_over(now: datetime, most: int) -> int:
    """Destroy lists whose last day is over; how many. One being mailed waits."""
    with database() as connection:
        over = connection.all(_OVER, (now.date(), most))
    for (list_id,) in over:
        destroy(list_id, by="retention", now=now)
    return len(over)


def masked(row: Row) -> Row:
    """The row as those see it who may not see rows: that there is something."""
    return Row(row.number, None, masked_values(row.values), row.way)


def _refuse_in_use(connection: Connection, list_id: str) -> None:
    # Asked with the list's row in hand, which whoever starts a campaign waits for.
    if connection.one(_IN_USE, (list_id,)) is not None:
        raise ListInUse(list=list_id)


def _copy(
    connection: Connection,
    writing: _Writing,
    rows: Iterable[Row],
    progress: Callable[[int], None] | None,
) -> None:
    with connection.raw.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for row in rows:
            copy.write_row(writing.row(row))
            if progress is not None and writing.rows % _PROGRESS_EVERY == 0:
                progress(writing.rows)


def _opened(list_id: str) -> tuple[DataKey, tuple[str, ...]]:
    with database() as connection:
        found = connection.one(_KEY, (list_id,))
    if found is None:
        raise NoSuchList(list=list_id)
    key = crypto.keys().unwrap(bytes(found[0]), f"list/{list_id}")
    return key, tuple(json.loads(key.open(bytes(found[1]), f"columns/{list_id}")))


def _row(list_id: str, key: DataKey, names: Sequence[str], row: Any) -> Row:
    number, way, sealed = row
    who, *values = json.loads(key.open(bytes(sealed), _context(list_id, number)))
    address = Address(*who) if who else None
    return Row(number, address, dict(zip(names, values, strict=True)), Way(way))


def _context(list_id: str, number: int) -> str:
    return f"row/{list_id}/{number}"


def _write(
    connection: Connection, event: str, by: str, now: datetime, **facts: object
) -> None:
    journal.write_with(connection, event, facts, actor=by, at=now)
