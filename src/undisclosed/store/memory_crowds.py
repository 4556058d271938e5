# SPDX-License-Identifier: Apache-2.0
"""A hidden audience of any size: hashed in groups, remembered all at once.

The hashes of a million people are never all in this process: a group after the other
goes into a table of the transaction's own, and the database makes the set of them.
Everything is one transaction, so that whoever is cut off between two groups leaves
nothing behind. Half an audience would be worse than none: it would count as hidden,
and the other half would be shown.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Final

from psycopg import sql

from undisclosed.core.address import Address
from undisclosed.core.known import AudienceKind
from undisclosed.store.crypto import Keys, person_bytes
from undisclosed.store.database import Connection
from undisclosed.store.memory_audiences import remember
from undisclosed.store.memory_keys import person_hasher

GROUP: Final = 5_000
"""People whose hashes are in this process at once; fewer are no crowd."""

_MAKE: Final = "CREATE TEMPORARY TABLE crowd (person bigint) ON COMMIT DROP"
_COPY: Final = sql.SQL("COPY crowd FROM STDIN (FORMAT binary)")
# The hash of the set is the one that a small audience of the same people has.
_REMEMBER: Final = """
WITH everybody AS MATERIALIZED (
    SELECT DISTINCT person FROM crowd
), made AS (
    INSERT INTO store_audience
        (kind, set_hash, key_id, people, is_sensitive, joined, at, until)
    SELECT %s, sha256(convert_to(string_agg(person::text, ',' ORDER BY person),
                                 'UTF8')),
           %s, count(*), %s, NULL, %s, NULL
      FROM everybody HAVING count(*) > 1
    ON CONFLICT (kind, set_hash) DO UPDATE SET
        at = greatest(store_audience.at, excluded.at),
        is_sensitive = store_audience.is_sensitive OR excluded.is_sensitive
    RETURNING id, xmax = 0 AS is_new
)
INSERT INTO store_audiencemember (person, audience_id)
SELECT everybody.person, made.id FROM made, everybody
 WHERE made.is_new ORDER BY everybody.person
"""
_DROP: Final = "DROP TABLE crowd"


def hide(
    connection: Connection,
    keys: Keys,
    group: Iterable[Address],
    *,
    at: datetime,
    is_sensitive: bool,
) -> None:
    """Remember a hidden audience, however many they are, inside a transaction.

    The same people are kept once, and renewed. Raises what ``group`` raises.
    """
    people = iter(group)
    first = list(islice(people, GROUP))
    if len(first) < GROUP:
        kind = AudienceKind.HIDDEN
        remember(connection, keys, kind, first, at=at, is_sensitive=is_sensitive)
        return
    connection.run(_MAKE)
    for some in _groups(first, people):
        _copy(connection, keys, some)
    values = (AudienceKind.HIDDEN.value, keys.id, is_sensitive, at)
    connection.run(_REMEMBER, values)
    connection.run(_DROP)


def _groups(first: list[Address], rest: Iterator[Address]) -> Iterator[list[Address]]:
    group = first
    while group:
        yield group
        group = list(islice(rest, GROUP))


def _copy(connection: Connection, keys: Keys, group: list[Address]) -> None:
    # One group at a time: whoever gives us the people asks the same connection.
    hashed = person_hasher(keys)
    with connection.raw.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.set_types(("int8",))
        for person in group:
            copy.write_row((hashed(person_bytes(person)),))
