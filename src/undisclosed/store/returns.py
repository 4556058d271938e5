# SPDX-License-Identifier: Apache-2.0
"""What came back of campaigns, in the tables: each report once, with what follows.

A report changes its row of the ledger as ``core.campaign.DELIVERY_TRANSITIONS`` has
it. Who cannot be reached, complains or unsubscribes is suppressed, in the same
transaction. The report itself is not kept: what a mail server said of the delivery
is, sealed in the ledger.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.campaign import (
    DELIVERY_TRANSITIONS,
    CampaignState,
    DeliveryEvent,
    DeliveryState,
    MailKind,
)
from undisclosed.core.returns import Cause, ReturnKind
from undisclosed.store import crypto, ledger, lists, suppressions
from undisclosed.store.database import Connection, database, transaction
from undisclosed.store.suppressions import Reason

BY: Final = "returns"
"""Who stands in the journal for what follows from returned mail."""

FAILURES: Final = 3
"""Failed campaigns of a person, within ``FAILURES_IN``, that suppress the address."""

FAILURES_IN: Final = timedelta(days=180)
LATELY: Final = timedelta(hours=1)
"""How long after the end of a campaign is looked at what was refused."""

KEEP: Final = timedelta(days=400)
"""How long is known what came back."""

_WHOSE: Final = """
SELECT c.id, d.number, c.team_id, c.kind, c.list_id, d.address_hash
  FROM store_campaign c JOIN store_delivery d ON d.campaign_id = c.id
 WHERE c.serial = %s AND d.number = %s
"""
_INSERT: Final = """
INSERT INTO store_returnedmail (
    key, campaign_id, number, address_hash, kind, cause, status, at
) VALUES (%b, %s, %s, %b, %s, %s, %s, %s)
ON CONFLICT (key) DO NOTHING
"""
_CHANGE: Final = """
UPDATE store_delivery
   SET state = %s, reply_status = %s, reply_sealed = coalesce(%b, reply_sealed),
       reason = %s, lease_by = '', lease_until = NULL, updated_at = %s
 WHERE campaign_id = %s AND number = %s AND state = ANY(%b::text[])
"""
_FAILED_BEFORE: Final = """
SELECT count(DISTINCT campaign_id) FROM store_returnedmail
 WHERE kind = 'failed' AND address_hash = %b AND at > %s
"""
_STANDING: Final = """
SELECT c.state,
       count(DISTINCT r.number) FILTER (WHERE r.kind = 'complaint'),
       count(DISTINCT r.number) FILTER (
           WHERE r.kind = 'complaint' AND r.at >= c.updated_at),
       count(DISTINCT r.number) FILTER (
           WHERE r.kind = 'failed' AND r.at >= c.updated_at)
  FROM store_campaign c
  LEFT JOIN store_returnedmail r
    ON r.campaign_id = c.id AND r.kind IN ('complaint', 'failed')
 WHERE c.id = %s GROUP BY c.state
"""
_COUNTS: Final = (
    "SELECT kind, count(DISTINCT number) FROM store_returnedmail"
    " WHERE campaign_id = %s GROUP BY kind"
)
_PURGE: Final = """
DELETE FROM store_returnedmail WHERE key IN (
    SELECT key FROM store_returnedmail WHERE at < %s ORDER BY at LIMIT %s)
"""
_REFUSED: Final = """
SELECT c.id, d.number, c.team_id, c.kind, c.list_id, d.address_hash, d.reply_status,
       d.reply_sealed
  FROM store_campaign c
  JOIN store_delivery d ON d.campaign_id = c.id AND d.state = 'failed'
   AND d.reason = 'refused'
 WHERE (c.state IN ('sending', 'paused') OR c.ended_at > %s)
   AND NOT EXISTS (
       SELECT FROM store_returnedmail r
        WHERE r.campaign_id = d.campaign_id AND r.number = d.number
          AND r.kind = 'failed')
 LIMIT %s
"""
_EVENTS: Final = {
    ReturnKind.FAILED: (DeliveryEvent.DSN_FAILED, DeliveryState.FAILED),
    ReturnKind.DELIVERED: (DeliveryEvent.DSN_DELIVERED, DeliveryState.DELIVERED),
}


_SUPPRESSING: Final = (
    ReturnKind.FAILED,
    ReturnKind.COMPLAINT,
    ReturnKind.UNSUBSCRIBE,
)
_LOCK: Final = 0x756E6469_72657475
"""The number of our advisory lock: who has it reads the mailbox."""


@dataclass(frozen=True, slots=True)
class Whose:
    """The delivery that something is about, and who its person is (a keyed hash)."""

    campaign_id: str
    number: int
    team: object
    kind: MailKind
    list_id: str | None
    address_hash: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Refused:
    """A delivery that the next hop refused while it was being sent, and its words."""

    about: Whose
    status: str
    reply: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Report:
    """What came back, as the ledger knows it. ``key`` tells two of them apart.

    What is not proven names its delivery by what strangers may know: it counts, and is
    kept without its person, so that nothing follows from it for them.
    """

    key: bytes = field(repr=False)
    kind: ReturnKind
    cause: Cause = Cause.OTHER
    status: str = ""
    reply: str = field(default="", repr=False)
    is_proven: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands: in all, and since a person last let it go on."""

    state: CampaignState
    answered: int
    failed: int
    complaints: int
    new_failed: int
    new_complaints: int


def whose(serial: int, number: int) -> Whose | None:
    """The delivery that an opened token names; None where it is gone."""
    with database() as connection:
        row = connection.one(_WHOSE, (serial, number))
    return _whose(*row) if row else None


def refused(now: datetime, most: int = 500) -> list[Refused]:
    """What the next hop refused for good, and nothing followed from yet.

    Raises TransientError.
    """
    with database() as connection:
        rows = connection.all(_REFUSED, (now - LATELY, most))
    return [
        Refused(_whose(*row), status, ledger.opened_reply(row[0], row[1], sealed))
        for *row, status, sealed in rows
    ]


def _whose(
    campaign: str,
    number: int,
    team: object,
    kind: str,
    list_id: str | None,
    hashed: bytes,
) -> Whose:
    return Whose(campaign, number, team, MailKind(kind), list_id, bytes(hashed))


def key_of(kind: ReturnKind, about: Whose, *, is_proven: bool = True) -> bytes:
    """What tells two reports apart: of one delivery, each kind counts once.

    What is not proven takes no place from what is: that one has its consequences.
    """
    plain = f"{kind.value}/{about.campaign_id}/{about.number}"
    if not is_proven:
        plain += "/not proven"
    return crypto.keys().hash("returned mail", plain.encode())


def record(report: Report, about: Whose | None, now: datetime) -> bool:
    """Take a report, and do what follows from it; False where it was taken before.

    Raises TransientError.
    """
    address = _address_of(about) if about and _may_suppress(report) else None
    with transaction() as connection:
        values = (
            report.key,
            about.campaign_id if about else "",
            about.number if about else None,
            about.address_hash if about and report.is_proven else None,
            report.kind.value,
            report.cause.value,
            report.status[:16],
            now,
        )
        if not connection.run(_INSERT, values).rowcount:
            return False
        if about is not None:
            _change(connection, report, about, now)
            if _may_suppress(report):
                _suppress(connection, report, about, address, now)
    return True


def standing(campaign_id: str) -> Standing | None:
    """How a campaign stands; None where there is none. Raises TransientError."""
    with database() as connection:
        row = connection.one(_STANDING, (campaign_id,))
    if row is None:
        return None
    state, complaints, new_complaints, new_failed = row
    counts = ledger.counts(campaign_id)
    failed = counts.get(DeliveryState.FAILED, 0)
    sent = counts.get(DeliveryState.SENT, 0) + counts.get(DeliveryState.DELIVERED, 0)
    return Standing(
        CampaignState(state),
        answered=sent + failed,
        failed=failed,
        complaints=complaints,
        new_failed=new_failed,
        new_complaints=new_complaints,
    )


def counts(campaign_id: str) -> dict[ReturnKind, int]:
    """How much came back of a campaign, by kind."""
    with database() as connection:
        rows = connection.all(_COUNTS, (campaign_id,))
    return {ReturnKind(kind): number for kind, number in rows}


@contextmanager
def alone() -> Iterator[bool]:
    """Whether this thread may read the mailbox while the block runs: one worker does.

    A worker that dies loses its connection, and the lock with it.
    """
    with database() as connection:
        row = connection.one("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
    is_alone = bool(row and row[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with database() as connection:
                connection.run("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def purge(now: datetime, most: int = 5_000) -> int:
    """Forget what came back long ago; how much was. Raises TransientError."""
    with database() as connection:
        return connection.run(_PURGE, (now - KEEP, most)).rowcount


def _may_suppress(report: Report) -> bool:
    return report.is_proven and report.kind in _SUPPRESSING


def _address_of(about: Whose) -> Address | None:
    """The person's address, while the list is as it was when the campaign began."""
    try:
        row = lists.some(about.list_id or "", [about.number]).get(about.number)
    except lists.NoSuchList:
        return None
    address = row.address if row else None
    if address is None or crypto.address_hash(address) != about.address_hash:
        return None
    return address


def _change(
    connection: Connection, report: Report, about: Whose, now: datetime
) -> None:
    if report.kind not in _EVENTS:
        return
    event, after = _EVENTS[report.kind]
    before = [one.value for one, row in DELIVERY_TRANSITIONS.items() if event in row]
    sealed = ledger.sealed_reply(about.campaign_id, about.number, report.reply[:1000])
    values = (
        after.value,
        report.status[:16],
        sealed,
        report.cause.value if after is DeliveryState.FAILED else "",
        now,
        about.campaign_id,
        about.number,
        before,
    )
    connection.run(_CHANGE, values)


def _suppress(
    connection: Connection,
    report: Report,
    about: Whose,
    address: Address | None,
    now: datetime,
) -> None:
    """Suppress for all teams: an address that is gone, is gone for everybody.

    A complaint about marketing, like an unsubscribe, ends marketing; a complaint about
    service mail ends all mail, and the person is reached another way.
    """
    only: MailKind | None = None
    match report.kind:
        case ReturnKind.FAILED if _is_over(connection, report, about, now):
            reason = Reason.FAILED
        case ReturnKind.COMPLAINT:
            reason = Reason.COMPLAINT
            only = about.kind if about.kind is MailKind.MARKETING else None
        case ReturnKind.UNSUBSCRIBE:
            reason, only = Reason.UNSUBSCRIBED, MailKind.MARKETING
        case _:
            return
    if address is not None:
        suppressions.suppress([address], reason, only=only, by=BY, now=now)
        return
    suppressions.suppress_hash(about.address_hash, reason, only=only, by=BY, now=now)


def _is_over(
    connection: Connection, report: Report, about: Whose, now: datetime
) -> bool:
    """Whether the address is gone, or failed in so many campaigns that it may be."""
    if report.cause.is_lasting:
        return True
    values = (about.address_hash, now - FAILURES_IN)
    row = connection.one(_FAILED_BEFORE, values)
    return row is not None and row[0] >= FAILURES
