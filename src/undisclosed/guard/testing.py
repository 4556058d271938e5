# SPDX-License-Identifier: Apache-2.0
"""Spool, Memory, clock and journal that forget: what the guard's tests stand on.

They have behaviour, not expectations: the same suite of tests runs over these
and over the PostgreSQL ones. They are safe to be called from several threads,
and keep everything only while the process lives. Each can be put away
(``is_away``): then every call raises TransientError, as a lost store would.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from undisclosed.errors import TransientError
from undisclosed.guard.forgetful import ForgetfulMemory
from undisclosed.guard.ports import (
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
)
from undisclosed.guard.states import (
    COPY_TRANSITIONS,
    HOLD_TRANSITIONS,
)

__all__ = [
    "Decided",
    "FixedClock",
    "ForgetfulMemory",
    "ForgetfulOnce",
    "MemorySpool",
    "RecordingJournal",
]

WAITING = (CopyState.QUEUED, CopyState.DELAYED)


class FixedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time that it was set to."""
        return self.now

    def advance(self, by: timedelta) -> datetime:
        """Move on; the new time."""
        self.now += by
        return self.now


class RecordingJournal:
    """A journal that keeps its entries in a list."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, dict[str, object]]] = []
        self.is_away = False

    def __call__(self, event: str, **facts: object) -> None:
        """Keep one entry."""
        if self.is_away:
            raise TransientError("The journal is away.")
        self.entries.append((event, facts))

    def events(self) -> list[str]:
        """What was written, without the facts."""
        return [event for event, _ in self.entries]


class ForgetfulOnce:
    """Used tokens in memory; see the port ``Once``."""

    def __init__(self) -> None:
        self.is_away = False
        self._lock = threading.Lock()
        self._used: dict[str, tuple[bytes, datetime]] = {}

    def use(self, token: str, digest: bytes, *, until: datetime, now: datetime) -> bool:
        """Use a token for one mail; see the port."""
        if self.is_away:
            raise TransientError("The used tokens are away.")
        with self._lock:
            for one in [one for one, kept in self._used.items() if kept[1] <= now]:
                del self._used[one]
            return self._used.setdefault(token, (digest, until))[0] == digest


@dataclass(slots=True)
class _HeldMail:
    hold: Hold
    digest: bytes
    content: bytes
    reported_at: datetime | None = None


@dataclass(slots=True)
class _Copy:
    outgoing: Outgoing
    at: datetime
    reply: str = ""
    lease_by: str = ""
    lease_until: datetime | None = None
    is_reported: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision as the spool was told of it, for assertions."""

    hold_id: str
    event: HoldEvent
    by: str
    reason: str


@dataclass(slots=True)
class MemorySpool:
    """A Spool in memory: everything of the port but durability."""

    is_away: bool = False
    decisions: list[Decided] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _holds: dict[str, _HeldMail] = field(default_factory=dict)
    _copies: dict[str, _Copy] = field(default_factory=dict)

    def hold(self, new: NewHold) -> Kept:
        """Keep the mail; see the port. Memory's place is somebody else's."""
        with self._open():
            for kept in self._holds.values():
                age = new.received_at - kept.hold.received_at
                if kept.digest == new.digest and age <= RETRY_WINDOW:
                    return Kept(kept.hold.id, kept.hold.state)
            hold = _hold_of(f"hold-{len(self._holds) + 1}", new)
            self._holds[hold.id] = _HeldMail(hold, new.digest, new.mail.content)
            self._tell(new)
            return Kept(hold.id, hold.state)

    def get(self, hold_id: str) -> Hold:
        """One hold; see the port."""
        with self._open():
            return self._kept(hold_id).hold

    def of_mailing(self, mailing_id: str) -> Sequence[Hold]:
        """Every hold of one mailing; see the port."""
        with self._open():
            found = (kept.hold for kept in self._holds.values())
            return sorted(
                (hold for hold in found if hold.mailing_id == mailing_id),
                key=lambda hold: hold.received_at,
            )

    def copies_of(self, hold_id: str) -> Sequence[Outgoing]:
        """Every copy of one hold; see the port."""
        return [each for each in self.outgoing() if each.hold_id == hold_id]

    def content(self, hold_id: str) -> bytes:
        """The held content; see the port."""
        with self._open():
            if not self._has_content(self._kept(hold_id).hold):
                raise NoSuchHold(hold_id=hold_id)
            return self._kept(hold_id).content

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
        """Take the hold along its table; see the port."""
        with self._open():
            kept = self._kept(hold_id)
            state = HOLD_TRANSITIONS[kept.hold.state].get(event)
            if state is None or not self._can(kept.hold, event, now):
                raise HoldDecided(hold_id=hold_id, state=kept.hold.state.value)
            more = int(event is HoldEvent.ESCALATE)
            kept.hold = replace(
                kept.hold, state=state, escalations=kept.hold.escalations + more
            )
            self.decisions.append(Decided(hold_id, event, by, reason))
            self._queue(outgoing, now)
            return state

    def queue(self, outgoing: Sequence[Outgoing], *, now: datetime) -> None:
        """Queue mail of our own; see the port."""
        with self._open():
            self._queue(outgoing, now)

    def due(
        self, *, now: datetime, limit: int, escalate_after: Sequence[timedelta] = ()
    ) -> Sequence[Hold]:
        """Untouched holds whose time has come; see the port."""
        with self._open():
            found = [
                kept.hold
                for kept in self._holds.values()
                if kept.hold.state is HoldState.HELD
                and _is_due(kept.hold, now, escalate_after)
            ]
            return sorted(found, key=lambda hold: hold.received_at)[:limit]

    def claim(
        self, *, by: str, limit: int, lease: timedelta, now: datetime
    ) -> Sequence[Outgoing]:
        """Take copies whose time has come; see the port."""
        with self._open():
            due = [copy for copy in self._copies.values() if _is_free(copy, now)]
            free = [copy for copy in due if not self._doubt(copy)]
            for copy in free[:limit]:
                copy.lease_by, copy.lease_until = by, now + lease
            return [copy.outgoing for copy in free[:limit]]

    def give_back(self, *, by: str) -> None:
        """End every lease of this name; see the port."""
        with self._open():
            for copy in self._copies.values():
                if copy.lease_by == by:
                    copy.lease_until = None

    def mark(
        self,
        copy_id: str,
        event: CopyEvent,
        reply: str,
        *,
        now: datetime,
        retry_at: datetime | None = None,
    ) -> bool:
        """Record what became of one try; see the port."""
        with self._open():
            copy = self._copies[copy_id]
            state = COPY_TRANSITIONS[copy.outgoing.state].get(event)
            if state is not None:
                copy.outgoing = replace(
                    copy.outgoing,
                    state=state,
                    attempts=copy.outgoing.attempts + 1,
                    not_before=retry_at,
                )
                copy.reply, copy.at = reply, now
                copy.lease_by, copy.lease_until = "", None
            return self._is_withdrawn(copy)

    def divide(self, copy_id: str, parts: Sequence[Outgoing], *, now: datetime) -> None:
        """Give some recipients a copy of their own; see the port."""
        with self._open():
            copy = self._copies[copy_id]
            leaving = {a for part in parts for a in part.envelope.rcpt_tos}
            envelope = copy.outgoing.envelope
            staying = tuple(
                recipient
                for recipient in envelope.recipients
                if recipient.address not in leaving
            )
            copy.outgoing = replace(
                copy.outgoing, envelope=replace(envelope, recipients=staying)
            )
            self._queue(parts, now)

    def unreported(
        self, *, now: datetime, interval: timedelta
    ) -> Sequence[Sequence[Failure]]:
        """Failures nobody was told of; see the port."""
        with self._open():
            groups: dict[str, list[Failure]] = {}
            for copy in self._copies.values():
                if copy.outgoing.state is CopyState.FAILED and not copy.is_reported:
                    failure = _failure_of(copy)
                    key = failure.hold_id or failure.copy_id
                    groups.setdefault(key, []).append(failure)
            return [
                group
                for key, group in groups.items()
                if not self._was_reported(key, now - interval)
            ]

    def report(
        self, copy_ids: Sequence[str], dsn: Outgoing | None, *, now: datetime
    ) -> None:
        """Mark failures as reported; see the port."""
        with self._open():
            for copy_id in copy_ids:
                copy = self._copies[copy_id]
                copy.is_reported = True
                if copy.outgoing.hold_id is not None:
                    self._holds[copy.outgoing.hold_id].reported_at = now
            self._queue([dsn] if dsn else [], now)

    def outgoing(self) -> list[Outgoing]:
        """Everything that was ever queued, in that order, for assertions."""
        return [copy.outgoing for copy in self._copies.values()]

    def reply(self, copy_id: str) -> str:
        """What the next hop last said to one copy, for assertions."""
        return self._copies[copy_id].reply

    def _open(self) -> threading.Lock:
        if self.is_away:
            raise TransientError("The spool is away.")
        return self._lock

    def _kept(self, hold_id: str) -> _HeldMail:
        if hold_id not in self._holds:
            raise NoSuchHold(hold_id=hold_id)
        return self._holds[hold_id]

    def _has_content(self, hold: Hold) -> bool:
        return hold.state is HoldState.HELD or any(
            copy.outgoing.state in WAITING
            for copy in self._copies.values()
            if copy.outgoing.hold_id == hold.id
        )

    def _tell(self, new: NewHold) -> None:
        """Queue the notice, anew where all of its mailing had been decided."""
        if new.notice is None:
            return
        told = self._copies.get(new.notice.id)
        others = [
            kept
            for kept in self._holds.values()
            if kept.hold.mailing_id == new.mailing_id
            and kept.hold.state is HoldState.HELD
        ]
        is_over = told is not None and not COPY_TRANSITIONS[told.outgoing.state]
        if is_over and len(others) == 1:
            del self._copies[new.notice.id]
        self._queue([new.notice], new.received_at)

    def _can(self, hold: Hold, event: HoldEvent, now: datetime) -> bool:
        """Take back, or send now, what still waits; False where nothing does."""
        if hold.state is HoldState.HELD:
            return True
        waiting = [
            copy
            for copy in self._copies.values()
            if copy.outgoing.hold_id == hold.id and copy.outgoing.state in WAITING
        ]
        if event is HoldEvent.SEND_NOW:
            waiting = [copy for copy in waiting if not _was_begun(copy, now)]
        for copy in waiting:
            if event is HoldEvent.SEND_NOW:
                copy.outgoing = replace(copy.outgoing, not_before=now)
            elif copy.lease_until is None or copy.lease_until <= now:
                lost = CopyEvent.UNANSWERED if copy.lease_by else CopyEvent.TAKEN_BACK
                _end(copy, lost)
        return bool(waiting)

    def _is_withdrawn(self, copy: _Copy) -> bool:
        kept = self._holds.get(copy.outgoing.hold_id or "")
        return kept is not None and kept.hold.state is HoldState.WITHDRAWN

    def _doubt(self, copy: _Copy) -> bool:
        """Whether its worker died, and its mail was withdrawn meanwhile."""
        is_withdrawn = self._is_withdrawn(copy)
        if is_withdrawn:
            _end(copy, CopyEvent.UNANSWERED)
        return is_withdrawn

    def _queue(self, outgoing: Sequence[Outgoing], now: datetime) -> None:
        for each in outgoing:
            self._copies.setdefault(each.id, _Copy(each, now))

    def _was_reported(self, key: str, since: datetime) -> bool:
        kept = self._holds.get(key)
        at = kept.reported_at if kept else None
        return at is not None and at > since


def _hold_of(hold_id: str, new: NewHold) -> Hold:
    return Hold(
        id=hold_id,
        mailing_id=new.mailing_id,
        reservation_id=new.reservation_id,
        state=HoldState.HELD,
        envelope=new.mail.envelope,
        findings=new.findings,
        people=new.people,
        disclosures=new.disclosures,
        viewers=new.viewers,
        singly_refused=new.singly_refused,
        received_at=new.received_at,
        expires_at=new.expires_at,
        escalations=0,
        size=len(new.mail.content),
        is_ownerless=new.is_ownerless,
    )


def _is_due(hold: Hold, now: datetime, escalate_after: Sequence[timedelta]) -> bool:
    has_sender = hold.envelope.mail_from is not None and not hold.is_ownerless
    if has_sender and now >= hold.expires_at:
        return True
    next_at = escalate_after[hold.escalations : hold.escalations + 1]
    return any(now >= hold.received_at + after for after in next_at)


def _end(copy: _Copy, event: CopyEvent) -> None:
    state = COPY_TRANSITIONS[copy.outgoing.state][event]
    copy.outgoing = replace(copy.outgoing, state=state)


def _was_begun(copy: _Copy, now: datetime) -> bool:
    waits_until = copy.outgoing.not_before
    return bool(copy.outgoing.attempts or waits_until is None or waits_until <= now)


def _is_free(copy: _Copy, now: datetime) -> bool:
    return (
        copy.outgoing.state in WAITING
        and (copy.outgoing.not_before is None or copy.outgoing.not_before <= now)
        and (copy.lease_until is None or copy.lease_until <= now)
    )


def _failure_of(copy: _Copy) -> Failure:
    outgoing = copy.outgoing
    return Failure(
        outgoing.id, outgoing.hold_id, outgoing.envelope, copy.reply, copy.at
    )
