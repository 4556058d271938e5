# SPDX-License-Identifier: Apache-2.0
"""The keys that Memory hashes with, and how they are exchanged.

The first key comes from the master key. A later one is random, wrapped by the master
key, and destroyed when nothing is hashed with it any more: what a thief of the dump
had to guess at with it then says nothing even to somebody who has the master key.
Look-ups hash with every key that is still there, what is new with the newest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from undisclosed.store import crypto, journal
from undisclosed.store.crypto import Keys, new_master_key
from undisclosed.store.database import Connection, transaction

MARK: Final = (
    "SELECT (SELECT coalesce(string_agg(key_id, ',' ORDER BY id DESC), '')"
    " FROM store_memorykey)"
)
"""Asks for what names the keys of the moment; a FROM may follow."""

_LOCK: Final = "SELECT pg_advisory_xact_lock(%s)"
_ROTATION: Final = 0x6D656D6F_72796B79  # the same for every process
_ALL: Final = "SELECT key_id, wrapped FROM store_memorykey ORDER BY id DESC"
_INSERT: Final = (
    "INSERT INTO store_memorykey (key_id, wrapped, made_at, retired_at)"
    " VALUES (%s, %b, %s, %s)"
)
_RETIRE: Final = "UPDATE store_memorykey SET retired_at = %s WHERE retired_at IS NULL"
_DESTROY: Final = """
DELETE FROM store_memorykey k
 WHERE retired_at IS NOT NULL
   AND NOT EXISTS (SELECT FROM store_rememberedwave w WHERE w.key_id = k.key_id)
   AND NOT EXISTS (SELECT FROM store_audience a WHERE a.key_id = k.key_id)
"""


@dataclass(frozen=True, slots=True)
class Generations:
    """Every key that something may still be hashed with, the newest first."""

    keys: tuple[Keys, ...]

    @property
    def newest(self) -> Keys:
        """What hashes whatever is new."""
        return self.keys[0]

    def of_id(self, key_id: str) -> Keys:
        """The key that made a row; the newest where that one is gone."""
        return next((one for one in self.keys if one.id == key_id), self.newest)

    @classmethod
    def of(
        cls,
        connection: Connection,
        master: Keys | None = None,
        mark: str | None = None,
    ) -> "Generations":
        """The keys of the moment; ``mark`` where a statement has asked for it."""
        master = master or crypto.keys()
        if mark is None:
            row = connection.one(MARK)
            mark = row[0] if row else ""
        if not mark:
            return cls((master,))
        found = _kept.get((master.id, mark))
        if found is None:
            found = cls(tuple(_opened(row, master) for row in connection.all(_ALL)))
            _kept[master.id, mark] = found
        return found


_kept: dict[tuple[str, str], Generations] = {}


def _opened(row: tuple[str, bytes | None], master: Keys) -> Keys:
    key_id, wrapped = row
    if wrapped is None:
        return master.of_id(key_id) or master
    return Keys(master.open("memory key", wrapped, f"memory key/{key_id}"))


def rotate(*, now: datetime, by: str = "operator") -> str:
    """Make a new key for everything that is hashed from now on; its id.

    Earlier keys are still looked up with until what they hashed is forgotten.
    Raises TransientError.
    """
    master = crypto.keys()
    key = new_master_key()
    new = Keys(key)
    with transaction() as connection:
        connection.run(_LOCK, (_ROTATION,))
        if connection.one(_ALL) is None:
            connection.run(_INSERT, (master.id, None, now, None))
        connection.run(_RETIRE, (now,))
        wrapped = master.seal("memory key", key, f"memory key/{new.id}")
        connection.run(_INSERT, (new.id, wrapped, now, None))
        facts = {"key": new.id}
        journal.write_with(connection, "memory key rotated", facts, actor=by, at=now)
    return new.id


def destroy_unused(connection: Connection) -> int:
    """Destroy retired keys that nothing is hashed with any more; how many."""
    return connection.run(_DESTROY).rowcount


@lru_cache(maxsize=64)
def person_hasher(keys: Keys) -> Callable[[bytes], int]:
    """Hashes people with one key."""
    return keys.hasher("memory person")
