# SPDX-License-Identifier: Apache-2.0
"""Circles: people whom an approver declared to know one another.

A circle has an owner, a reason and an end. Its people are kept as keyed hashes, so
that nobody can read later who stands in it; the reason is sealed. Every act stands
in the journal.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.known import AudienceKind
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, journal
from undisclosed.store.database import Row, database, transaction
from undisclosed.store.memory_audiences import forget, remember
from undisclosed.store.memory_keys import Generations

LONGEST: Final = timedelta(days=366)
"""A circle ends after a year at the latest; who needs it longer declares it again."""

_FEWEST: Final = 2

_INSERT: Final = """
INSERT INTO store_circle
    (id, owner, reason_sealed, people, since, until, audience_id)
VALUES (%s, %s, %b, %s, %s, %s, %s)
"""
_ALL: Final = """
SELECT id, owner, reason_sealed, people, since, until, ended_at FROM store_circle
 ORDER BY since DESC, id
"""
_END: Final = """
UPDATE store_circle SET ended_at = %s
 WHERE id = %s AND ended_at IS NULL AND until > %s RETURNING audience_id
"""


class CircleRefused(UndisclosedError):
    """A circle needs two people, a reason, and an end within a year."""


@dataclass(frozen=True, slots=True)
class Circle:
    """One circle as the pages show it. ``owner`` is an account's id.

    ``ended_at`` is when somebody ended it before its time.
    """

    id: str
    owner: str
    reason: str = field(repr=False)
    people: int
    since: datetime
    until: datetime
    ended_at: datetime | None = None

    def is_active(self, now: datetime) -> bool:
        """Whether its people count as known to one another."""
        return self.ended_at is None and now < self.until


def declare(
    people: Iterable[Address],
    *,
    owner: str,
    reason: str,
    until: datetime,
    by: str,
    now: datetime,
) -> str:
    """Declare a circle; its id. ``owner`` and ``by`` are ids of accounts.

    Give it outsiders only: insiders know everybody. Raises CircleRefused and
    TransientError.
    """
    members, reason = frozenset(people), reason.strip()
    if len(members) < _FEWEST or not reason or not now < until <= now + LONGEST:
        raise CircleRefused
    circle_id = secrets.token_hex(12)
    with transaction() as connection:
        keys = Generations.of(connection).newest
        audience = remember(
            connection, keys, AudienceKind.CIRCLE, members, at=now, until=until
        )
        sealed = crypto.keys().seal("circle", reason.encode(), f"circle/{circle_id}")
        values = (circle_id, owner, sealed, len(members), now, until, audience)
        connection.run(_INSERT, values)
        facts = {"circle": circle_id, "owner": owner, "people": len(members)}
        journal.write_with(connection, "circle declared", facts, actor=by, at=now)
    return circle_id


def end(circle_id: str, *, by: str, now: datetime) -> bool:
    """End a circle before its time; False where it is over or unknown."""
    with transaction() as connection:
        row = connection.one(_END, (now, circle_id, now))
        if row is None:
            return False
        forget(connection, [row[0]])
        facts = {"circle": circle_id}
        journal.write_with(connection, "circle ended", facts, actor=by, at=now)
    return True


def all() -> tuple[Circle, ...]:
    """Every circle that is remembered, the latest first, those that ended, too."""
    with database() as connection:
        return tuple(_circle(row) for row in connection.all(_ALL))


def _circle(row: Row) -> Circle:
    circle_id, owner, sealed, people, since, until, ended_at = row
    reason = crypto.keys().open("circle", sealed, f"circle/{circle_id}").decode()
    return Circle(circle_id, owner, reason, people, since, until, ended_at)
