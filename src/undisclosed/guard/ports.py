# SPDX-License-Identifier: Apache-2.0
"""What the guard needs of the world: a Spool, a Memory, a Relay.

The guard's code knows no Django and no SQL. ``undisclosed.store`` has the
PostgreSQL spool and memory, ``guard.testing`` those that forget; one suite of
tests runs over both. Calls are synchronous and may block: the endpoints run
them in threads. Anything that is away raises TransientError.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading
from undisclosed.core.held import (
    RETRY_WINDOW,
    CopyEvent,
    CopyState,
    Failure,
    Hold,
    HoldDecided,
    HoldEvent,
    HoldState,
    Kept,
    NewHold,
    NoSuchHold,
    Outgoing,
    OutgoingKind,
    Reservation,
    WaveState,
)
from undisclosed.core.known import Clearance
from undisclosed.core.mail import Mail
from undisclosed.core.mailing import Wave
from undisclosed.guard.origin import Origin

__all__ = [
    "RETRY_WINDOW",
    "Authenticator",
    "Clock",
    "CopyEvent",
    "CopyState",
    "Exempt",
    "Exemption",
    "Failure",
    "Hold",
    "HoldDecided",
    "HoldEvent",
    "HoldState",
    "Journal",
    "Kept",
    "KeyedId",
    "Memory",
    "NewHold",
    "NoSuchHold",
    "Once",
    "Outgoing",
    "OutgoingKind",
    "Pass",
    "Passed",
    "Reservation",
    "Spool",
    "Trace",
    "WaveState",
]


class Memory(Protocol):
    """What was shown to whom before, as keyed hashes."""

    def reserve(self, wave: Wave, *, window: timedelta, now: datetime) -> Reservation:
        """Take a place for this mail in one serialised transaction.

        Two guards that reserve at once see one another: the second one's ``Known``
        counts the first one's people. The same ``wave.digest`` again (a retry) finds
        its own place, and a cancelled place counts again. A reservation that is never
        settled counts as shown. ``Known.mailing`` is never None in the answer: the
        mailing's people and disclosures over everything that is not cancelled, this
        mail included. Only waves that add up join a mailing, and the transactions of
        one message (``wave.message_id``); any other is one alone. The circles, threads
        and hidden audiences in the answer are asked for in one query. Whom the wave
        hides is a hidden audience from now on.
        """

    def settle(self, reservation_id: str, state: WaveState) -> None:
        """Say what became of the mail: SHOWN, HELD or CANCELLED.

        A step that ``WAVE_TRANSITIONS`` does not have, and a reservation whose
        retention is over, change nothing: settling twice is settling once. SHOWN makes
        a thread of those whom the mail showed to each other, unless it was observed.
        """

    def hide(
        self, people: Iterable[Address], *, is_sensitive: bool, now: datetime
    ) -> None:
        """Remember a hidden audience: everyone of a split, of a campaign.

        Fewer than two people are none. Give it outsiders only: insiders are never
        members. Hiding the same people again renews them. Raises TransientError.
        """

    def learn(self, people: Iterable[Address], *, now: datetime) -> None:
        """Remember a thread: people whom mail that is not ours showed to each other.

        Only for authenticated inbound mail. Fewer than two people are none. Raises
        TransientError.
        """


class Spool(Protocol):
    """Held mail and the copies that leave: durable, encrypted, counted."""

    def hold(self, new: NewHold) -> Kept:
        """Commit the mail and its notice. Durable when this returns.

        The same digest within RETRY_WINDOW of the earlier ``received_at`` finds the
        earlier hold, whatever became of it: a client that did not hear our 250 does
        not hold its mail twice. A spool that keeps Memory's places, too, settles the
        mail's as HELD in the same commit, and says so.
        """

    def get(self, hold_id: str) -> Hold:
        """One hold. Raises NoSuchHold."""

    def of_mailing(self, mailing_id: str) -> Sequence[Hold]:
        """Every hold of one mailing, oldest first."""

    def copies_of(self, hold_id: str) -> Sequence[Outgoing]:
        """Every copy of one hold with its state, in the order of queueing."""

    def content(self, hold_id: str) -> bytes:
        """The held content whole. Raises NoSuchHold where it is gone.

        It is there while the hold is HELD and while a copy of it is still to leave.
        """

    def decide(
        self,
        hold_id: str,
        event: HoldEvent,
        outgoing: Sequence[Outgoing] = (),
        *,
        by: str,
        reason: str = "",
        now: datetime,
    ) -> HoldState:
        """Take the hold along its table of states and queue what leaves.

        One transaction: state, outgoing mail, journal entry and the job that
        delivers. ``by`` is an account's or a part's name, never an address.
        WITHDRAW takes back every copy that still waits; one that a worker has in
        hand just now is left to ``mark``, and one whose worker died is IN_DOUBT.
        SEND_NOW ends the wait of copies that were not tried yet.
        Raises HoldDecided where the table has no such step, and where nothing waits
        that could be taken back or sent now.
        """

    def queue(self, outgoing: Sequence[Outgoing], *, now: datetime) -> None:
        """Queue mail of our own (notices, DSNs) with its job."""

    def due(
        self, *, now: datetime, limit: int, escalate_after: Sequence[timedelta] = ()
    ) -> Sequence[Hold]:
        """Untouched holds whose time to escalate or to expire has come, oldest first.

        A hold that escalated n times is due at ``received_at + escalate_after[n]``,
        and from ``expires_at`` on. A hold of the null sender never expires, since
        there is nobody it could go back to: it only escalates.
        """

    def claim(
        self, *, by: str, limit: int, lease: timedelta, now: datetime
    ) -> Sequence[Outgoing]:
        """Take copies whose time has come, for as long as the lease lasts.

        Nobody else gets them meanwhile; ``mark`` ends the lease, and so does its time.
        A copy of withdrawn mail is not handed out: its worker died, it is IN_DOUBT.
        """

    def give_back(self, *, by: str) -> None:
        """End every lease of this name: its worker died, and what it took is free."""

    def mark(
        self,
        copy_id: str,
        event: CopyEvent,
        reply: str,
        *,
        now: datetime,
        retry_at: datetime | None = None,
    ) -> bool:
        """Record what became of one try: the next hop's reply, and when again.

        Counts the attempt and ends the lease. A copy whose state is final stays so:
        a second mark changes nothing. True where the copy's mail was withdrawn
        meanwhile: then no further copy of it is tried.
        """

    def divide(self, copy_id: str, parts: Sequence[Outgoing], *, now: datetime) -> None:
        """Give some recipients of one copy a copy of their own, in one transaction.

        For a copy of several recipients whose tries ended differently. Every recipient
        in ``parts`` leaves the copy's envelope (at least one stays) and the parts are
        queued; a part whose id is there already changes nothing.
        """

    def unreported(
        self, *, now: datetime, interval: timedelta
    ) -> Sequence[Sequence[Failure]]:
        """Failures nobody was told of, grouped by hold, oldest group first.

        A hold is left out while its last report is younger than the interval. Copies
        that belong to no hold (our own notices) come each as a group of one.
        """

    def report(
        self, copy_ids: Sequence[str], dsn: Outgoing | None, *, now: datetime
    ) -> None:
        """Mark failures as reported and queue the DSN that says so, in one go.

        ``dsn`` is None where nobody may be told (null sender).
        """


@dataclass(frozen=True, slots=True)
class Passed:
    """What a field of our own in a mail proved.

    ``clearance``: what was decided about this mail before. ``is_counted``: it went
    through this guard before, and is not counted in Memory a second time.
    """

    clearance: Clearance | None = None
    is_counted: bool = False


class Pass(Protocol):
    """Opens one kind of token that a mail may carry: a stamp, a clearance.

    The fields that hold tokens are cut out of every mail whether they hold or not.
    """

    def of(
        self, mail: Mail, reading: Reading, origin: Origin, now: datetime
    ) -> Passed | None:
        """What the mail's token proves; None without one, or where it does not hold.

        A token holds for one mail: the same bytes again (a client's retry) find it
        good, other bytes do not. May block; raises TransientError.
        """


class Once(Protocol):
    """Tokens that are good for one mail each, over all processes."""

    def use(self, token: str, digest: bytes, *, until: datetime, now: datetime) -> bool:
        """Use a token for the mail of this digest; False where another mail did.

        Durable when it returns; forgotten after ``until``. Raises TransientError.
        """


@dataclass(frozen=True, slots=True)
class Exemption:
    """A named exception that a mail falls under, as it is journalled."""

    name: str
    owner: str
    reason: str


class Exempt(Protocol):
    """Knows the exemptions of the policy (by client, sender and recipient)."""

    def of(self, mail: Mail, origin: Origin, now: datetime) -> Exemption | None:
        """The exemption that this mail falls under today, or None. Never blocks."""


class Authenticator(Protocol):
    """Knows the logins that may hand in mail (submission)."""

    def check(self, login: str, password: str) -> str | None:
        """The login's name where the password is its own, else None.

        The name is no secret and no address: it stands in ``Origin.login``. May
        block; raises TransientError.
        """


class Trace(Protocol):
    """Where it is noted that a mail passed, for who asks where it is."""

    def accepted(self, mail: Mail, now: datetime) -> None:
        """Note an accepted mail. Never waits, never raises."""


class Clock(Protocol):
    """The one place where the guard learns the time (aware UTC)."""

    def __call__(self) -> datetime:
        """Now."""


class Journal(Protocol):
    """The append-only account of what was decided and done, without an address."""

    def __call__(self, event: str, **facts: object) -> None:
        """Write one entry. Raises TransientError where the store is away."""


class KeyedId(Protocol):
    """Makes the same id of the same parts, and none that anybody can guess."""

    def __call__(self, *parts: str) -> str:
        """The id: at most 64 letters and digits."""
