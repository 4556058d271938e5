# SPDX-License-Identifier: Apache-2.0
"""Who is still working: a worker's sign of life, and the leases of those who died.

A worker keeps a connection of its own that holds an advisory lock made of its name.
PostgreSQL drops the lock when the connection ends, however the process ends, so
nobody has to guess from the time of a last heartbeat. What a dead worker had claimed
is free at once instead of at the end of its lease.
"""

import threading
from typing import Any, Final

import psycopg

from undisclosed.errors import TransientError
from undisclosed.store import copies
from undisclosed.store.database import Connection, database, transaction
from undisclosed.store.migrate import connection_parameters

_SPACE: Final = 0x776F726B  # advisory locks of workers; the second key is the name's
_KEEPALIVE: Final[dict[str, Any]] = {
    "keepalives": 1,
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "connect_timeout": 10,
}

_CLAIMANTS: Final = """
SELECT DISTINCT lease_by FROM store_outgoingmail
 WHERE state IN ('queued', 'delayed') AND lease_until > now() AND lease_by <> ''
"""
_SIGN: Final = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
_SIGNS: Final = """
SELECT count(*) FROM pg_locks
 WHERE locktype = 'advisory' AND classid = %s AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Presence:
    """One worker's sign of life, for as long as its process lives.

    May be called from any thread: who delivers and who sweeps both renew it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def renew(self) -> None:
        """Make sure that the sign is there. Raises TransientError."""
        with self._lock:
            try:
                if self._connection is None or not _is_alive(self._connection):
                    self._close()
                    self._connection = self._signed()
            except psycopg.Error:
                raise TransientError("The database is away.") from None

    def close(self) -> None:
        """Take the sign away."""
        with self._lock:
            self._close()

    def _signed(self) -> "psycopg.Connection[tuple[object, ...]]":
        """A connection that holds the lock, which lives as long as itself."""
        connection = psycopg.connect(
            "", autocommit=True, **connection_parameters(), **_KEEPALIVE
        )
        try:
            # It never waits: a worker that hangs here delivers nothing.
            row = connection.execute(_SIGN, (_SPACE, self.name)).fetchone()
        except psycopg.Error:
            connection.close()
            raise
        if row is None or not row[0]:
            connection.close()
            raise TransientError("Somebody looks whether this worker lives.")
        return connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _is_alive(connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def free_leases_of_the_dead() -> int:
    """Give back what workers without a sign of life had claimed; how many workers.

    Raises TransientError.
    """
    freed = 0
    with transaction() as connection:
        for (name,) in connection.all(_CLAIMANTS):
            if is_dead(connection, name):
                connection.run(copies.GIVE_BACK, (name,))
                freed += 1
    return freed


def is_dead(connection: Connection, name: str) -> bool:
    """Whether the worker of this name gives no sign of life."""
    row = connection.one(
        "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", (_SPACE, name)
    )
    return row is not None and bool(row[0])


def working() -> int:
    """How many workers live. Raises TransientError."""
    with database() as connection:
        row = connection.one(_SIGNS, (_SPACE,))
    return row[0] if row else 0
