# SPDX-License-Identifier: Apache-2.0
"""Who is away, and until when: whoever is next in line is asked instead."""

from datetime import datetime

from undisclosed.core.address import Address
from undisclosed.store import crypto, journal
from undisclosed.store.database import database, transaction


def declare(account_id: str, until: datetime | None, *, by: str, now: datetime) -> None:
    """Say that an account is away until a time, or is back (None). Journalled."""
    with transaction() as connection:
        connection.run(
            "UPDATE store_account SET absent_until = %s WHERE id = %s",
            (until, account_id),
        )
        facts = {"account": account_id}
        if until is not None:
            facts["until"] = f"{until:%Y-%m-%d %H:%M} UTC"
        event = "absence ended" if until is None else "absence declared"
        journal.write_with(connection, event, facts, actor=by, at=now)


def away(now: datetime) -> frozenset[Address]:
    """Every address of an account that is away. Raises TransientError."""
    with database() as connection:
        rows = connection.all(
            "SELECT a.address_sealed FROM store_accountaddress a"
            " JOIN store_account o ON o.id = a.account_id"
            " WHERE o.absent_until > %s AND o.is_active",
            (now,),
        )
    return frozenset(crypto.open_address(bytes(row[0])) for row in rows)
