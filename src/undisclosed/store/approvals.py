# SPDX-License-Identifier: Apache-2.0
"""Who is asked to approve a campaign, what they answered, and handing that on.

Decisions themselves are ``store.campaigns``'. A role is held in the campaign's team;
a data protection officer's, over all teams. Nobody is asked about their own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from undisclosed.core.address import Address
from undisclosed.core.campaign import CampaignState
from undisclosed.errors import UndisclosedError
from undisclosed.store import campaigns, crypto, journal
from undisclosed.store.campaigns import Campaign, NotNeeded, NotTheSame, OwnCampaign
from undisclosed.store.database import Connection, database, transaction
from undisclosed.store.roles import Role

OVER_ALL_TEAMS: Final = frozenset((Role.DPO,))
"""Roles that an account has in every team."""

_HOLDERS: Final = """
SELECT a.id, a.name, a.login_sealed, a.absent_until,
       CASE WHEN %s AND a.roles @> to_jsonb(%s::text) THEN true
            ELSE coalesce(m.roles @> to_jsonb(%s::text), false) END
  FROM store_account a
  LEFT JOIN store_membership m ON m.account_id = a.id AND m.team_id = %s
 WHERE a.is_active AND a.id <> ALL(%b::uuid[])
 ORDER BY a.name, a.id
"""
_DELEGATES: Final = """
SELECT d.role, a.id, a.name, a.login_sealed, a.absent_until
  FROM store_delegation d JOIN store_account a ON a.id = d.account_id
 WHERE d.campaign_id = %s AND d.digest = %b AND a.is_active
 ORDER BY d.at
"""
_DELEGATE: Final = """
INSERT INTO store_delegation (campaign_id, digest, role, account_id, by_id, at)
VALUES (%s, %b, %s, %s, %s, %s)
ON CONFLICT (campaign_id, digest, role, account_id) DO NOTHING
"""
_LOCK: Final = "SELECT 1 FROM store_campaign WHERE id = %s FOR UPDATE"
_AUTHORS: Final = "SELECT account_id FROM store_campaignauthor WHERE campaign_id = %s"
_ANSWERS: Final = """
SELECT p.role, a.name, p.is_consent, p.reason_sealed, p.at
  FROM store_approval p JOIN store_account a ON a.id = p.account_id
 WHERE p.campaign_id = %s ORDER BY p.at, p.id
"""
_OVERRIDES: Final = """
SELECT o.check_name, a.name, o.reason_sealed, o.at
  FROM store_override o JOIN store_account a ON a.id = o.account_id
 WHERE o.campaign_id = %s AND o.digest = %b ORDER BY o.at
"""
_WAITING: Final = """
SELECT id FROM store_campaign
 WHERE state = 'submitted' AND reminders < %s AND coalesce(asked_at, submitted_at) <= %s
 ORDER BY submitted_at
"""
_STILL_WAITING: Final = (
    "SELECT 1 FROM store_campaign WHERE id = %s AND state = 'submitted'"
    " AND coalesce(asked_at, submitted_at) <= %s FOR UPDATE"
)
_ASKED: Final = (
    "UPDATE store_campaign SET asked_at = %s, reminders = reminders + %s WHERE id = %s"
)


class NotTheirs(UndisclosedError):
    """Only who may decide in a role hands it on, and to nobody who had a part in it."""


@dataclass(frozen=True, slots=True)
class Approver:
    """Somebody who may decide in a role. ``login`` is where they are written to."""

    role: str
    account: object
    name: str = field(repr=False)
    login: Address
    is_away: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody said: consent, or a refusal with its reason."""

    role: str
    name: str = field(repr=False)
    is_consent: bool
    reason: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class Overridden:
    """A finding that somebody answers for, and why."""

    check: str
    name: str = field(repr=False)
    reason: str = field(repr=False)
    at: datetime


def approvers(found: Campaign, now: datetime) -> list[Approver]:
    """Everybody who may still decide about a submitted campaign, role by role."""
    if found.digest is None:
        return []
    given = campaigns.consents(found.id, found.digest)
    open_roles = [role for role in found.needs if role not in {one[0] for one in given}]
    with database() as connection:
        out = {*_authors(connection, found), *(one[1] for one in given)}
        asked = [
            one
            for role in open_roles
            for one in _holders(connection, found.team, role, out, now)
        ]
        rows = connection.all(_DELEGATES, (found.id, found.digest))
    delegates = (
        Approver(role, account, *_who(rest, now))
        for role, account, *rest in rows
        if role in open_roles and account not in out
    )
    return list(dict.fromkeys((*asked, *delegates)))


def delegate(
    campaign_id: str, digest: bytes, role: str, *, to: object, by: object, now: datetime
) -> None:
    """Hand the decision in a role on to another account, for this digest.

    Raises NotTheSame, NotNeeded, NotTheirs where ``by`` may not decide in this role
    now, and OwnCampaign where ``to`` wrote, submitted or answered for any of it.
    """
    with transaction() as connection:
        connection.run(_LOCK, (campaign_id,))
        found = campaigns.get(campaign_id)
        is_submitted = found.state is CampaignState.SUBMITTED
        if found.digest is None or found.digest != digest or not is_submitted:
            raise NotTheSame(campaign=campaign_id)
        if role not in found.needs:
            raise NotNeeded(role=role)
        if not any(
            (one.role, one.account) == (role, by) for one in approvers(found, now)
        ):
            raise NotTheirs(role=role)
        if to in _authors(connection, found):
            raise OwnCampaign(campaign=campaign_id)
        connection.run(_DELEGATE, (campaign_id, digest, role, to, by, now))
        facts = {"campaign": campaign_id, "role": role, "to": to}
        journal.write_with(
            connection, "approval delegated", facts, actor=str(by), at=now
        )


def answers(campaign_id: str) -> list[Answer]:
    """Every consent and refusal that was ever given, in order."""
    with database() as connection:
        rows = connection.all(_ANSWERS, (campaign_id,))
    return [
        Answer(role, name, is_consent, _reason(campaign_id, sealed), at)
        for role, name, is_consent, sealed, at in rows
    ]


def overrides(campaign_id: str, digest: bytes) -> list[Overridden]:
    """The findings of these checks that somebody answers for."""
    with database() as connection:
        rows = connection.all(_OVERRIDES, (campaign_id, digest))
    return [
        Overridden(check, name, _reason(campaign_id, sealed), at)
        for check, name, sealed, at in rows
    ]


def waiting(now: datetime, *, after: timedelta, most: int) -> list[str]:
    """The campaigns whose approvers are to be reminded."""
    with database() as connection:
        return [row[0] for row in connection.all(_WAITING, (most, now - after))]


def still_waits(
    connection: Connection, campaign_id: str, now: datetime, *, after: timedelta
) -> bool:
    """Whether it is still to be reminded of; it is this transaction's own then.

    Two workers that found it waiting remind of it once.
    """
    values = (campaign_id, now - after)
    return connection.one(_STILL_WAITING, values) is not None


def asked(
    connection: Connection, campaign_id: str, now: datetime, *, again: bool
) -> None:
    """Write down that its approvers were written to just now."""
    connection.run(_ASKED, (now, int(again), campaign_id))


def _authors(connection: Connection, found: Campaign) -> set[object]:
    """Whoever wrote, submitted or answered for any version of it."""
    written = {row[0] for row in connection.all(_AUTHORS, (found.id,))}
    return (written | {found.created_by, found.submitted_by}) - {None}


def _holders(
    connection: Connection,
    team: object,
    role: str,
    out: Iterable[object],
    now: datetime,
) -> list[Approver]:
    values = (role in OVER_ALL_TEAMS, role, role, team, list(out))
    return [
        Approver(role, account, *_who(rest, now))
        for account, *rest, holds in connection.all(_HOLDERS, values)
        if holds
    ]


def _who(row: Sequence[Any], now: datetime) -> tuple[str, Address, bool]:
    name, login, absent_until = row
    is_away = absent_until is not None and absent_until > now
    return name, crypto.open_address(bytes(login)), is_away


def _reason(campaign_id: str, sealed: bytes | None) -> str:
    if sealed is None:
        return ""
    keys = crypto.keys()
    return keys.open("reason", bytes(sealed), f"campaign/{campaign_id}").decode()
