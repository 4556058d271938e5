# SPDX-License-Identifier: Apache-2.0
"""Tokens that are good for one mail each, over all processes and machines.

It fits the port ``Once`` of the guard. Nothing readable is kept: a keyed hash of the
token, and one of the mail that used it.
"""

from datetime import datetime
from typing import Final

from undisclosed.store import crypto
from undisclosed.store.crypto import Keys
from undisclosed.store.database import Connection, database

# The first mail wins. A second one waits for the first to commit, and is then told
# which mail that was: the update that changes nothing makes the row visible.
_USE: Final = """
INSERT INTO store_usedtoken AS used (token_hash, digest_hash, until)
VALUES (%b, %b, %s)
ON CONFLICT (token_hash) DO UPDATE SET token_hash = used.token_hash
RETURNING digest_hash
"""
_FORGET: Final = """
DELETE FROM store_usedtoken WHERE token_hash IN (
    SELECT token_hash FROM store_usedtoken WHERE until < %s LIMIT %s)
"""


class PostgresOnce:
    """Used tokens in PostgreSQL. May be called from any thread."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys or crypto.keys()

    def use(self, token: str, digest: bytes, *, until: datetime, now: datetime) -> bool:
        """Use a token for the mail of this digest; False where another mail did.

        Raises TransientError. Whoever asks has seen that the token has not expired:
        ``now`` is not compared with ``until`` here.
        """
        name = self._keys.hash("used token", token.encode("utf-8", "surrogatepass"))
        mail = self._keys.hash("used token's mail", digest)
        with database() as connection:
            row = connection.one(_USE, (name, mail, until))
        return row is not None and bytes(row[0]) == mail


def forget(connection: Connection, now: datetime, limit: int) -> None:
    """Forget tokens that have expired; the sweep calls this."""
    connection.run(_FORGET, (now, limit))
