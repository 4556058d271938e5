# SPDX-License-Identifier: Apache-2.0
"""Where the post office keeps what it caught: sealed, each mail under its own id."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from undisclosed.core.encoded_words import decode_words
from undisclosed.core.header import split_content
from undisclosed.core.mail import Mail
from undisclosed.store import crypto, sealed
from undisclosed.store.crypto import Keys, person_bytes
from undisclosed.store.database import database, transaction

_INSERT: Final = """
INSERT INTO store_caughtmail (
    id, caught_at, mail_from_sealed, rcpt_tos_sealed, subject_sealed, content_sealed,
    size, rcpt_hashes
) VALUES (%s, %s, %b, %b, %b, %b, %s, %b::bigint[])
"""
_PRUNE: Final = """
DELETE FROM store_caughtmail WHERE caught_at < %s OR id IN (
    SELECT id FROM store_caughtmail ORDER BY caught_at DESC, id DESC OFFSET %s)
"""


class PostgresCatcher:
    """Keeps caught mail in PostgreSQL. Raises TransientError while it is away."""

    def __init__(self, keys: Keys | None = None) -> None:
        self._keys = keys or crypto.keys()
        self._key = self._keys.sealer("caught")
        self._hashed = self._keys.hasher("address")

    def keep(self, mails: Sequence[Mail], *, caught_at: datetime) -> None:
        """Commit all of these in one transaction. Durable when this returns."""
        with transaction() as connection, connection.raw.pipeline():
            for mail in mails:
                connection.run(_INSERT, self._values(mail, caught_at))

    def prune(self, *, keep: int, before: datetime) -> int:
        """Drop all but the latest ``keep``, and those caught before a time."""
        with database() as connection:
            return connection.run(_PRUNE, (before, keep)).rowcount

    def _values(self, mail: Mail, caught_at: datetime) -> tuple[object, ...]:
        # Ids ascend with the time, so that one moment's mail keeps its order.
        identifier = f"{int(caught_at.timestamp() * 1000):012x}{secrets.token_hex(8)}"
        envelope, seal = mail.envelope, self._key.seal
        recipients = envelope.rcpt_tos
        return (
            identifier,
            caught_at,
            seal(sealed.dump_address(envelope.mail_from), f"from/{identifier}"),
            seal(sealed.dump_addresses(recipients), f"to/{identifier}"),
            seal(_subject(mail.content), f"subject/{identifier}"),
            seal(mail.content, f"content/{identifier}"),
            len(mail.content),
            [self._hashed(person_bytes(recipient)) for recipient in recipients],
        )


def _subject(content: bytes) -> bytes:
    """The decoded subject, as the list of caught mail shows it."""
    for field in split_content(content).fields:
        if field.name == "subject":
            folded = field.body.decode("utf-8", "replace")
            return decode_words(" ".join(folded.split())).encode("utf-8", "replace")
    return b""
