# SPDX-License-Identifier: Apache-2.0
"""What the pages count for a short time, in a table that every process shares.

Guesses of a second factor and codes that were used stand here: a restart or a second
process must not give more of either. Keys are kept as keyed hashes, since they name
accounts and clients; values are JSON, so that whoever can write to the database
cannot make a process run what they wrote.
"""

import json
from typing import Any, Final

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

from undisclosed.store import crypto
from undisclosed.store.database import Connection, Row, database

_GET: Final = (
    "SELECT value FROM store_shorttime WHERE key = %b"
    " AND (ends_at IS NULL OR ends_at > clock_timestamp())"
)
_END: Final = (
    "CASE WHEN %s::float8 IS NULL THEN NULL"
    " ELSE clock_timestamp() + make_interval(secs => %s::float8) END"
)
_SET: Final = f"""
INSERT INTO store_shorttime (key, value, ends_at) VALUES (%b, %s::jsonb, {_END})
ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, ends_at = EXCLUDED.ends_at
"""  # noqa: S608 (constant text)
_ADD: Final = f"""
INSERT INTO store_shorttime (key, value, ends_at) VALUES (%b, %s::jsonb, {_END})
ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, ends_at = EXCLUDED.ends_at
 WHERE store_shorttime.ends_at <= clock_timestamp()
"""  # noqa: S608
_TOUCH: Final = f"UPDATE store_shorttime SET ends_at = {_END} WHERE key = %b"  # noqa: S608
_DELETE: Final = "DELETE FROM store_shorttime WHERE key = %b"
_OVER: Final = "DELETE FROM store_shorttime WHERE ends_at <= %s"


class ShortTime(BaseCache):
    """A cache of Django's over one table, with neither addresses nor pickles in it."""

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """The value, or the default. Raises TransientError."""
        with database() as connection:
            row = connection.one(_GET, (self._hash(key, version),))
        return default if row is None else _loaded(row)

    def set(
        self,
        key: Any,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        """Keep a value for so many seconds. Raises TransientError."""
        seconds = self._seconds(timeout)
        values = (self._hash(key, version), json.dumps(value), seconds, seconds)
        with database() as connection:
            connection.run(_SET, values)

    def add(
        self,
        key: Any,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        """Keep a value where there is none; whether there was none."""
        seconds = self._seconds(timeout)
        values = (self._hash(key, version), json.dumps(value), seconds, seconds)
        with database() as connection:
            return connection.run(_ADD, values).rowcount > 0

    def touch(
        self, key: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        """Keep it for longer; whether it was there."""
        seconds = self._seconds(timeout)
        with database() as connection:
            done = connection.run(_TOUCH, (seconds, seconds, self._hash(key, version)))
        return done.rowcount > 0

    def delete(self, key: Any, version: int | None = None) -> bool:
        """Forget it; whether it was there."""
        with database() as connection:
            done = connection.run(_DELETE, (self._hash(key, version),))
        return done.rowcount > 0

    def clear(self) -> None:
        """Forget everything."""
        with database() as connection:
            connection.run("DELETE FROM store_shorttime")

    def _hash(self, key: Any, version: int | None) -> bytes:
        made = self.make_key(key, version=version)
        return crypto.keys().hash("short time", made.encode("utf-8", "surrogatepass"))

    def _seconds(self, timeout: Any) -> float | None:
        if timeout is DEFAULT_TIMEOUT:
            return self.default_timeout
        return None if timeout is None else float(timeout)


def forget(connection: Connection, now: object) -> None:
    """Remove what is over."""
    connection.run(_OVER, (now,))


def _loaded(row: Row) -> Any:
    value = row[0]
    return json.loads(value) if isinstance(value, str) else value
