# SPDX-License-Identifier: Apache-2.0
"""What time does to held mail: reminders, the way back, reports of failures.

An untouched hold escalates (approver, deputy, desk) and goes back to its sender
at expiry: it is never sent, and never deleted without a word. A hold of the null
sender belongs to the desk and stays until somebody there decides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.held import (
    Failure,
    Hold,
    HoldDecided,
    HoldEvent,
    NoSuchHold,
    Outgoing,
)
from undisclosed.guard.desk import settle_as_held
from undisclosed.guard.notices import Notices
from undisclosed.guard.ports import KeyedId, Memory, Spool
from undisclosed.guard.reports import dsn_of

BY = "sweep"


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """Whom an untouched hold is escalated to, and when failures are reported.

    ``contacts`` are approver, deputy and desk, in this order; ``escalate_after`` the
    ages at which each is told. The last contact is the desk: it owns the holds that
    have no sender. Without contacts an escalation is journalled and mailed to nobody.
    Instead of a contact that is ``away`` the next one is told, at last the desk.
    """

    contacts: tuple[Address, ...] = field(default=(), repr=False)
    away: frozenset[Address] = field(default=frozenset(), repr=False)
    escalate_after: tuple[timedelta, ...] = (
        timedelta(hours=4),
        timedelta(days=1),
        timedelta(days=2),
    )
    report_interval: timedelta = timedelta(hours=1)
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did."""

    escalated: int = 0
    expired: int = 0
    reported: int = 0


def sweep(
    spool: Spool,
    memory: Memory,
    settings: SweepSettings,
    now: datetime,
    *,
    notices: Notices,
    name: KeyedId,
) -> Swept:
    """Escalate, expire and report whatever is due. Blocks; may run twice at once.

    Raises TransientError where the spool is away.
    """
    due = spool.due(
        now=now, limit=settings.limit, escalate_after=settings.escalate_after
    )
    escalated = expired = 0
    for hold in due:
        sender = hold.envelope.mail_from
        if sender and not hold.is_ownerless and now >= hold.expires_at:
            expired += _expire(spool, memory, hold, sender, notices, now)
        else:
            escalated += _escalate(spool, hold, settings, notices, now)
    reported = _report(spool, settings, notices, name, now)
    return Swept(escalated, expired, reported)


def _escalate(
    spool: Spool, hold: Hold, settings: SweepSettings, notices: Notices, now: datetime
) -> bool:
    outgoing = [
        notices.of_waiting(hold, contact, now) for contact in _told(hold, settings)
    ]
    return _decide(spool, hold, HoldEvent.ESCALATE, outgoing, now)


def _told(hold: Hold, settings: SweepSettings) -> tuple[Address, ...]:
    """Who is told: at the first step the approver, then the deputy, then the desk."""
    if hold.is_ownerless or hold.envelope.mail_from is None:
        return settings.contacts[-1:]
    number = min(hold.escalations, len(settings.contacts) - 1)
    in_line = settings.contacts[max(number, 0) :]
    there = [contact for contact in in_line if contact not in settings.away]
    return tuple(there[:1] or in_line[-1:])


def _expire(
    spool: Spool,
    memory: Memory,
    hold: Hold,
    sender: Address,
    notices: Notices,
    now: datetime,
) -> bool:
    try:
        content = spool.content(hold.id)
    except NoSuchHold:
        return False  # somebody decided meanwhile, and it is gone
    way_back = notices.of_return(hold, sender, content, now)
    if not _decide(spool, hold, HoldEvent.EXPIRE, [way_back], now):
        return False
    settle_as_held(memory, spool.get(hold.id))
    return True


def _decide(
    spool: Spool,
    hold: Hold,
    event: HoldEvent,
    outgoing: Sequence[Outgoing],
    now: datetime,
) -> bool:
    try:
        spool.decide(hold.id, event, outgoing, by=BY, now=now)
    except HoldDecided:
        return False  # a person was quicker
    return True


def _report(
    spool: Spool,
    settings: SweepSettings,
    notices: Notices,
    name: KeyedId,
    now: datetime,
) -> int:
    reported = 0
    for failures in spool.unreported(now=now, interval=settings.report_interval):
        dsn = _dsn(spool, failures, notices, name, now)
        spool.report([failure.copy_id for failure in failures], dsn, now=now)
        reported += len(failures)
    return reported


def _dsn(
    spool: Spool,
    failures: Sequence[Failure],
    notices: Notices,
    name: KeyedId,
    now: datetime,
) -> Outgoing | None:
    """The DSN to the mail's own sender; None where nobody may be told."""
    first = failures[0]
    sender = first.envelope.mail_from
    if sender is None:
        return None
    try:
        content = spool.content(first.hold_id) if first.hold_id else b""
    except NoSuchHold:
        content = b""
    return dsn_of(failures, sender, content, notices.settings, name, now)
