# SPDX-License-Identifier: Apache-2.0
"""Held mail and what leaves of it: values, and their life cycles as tables.

The guard decides with these, the store keeps them. Both know this file and
not one another. Times are aware UTC.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from undisclosed.core.address import Address
from undisclosed.core.known import Known
from undisclosed.core.mail import Envelope, Mail
from undisclosed.core.patch import Patch
from undisclosed.core.verdict import Finding
from undisclosed.errors import UndisclosedError

RETRY_WINDOW = timedelta(hours=12)
"""For how long the same bytes and envelope are a client's retry, not a new mail."""


class NoSuchHold(UndisclosedError):
    """There is no such held mail, or its content is gone."""


class HoldDecided(UndisclosedError):
    """The held mail was already decided, and nothing of it waits any more."""


class HoldState(Enum):
    """Where a held mail is. What was withdrawn or returned stays so."""

    HELD = "held"
    ACCEPTED = "accepted"  # nothing is wrong with it; it waits for its undo window
    SPLIT = "split"  # private copies are queued or gone
    RELEASED = "released"  # goes out unchanged, by an approver's decision
    WITHDRAWN = "withdrawn"  # taken back: no more of it leaves than had left
    RETURNED = "returned"  # went back to its sender at expiry


class HoldEvent(Enum):
    """What can happen to a held mail."""

    ACCEPT = "accept"
    SEND_SINGLY = "send singly"
    RELEASE = "release"
    SEND_NOW = "send now"
    WITHDRAW = "withdraw"
    ESCALATE = "escalate"
    EXPIRE = "expire"


HOLD_TRANSITIONS = {
    HoldState.HELD: {
        HoldEvent.ACCEPT: HoldState.ACCEPTED,
        HoldEvent.SEND_SINGLY: HoldState.SPLIT,
        HoldEvent.RELEASE: HoldState.RELEASED,
        HoldEvent.WITHDRAW: HoldState.WITHDRAWN,
        HoldEvent.ESCALATE: HoldState.HELD,
        HoldEvent.EXPIRE: HoldState.RETURNED,
    },
    HoldState.ACCEPTED: {
        HoldEvent.SEND_NOW: HoldState.ACCEPTED,
        HoldEvent.WITHDRAW: HoldState.WITHDRAWN,
    },
    HoldState.SPLIT: {
        HoldEvent.SEND_NOW: HoldState.SPLIT,
        HoldEvent.WITHDRAW: HoldState.WITHDRAWN,
    },
    # The hour that an only approver waits is no undo window: nobody ends it early.
    HoldState.RELEASED: {HoldEvent.WITHDRAW: HoldState.WITHDRAWN},
    HoldState.WITHDRAWN: {},
    HoldState.RETURNED: {},
}
"""What leads where. *Send now* and *withdraw* need a copy that still waits."""

LEAVING = frozenset((HoldState.ACCEPTED, HoldState.SPLIT, HoldState.RELEASED))
"""States in which copies may still wait to leave, and can be taken back."""


class CopyState(Enum):
    """Where an outgoing mail is (RFC 3464 §2.3.3 has other words for others)."""

    QUEUED = "queued"
    SENT = "sent"  # the next hop answered 250; no more is known
    DELAYED = "delayed"  # 4xx or no answer; again later
    FAILED = "failed"  # 5xx, or given up; never again
    WITHDRAWN = "withdrawn"  # taken back before it left; never again
    IN_DOUBT = "in doubt"  # taken back while its worker died in a try: it may be gone


class CopyEvent(Enum):
    """What the next hop answered to one try, or that there is no further one."""

    REPLY_2XX = "2xx"
    REPLY_4XX = "4xx"
    REPLY_5XX = "5xx"
    GIVEN_UP = "given up"
    TAKEN_BACK = "taken back"
    UNANSWERED = "unanswered"


COPY_TRANSITIONS = {
    CopyState.QUEUED: {
        CopyEvent.REPLY_2XX: CopyState.SENT,
        CopyEvent.REPLY_4XX: CopyState.DELAYED,
        CopyEvent.REPLY_5XX: CopyState.FAILED,
        CopyEvent.GIVEN_UP: CopyState.FAILED,
        CopyEvent.TAKEN_BACK: CopyState.WITHDRAWN,
        CopyEvent.UNANSWERED: CopyState.IN_DOUBT,
    },
    CopyState.DELAYED: {
        CopyEvent.REPLY_2XX: CopyState.SENT,
        CopyEvent.REPLY_4XX: CopyState.DELAYED,
        CopyEvent.REPLY_5XX: CopyState.FAILED,
        CopyEvent.GIVEN_UP: CopyState.FAILED,
        CopyEvent.TAKEN_BACK: CopyState.WITHDRAWN,
        CopyEvent.UNANSWERED: CopyState.IN_DOUBT,
    },
    CopyState.SENT: {},
    CopyState.FAILED: {},
    CopyState.WITHDRAWN: {},
    CopyState.IN_DOUBT: {},
}


class OutgoingKind(Enum):
    """Why a mail leaves the spool."""

    PRIVATE_COPY = "private copy"
    INSIDERS_COPY = "insiders' copy"
    RELEASE = "release"
    RETURN = "return"
    NOTICE = "notice"
    DSN = "DSN"


class WaveState(Enum):
    """What became of a mail that Memory kept a place for."""

    RESERVED = "reserved"  # not settled: counts as shown
    SHOWN = "shown"
    HELD = "held"
    CANCELLED = "cancelled"  # never shown to anyone: no longer counts


WAVE_TRANSITIONS = {
    WaveState.RESERVED: {WaveState.SHOWN, WaveState.HELD, WaveState.CANCELLED},
    WaveState.HELD: {WaveState.SHOWN, WaveState.CANCELLED},
    WaveState.SHOWN: set[WaveState](),  # what was seen stays seen
    WaveState.CANCELLED: {WaveState.RESERVED},  # the same bytes come again
}


@dataclass(frozen=True, slots=True)
class Reservation:
    """A place in Memory for one mail, and what Memory knew when it was taken."""

    id: str
    known: Known


@dataclass(frozen=True, slots=True)
class Shown:
    """One person whom a held mail would newly show, with every channel that does."""

    address: Address
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NewHold:
    """Everything that is committed before a hold is answered with 250."""

    mail: Mail
    digest: bytes = field(repr=False)
    findings: tuple[Finding, ...]
    mailing_id: str
    reservation_id: str | None
    people: int
    disclosures: int
    viewers: int
    singly_refused: str | None
    """Why *send singly* is not offered; None where it is."""
    expires_at: datetime
    received_at: datetime
    subject: str = field(default="", repr=False)
    shown: tuple[Shown, ...] = field(default=(), repr=False)
    """Whom the mail would newly show, with the channels (kept sealed, for the page)."""
    is_ownerless: bool = False
    """Nobody inside sent it: it belongs to the desk, and goes back to nobody."""
    notice: "Outgoing | None" = field(default=None, repr=False)
    """What its sender is told; queued in the same commit, once for its mailing, and
    again where all of that had been decided before."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a mail that was to be held.

    ``state`` is not HELD where the mail is a client's retry of one that was decided.
    ``is_settled``: Memory's place was settled as HELD in the same commit.
    """

    id: str
    state: HoldState
    is_settled: bool = False


@dataclass(frozen=True, slots=True)
class Hold:
    """A held mail without its content."""

    id: str
    mailing_id: str
    reservation_id: str | None
    state: HoldState
    envelope: Envelope = field(repr=False)
    findings: tuple[Finding, ...]
    people: int
    disclosures: int
    viewers: int
    singly_refused: str | None
    received_at: datetime
    expires_at: datetime
    escalations: int
    size: int
    is_ownerless: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One transaction to come: what leaves, to whom, as bytes or as a patch.

    ``patch`` is laid over the held content of ``hold_id``; ``content`` is for mail
    that the guard wrote itself (notice, DSN). ``id`` is made of hold, kind and
    recipients (keyed), so queueing the same thing twice queues it once.
    """

    id: str
    hold_id: str | None
    kind: OutgoingKind
    envelope: Envelope = field(repr=False)
    patch: Patch | None = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    state: CopyState = CopyState.QUEUED
    attempts: int = 0
    not_before: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """One copy that failed for good and whose sender has not been told yet."""

    copy_id: str
    hold_id: str | None
    envelope: Envelope = field(repr=False)
    reply: str = field(repr=False)
    at: datetime
