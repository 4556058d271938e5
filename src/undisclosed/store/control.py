# SPDX-License-Identifier: Apache-2.0
"""Visible-mail control: a person whose mail is held wherever two outsiders see it.

An approver imposes it after a disclosure, on a person and not on a mailbox: on all
the addresses that the person writes from. It ends by itself after thirty days at the
latest, or when it is lifted. Every act stands in the journal.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, journal
from undisclosed.store.crypto import Keys, person_bytes
from undisclosed.store.database import Row, database, transaction
from undisclosed.store.sealed import dump_addresses, load_addresses

LONGEST: Final = timedelta(days=30)
"""A control ends after this time; who needs it longer imposes it again."""

_INSERT: Final = """
INSERT INTO store_visiblemailcontrol
    (id, person_hashes, person_sealed, reason_sealed, imposed_by, since, until)
VALUES (%s, %b::bytea[], %b, %b, %s, %s, %s)
"""
_ACTIVE: Final = """
SELECT id, person_sealed, reason_sealed, imposed_by, since, until
  FROM store_visiblemailcontrol WHERE lifted_at IS NULL AND until > %s
 ORDER BY since DESC, id
"""
_LIFT: Final = """
UPDATE store_visiblemailcontrol SET lifted_at = %s
 WHERE id = %s AND lifted_at IS NULL AND until > %s RETURNING id
"""


class ControlRefused(UndisclosedError):
    """A control needs a person, a reason, and an end within thirty days."""


@dataclass(frozen=True, slots=True)
class Control:
    """One person under control. ``by`` is the id of the account that imposed it."""

    id: str
    addresses: tuple[Address, ...] = field(repr=False)
    reason: str = field(repr=False)
    by: str
    since: datetime
    until: datetime


def impose(
    addresses: Iterable[Address],
    *,
    reason: str,
    by: str,
    until: datetime,
    now: datetime,
) -> str:
    """Put one person, by all their addresses, under control; the control's id.

    Raises ControlRefused and TransientError.
    """
    person, reason = tuple(sorted(set(addresses))), reason.strip()
    if not person or not reason or not now < until <= now + LONGEST:
        raise ControlRefused
    control_id, keys = secrets.token_hex(12), crypto.keys()
    values = (
        control_id,
        [author_hash(keys, address) for address in person],
        keys.seal("control", dump_addresses(person), f"control/{control_id}/person"),
        keys.seal("control", reason.encode(), f"control/{control_id}/reason"),
        by,
        now,
        until,
    )
    with transaction() as connection:
        connection.run(_INSERT, values)
        facts = {"control": control_id, "days": (until - now).days}
        journal.write_with(connection, "control imposed", facts, actor=by, at=now)
    return control_id


def lift(control_id: str, *, by: str, now: datetime) -> bool:
    """Lift a control before its time; False where it is over or unknown."""
    with transaction() as connection:
        if connection.one(_LIFT, (now, control_id, now)) is None:
            return False
        facts = {"control": control_id}
        journal.write_with(connection, "control lifted", facts, actor=by, at=now)
    return True


def active(now: datetime) -> tuple[Control, ...]:
    """Everybody under control now, the latest first."""
    with database() as connection:
        return tuple(_control(row) for row in connection.all(_ACTIVE, (now,)))


def author_hash(keys: Keys, address: Address) -> bytes:
    """What stands for an author in the table of controls."""
    return keys.hash("control", person_bytes(address))


def _control(row: Row) -> Control:
    control_id, person, reason, by, since, until = row
    keys = crypto.keys()
    return Control(
        control_id,
        load_addresses(keys.open("control", person, f"control/{control_id}/person")),
        keys.open("control", reason, f"control/{control_id}/reason").decode(),
        by,
        since,
        until,
    )
