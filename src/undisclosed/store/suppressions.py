# SPDX-License-Identifier: Apache-2.0
"""Who is not mailed: addresses with a reason and a date, found by keyed hash only.

A suppression holds for one team or for all, for every mail or for marketing. Making
one also takes the person out of the campaigns that are being sent, where their
message has not been begun.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from undisclosed.core.address import Address
from undisclosed.core.campaign import MailKind
from undisclosed.store import crypto, journal
from undisclosed.store.database import Connection, database, transaction
from undisclosed.store.desk import Page

PER_PAGE: Final = 50

FORGOTTEN: Final = Address("(no longer known)", "")
"""Stands for an address whose list was destroyed: its keyed hash alone is left."""

_SUPPRESS: Final = """
INSERT INTO store_suppression (
    address_hash, address_sealed, team_id, reason, kinds, at, by
) VALUES (%b, %b, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
# By the list's own index on hashes: a campaign of a million rows is not searched.
_TAKE_OUT: Final = """
UPDATE store_delivery d SET state = 'suppressed', reason = %s, updated_at = %s
  FROM store_campaign c, store_listrow r
 WHERE c.state IN ('sending', 'paused') AND (%b::uuid IS NULL OR c.team_id = %b::uuid)
   AND %s IN ('', c.kind)
   AND r.list_id = c.list_id AND r.address_hash = %b
   AND d.campaign_id = c.id AND d.number = r.number
   AND d.address_hash = r.address_hash AND d.state IN ('queued', 'delayed')
"""
_LIFT: Final = "DELETE FROM store_suppression WHERE id = %s RETURNING reason, team_id"
_WHY: Final = """
SELECT reason FROM store_suppression
 WHERE address_hash = %b AND (team_id IS NULL OR team_id = %b::uuid)
   AND kinds IN ('', %s) ORDER BY at LIMIT 1
"""
_ONE: Final = """
SELECT id, address_sealed, team_id, reason, kinds, at, by FROM store_suppression
 WHERE id = %s
"""
_PAGE: Final = """
SELECT id, address_sealed, team_id, reason, kinds, at, by FROM store_suppression
 WHERE (team_id IS NULL OR %b::uuid[] IS NULL OR team_id = ANY(%b::uuid[]))
   AND (%b::bytea IS NULL OR address_hash = %b)
 ORDER BY at DESC, id DESC LIMIT %s OFFSET %s
"""
_EVERY: Final = """
SELECT id, address_sealed, team_id, reason, kinds, at, by FROM store_suppression
 WHERE id > %s AND (team_id = ANY(%b::uuid[]) OR (team_id IS NULL AND %s))
 ORDER BY id LIMIT %s
"""
_CHUNK: Final = 1_000


class Reason(StrEnum):
    """Why an address is not mailed."""

    ASKED = "asked"  # the person asked us
    UNSUBSCRIBED = "unsubscribed"  # by the link of a message
    COMPLAINT = "complaint"  # an ARF report (RFC 5965)
    FAILED = "failed"  # a DSN says that it does not exist (RFC 3464)
    SAFETY = "safety"  # a message there would endanger the person


class Lifted(StrEnum):
    """Why an address is mailed again."""

    ASKED = "asked"  # the person wants to be mailed
    MISTAKE = "mistake"  # it should never have been suppressed
    REACHABLE = "reachable"  # the address works again


@dataclass(frozen=True, slots=True)
class Suppression:
    """One address that is not mailed. ``team`` is None where it holds for all."""

    id: int
    address: Address = field(repr=False)
    team: UUID | None
    reason: str
    is_marketing_only: bool
    at: datetime
    by: str


def suppress(
    addresses: Iterable[Address],
    reason: Reason,
    *,
    team: object | None = None,
    only: MailKind | None = None,
    by: str,
    now: datetime,
) -> int:
    """Do not mail these any more; how many of them are new.

    ``team`` is a team's id, None for all teams; ``only`` is the kind of mail that it
    holds for, None for every mail. One journal entry tells the number.
    """
    people = ((crypto.address_hash(one), one) for one in addresses)
    return _suppress(people, reason, team, only, by, now)


def suppress_hash(
    hashed: bytes, reason: Reason, *, only: MailKind | None, by: str, now: datetime
) -> int:
    """Do not mail whoever this keyed hash is of, for all teams; how many are new.

    For an address that is no longer known here: its list was destroyed.
    """
    return _suppress([(hashed, FORGOTTEN)], reason, None, only, by, now)


def _suppress(
    people: Iterable[tuple[bytes, Address]],
    reason: Reason,
    team: object | None,
    only: MailKind | None,
    by: str,
    now: datetime,
) -> int:
    kinds, new, left = only.value if only else "", 0, 0
    with transaction() as connection:
        for hashed, address in people:
            sealed = crypto.seal_address(address)
            values = (hashed, sealed, team, reason.value, kinds, now, by)
            new += connection.run(_SUPPRESS, values).rowcount
            taken = (reason.value, now, team, team, kinds, hashed)
            left += connection.run(_TAKE_OUT, taken).rowcount
        facts = {"people": new, "reason": reason.value, "taken_out": left}
        _write(connection, "suppressed", facts, team, by, now)
    return new


def lift(suppression_id: int, because: Lifted, *, by: str, now: datetime) -> bool:
    """Mail the address again from the next campaign on; False where none is there."""
    with transaction() as connection:
        gone = connection.one(_LIFT, (suppression_id,))
        if gone is None:
            return False
        facts = {
            "suppression": suppression_id,
            "reason": gone[0],
            "because": because.value,
        }
        _write(connection, "suppression lifted", facts, gone[1], by, now)
    return True


def why(address: Address, *, team: object, kind: MailKind) -> str:
    """The reason for which a team does not mail an address so; "" where it does."""
    values = (crypto.address_hash(address), team, kind.value)
    with database() as connection:
        found = connection.one(_WHY, values)
    return str(found[0]) if found else ""


def get(suppression_id: int) -> Suppression | None:
    """One of them, or None."""
    with database() as connection:
        found = connection.one(_ONE, (suppression_id,))
    return _of(found) if found else None


def page(
    teams: Collection[object] | None,
    *,
    address: Address | None = None,
    number: int = 1,
) -> Page[Suppression]:
    """One page, newest first: those for all, and of these teams (None: of every one).

    With ``address``, those of this person only.
    """
    of = None if teams is None else [str(team) for team in teams]
    hashed = crypto.address_hash(address) if address else None
    skipped = (number - 1) * PER_PAGE
    values = (of, of, hashed, hashed, PER_PAGE + 1, skipped)
    with database() as connection:
        found = connection.all(_PAGE, values)
    items = [_of(row) for row in found[:PER_PAGE]]
    return Page(items, number, len(found) > PER_PAGE)


def every(teams: Collection[object], *, for_all: bool) -> Iterator[Suppression]:
    """Those of these teams, in the order in which they were made.

    ``for_all``: those that hold for all teams, too. Raises TransientError.
    """
    of, after = [str(team) for team in teams], 0
    while True:
        with database() as connection:
            found = connection.all(_EVERY, (after, of, for_all, _CHUNK))
        yield from map(_of, found)
        if len(found) < _CHUNK:
            return
        after = found[-1][0]


def _of(row: Sequence[Any]) -> Suppression:
    number, sealed, team, reason, kinds, at, by = row
    address = crypto.open_address(bytes(sealed))
    return Suppression(number, address, team, reason, bool(kinds), at, by)


def _write(
    connection: Connection,
    event: str,
    facts: Mapping[str, object],
    team: object | None,
    by: str,
    now: datetime,
) -> None:
    told = {**facts, "team": str(team) if team else "all"}
    journal.write_with(connection, event, told, actor=by, at=now)
