# SPDX-License-Identifier: Apache-2.0
"""What people decide about held mail: send singly, withdraw, release unchanged.

Who may is checked here, whatever a page has checked before. Everything can be
clicked twice: a decided hold stays as it was decided, and the second click is
told so. What was decided waits for its undo window (``undo``): until then, and as
long as copies wait, it can be withdrawn. Calls block, as the spool and Memory do.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.documents import Reader
from undisclosed.core.held import (
    HOLD_TRANSITIONS,
    Hold,
    HoldDecided,
    HoldEvent,
    HoldState,
    Outgoing,
    OutgoingKind,
    WaveState,
)
from undisclosed.core.mail import Mail
from undisclosed.core.policy import Policy
from undisclosed.core.private import Edit, Patch
from undisclosed.core.reading import Content, read_content
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.guard.copies import (
    CannotSendSingly,
    HeldContent,
    copies_of,
    report_of,
)
from undisclosed.guard.links import Link
from undisclosed.guard.notices import person_ref, without_others
from undisclosed.guard.ports import KeyedId, Memory, Spool
from undisclosed.guard.schedule import KEEP_TRYING

GUARD = "guard"
"""How the guard itself stands in the journal."""

APPROVERS = frozenset({"supervisor", "manager"})
"""The roles whose holders may release the mail of others."""
AT_ONCE = timedelta(0)
"""No undo window."""
ALONE = timedelta(hours=1)
"""For how long the release of the only approver waits before it takes effect."""

WAVE_OF = {
    HoldState.HELD: WaveState.HELD,
    HoldState.ACCEPTED: WaveState.HELD,  # shown when it leaves: the worker says so
    HoldState.SPLIT: WaveState.CANCELLED,
    HoldState.RELEASED: WaveState.SHOWN,
    HoldState.WITHDRAWN: WaveState.CANCELLED,
    HoldState.RETURNED: WaveState.CANCELLED,
}
"""What Memory is told of a hold: was anybody shown to anybody?"""


class NotYours(UndisclosedError):
    """Only the sender, or somebody who approves for others, can decide this."""


class OwnMail(UndisclosedError):
    """Nobody releases their own mail: another approver has to."""


class NotAnApprover(UndisclosedError):
    """Only an approver can release a held mail unchanged."""


class ReasonMissing(UndisclosedError):
    """A release needs a reason."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who decides, as values. ``name`` goes into the journal and is no address.

    ``addresses`` are the actor's verified ones, shared mailboxes included; ``roles``
    the values of their roles. ``is_only_approver``: nobody else could approve.
    ``link`` is a notice's link that the actor opened.
    """

    name: str
    addresses: frozenset[Address] = field(default=frozenset(), repr=False)
    roles: frozenset[str] = frozenset()
    is_only_approver: bool = False
    link: Link | None = field(default=None, repr=False)

    @property
    def is_approver(self) -> bool:
        """Whether one of the roles approves."""
        return not APPROVERS.isdisjoint(self.roles)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a decision came to. ``is_new`` is False for a second click.

    ``copies`` counts what was queued now; ``effective_at`` is when it may leave.
    """

    hold_id: str
    state: HoldState
    is_new: bool
    copies: int = 0
    effective_at: datetime | None = None


def send_singly(  # noqa: PLR0913 (copies wait, and documents are read)
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    name: KeyedId,
    undo: timedelta = AT_ONCE,
    reader: Reader | None = None,
) -> Outcome:
    """Queue one private copy per outsider and one for the insiders together.

    Raises NotYours, and CannotSendSingly where a copy would not be accepted; then
    nothing has changed.
    """
    hold = spool.get(hold_id)
    if hold.state is not HoldState.HELD:
        return _decided(hold)
    held = _read(spool, hold, policy, reader)
    if not (by.is_approver or is_owner(by, hold, held.reading.content, name)):
        raise NotYours
    copies = copies_of(held, policy, name, now + undo)
    _hide(memory, held, now)
    return _split(spool, memory, hold, copies, by.name, now)


def split(
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    now: datetime,
    *,
    name: KeyedId,
    undo: timedelta = AT_ONCE,
    reader: Reader | None = None,
) -> Outcome:
    """Send singly because a rule asks for it: nobody has to click.

    Raises CannotSendSingly; then the mail stays held for people to decide.
    """
    hold = spool.get(hold_id)
    if hold.state is not HoldState.HELD:
        return _decided(hold)
    held = _read(spool, hold, policy, reader)
    copies = copies_of(held, policy, name, now + undo)
    _hide(memory, held, now)
    return _split(spool, memory, hold, copies, GUARD, now)


def accept(
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    now: datetime,
    *,
    name: KeyedId,
    undo: timedelta = AT_ONCE,
) -> Outcome:
    """Let a mail that no rule objects to go after its undo window, as it is.

    Fields that must never travel are cut as on every accepted mail.
    """
    hold = spool.get(hold_id)
    if hold.state is not HoldState.HELD:
        return _decided(hold)
    content = _content_of(spool, hold, policy)
    copy = _unchanged(hold, content, name, now + undo)
    return _decide(spool, memory, hold, HoldEvent.ACCEPT, (copy,), GUARD, "", now)


def return_cut(
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    now: datetime,
    *,
    name: KeyedId,
    reader: Reader | None = None,
) -> Outcome:
    """Let a report go with what it returns cut down to what its recipient wrote.

    The cut report is read again and judged. Raises CannotSendSingly where it would
    not be accepted, is no report, or goes to several: then it stays with the desk.
    """
    hold = spool.get(hold_id)
    if hold.state is not HoldState.HELD:
        return _decided(hold)
    copy = report_of(hold, spool.content(hold_id), policy, name, now, reader)
    return _decide(spool, memory, hold, HoldEvent.SEND_SINGLY, (copy,), GUARD, "", now)


def send_now(
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    name: KeyedId,
) -> Outcome:
    """End a mail's undo window: what waits for it may leave.

    Raises NotYours. The hour of an only approver is no undo window.
    """
    return _of_waiting(
        spool, memory, hold_id, policy, by, now, event=HoldEvent.SEND_NOW, name=name
    )


def withdraw(
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    name: KeyedId,
) -> Outcome:
    """Take a mail back: nothing of it leaves any more.

    Of held mail, and in its undo window, nothing has left; later the states of its
    copies say which have. Its sender may; a mail without a sender belongs to the
    desk, and an approver may. Raises NotYours.
    """
    return _of_waiting(
        spool, memory, hold_id, policy, by, now, event=HoldEvent.WITHDRAW, name=name
    )


def _of_waiting(
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    event: HoldEvent,
    name: KeyedId,
) -> Outcome:
    """What an owner may do as long as anything waits."""
    hold = spool.get(hold_id)
    if event not in HOLD_TRANSITIONS[hold.state]:
        return _decided(hold)
    is_ours = hold.envelope.mail_from is None and by.is_approver
    if not (is_ours or is_owner(by, hold, _content_of(spool, hold, policy), name)):
        raise NotYours
    return _decide(spool, memory, hold, event, (), by.name, "", now)


def release(  # noqa: PLR0913 (a release has a reason and a time, too)
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    reason: str,
    name: KeyedId,
    delayed_until: datetime | None = None,
) -> Outcome:
    """Let a held mail go as it is, by an approver's decision, with a reason.

    Fields that must never travel (Bcc left in) are cut as on every accepted mail. The
    reason goes into the journal without any address that it names.
    The only approver of an organisation approves by waiting: the release takes effect
    after an hour, their own mail included, and is journalled as such. Raises
    NotAnApprover, OwnMail and ReasonMissing.
    """
    hold = spool.get(hold_id)
    if hold.state is not HoldState.HELD:
        return _decided(hold)
    if not by.is_approver:
        raise NotAnApprover
    reason = without_others(reason)
    if not reason:
        raise ReasonMissing
    content = _content_of(spool, hold, policy)
    if by.is_only_approver:
        delayed_until = max(delayed_until or now, now + ALONE)
        reason = f"{reason} (the only approver, after a wait)"
    elif is_owner(by, hold, content, name):
        raise OwnMail
    copy = _unchanged(hold, content, name, max(delayed_until or now, now))
    return _decide(
        spool, memory, hold, HoldEvent.RELEASE, (copy,), by.name, reason, now
    )


def send_mailing_singly(  # noqa: PLR0913 (copies wait, and documents are read)
    spool: Spool,
    memory: Memory,
    mailing_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    name: KeyedId,
    undo: timedelta = AT_ONCE,
    reader: Reader | None = None,
) -> tuple[Outcome, ...]:
    """Send every held mail of a mailing singly: all of them, or none.

    Every copy of every mail is made and judged before the first one is queued.
    Raises NotYours and CannotSendSingly.
    """
    prepared = []
    for hold in spool.of_mailing(mailing_id):
        if hold.state is HoldState.HELD:
            held = _read(spool, hold, policy, reader)
            if not (by.is_approver or is_owner(by, hold, held.reading.content, name)):
                raise NotYours
            prepared.append((hold, copies_of(held, policy, name, now + undo)))
            _hide(memory, held, now)
    return tuple(
        _split(spool, memory, hold, copies, by.name, now) for hold, copies in prepared
    )


def withdraw_mailing(
    spool: Spool,
    memory: Memory,
    mailing_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    name: KeyedId,
) -> tuple[Outcome, ...]:
    """Withdraw what is held of a mailing, and what still waits to leave.

    Raises NotYours at the first other.
    """
    return tuple(
        withdraw(spool, memory, hold.id, policy, by, now, name=name)
        for hold in spool.of_mailing(mailing_id)
        if HoldEvent.WITHDRAW in HOLD_TRANSITIONS[hold.state]
    )


def send_mailing_now(
    spool: Spool,
    memory: Memory,
    mailing_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    name: KeyedId,
) -> tuple[Outcome, ...]:
    """End the undo window of every mail of a mailing. Raises NotYours."""
    return tuple(
        send_now(spool, memory, hold.id, policy, by, now, name=name)
        for hold in spool.of_mailing(mailing_id)
        if HoldEvent.SEND_NOW in HOLD_TRANSITIONS[hold.state]
    )


def release_mailing(
    spool: Spool,
    memory: Memory,
    mailing_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    reason: str,
    name: KeyedId,
) -> tuple[Outcome, ...]:
    """Release every held mail of a mailing unchanged. Raises as ``release`` does."""
    return tuple(
        release(spool, memory, hold.id, policy, by, now, reason=reason, name=name)
        for hold in _held(spool, mailing_id)
    )


def is_owner(by: Actor, hold: Hold, content: Content | None, name: KeyedId) -> bool:
    """Whether the mail is the actor's own: by envelope, From, Sender or link.

    A shared mailbox belongs to everybody who has it among their addresses. Of a mail
    that cannot be read (None) the envelope alone counts.
    """
    sender = hold.envelope.mail_from
    owners = {sender, *((content.author, content.sender) if content else ())}
    if not owners.isdisjoint(by.addresses):
        return True
    return (
        by.link is not None
        and sender is not None
        and by.link.mailing_id == hold.mailing_id
        and by.link.person_ref == person_ref(name, sender)
    )


def settle_as_held(memory: Memory, hold: Hold) -> None:
    """Tell Memory what the hold's state means for its wave."""
    _settle(memory, hold.reservation_id, WAVE_OF[hold.state])


def settle_as_shown(memory: Memory, hold: Hold) -> None:
    """Tell Memory that a mail has left as it was written."""
    _settle(memory, hold.reservation_id, WaveState.SHOWN)


def _settle(memory: Memory, reservation_id: str | None, state: WaveState) -> None:
    """Where Memory is away the wave goes on counting as shown: that holds more, never
    less, so the decision stands without it.
    """
    if reservation_id is None:
        return
    try:
        memory.settle(reservation_id, state)
    except TransientError:
        return


def _held(spool: Spool, mailing_id: str) -> list[Hold]:
    holds = spool.of_mailing(mailing_id)
    return [hold for hold in holds if hold.state is HoldState.HELD]


def _read(
    spool: Spool, hold: Hold, policy: Policy, reader: Reader | None
) -> HeldContent:
    mail = Mail(hold.envelope, spool.content(hold.id))
    try:
        reading = read(mail, policy, reader=reader)
    except Exception:
        # The mail that broke the judge breaks this, too; nothing of it is quoted.
        raise CannotSendSingly("This mail could not be read.") from None
    return HeldContent(hold.id, mail, reading)


def _content_of(spool: Spool, hold: Hold, policy: Policy) -> Content | None:
    """The held mail as it is read; None where reading breaks: people decide it yet.

    None, too, where nothing waits any more, and its content is gone.
    """
    try:
        return read_content(spool.content(hold.id), policy)
    except TransientError:
        raise
    except Exception:
        return None


def _unchanged(
    hold: Hold, content: Content | None, name: KeyedId, not_before: datetime
) -> Outgoing:
    removals = content.removals if content else ()
    patch = Patch(tuple(Edit(removal.start, removal.end) for removal in removals))
    identifier = name(hold.id, OutgoingKind.RELEASE.value)
    return Outgoing(
        identifier,
        hold.id,
        OutgoingKind.RELEASE,
        hold.envelope,
        patch,
        not_before=not_before,
        expires_at=not_before + KEEP_TRYING,
    )


def _split(
    spool: Spool,
    memory: Memory,
    hold: Hold,
    copies: tuple[Outgoing, ...],
    by: str,
    now: datetime,
) -> Outcome:
    event = HoldEvent.SEND_SINGLY
    return _decide(spool, memory, hold, event, copies, by, "", now)


def _hide(memory: Memory, held: HeldContent, now: datetime) -> None:
    """Who gets copies of their own is hidden from the others from now on.

    Before the first copy is queued: none leaves that Memory does not know of.
    """
    reading = held.reading
    memory.hide(reading.outside_viewers, is_sensitive=reading.is_sensitive, now=now)


def _decide(
    spool: Spool,
    memory: Memory,
    hold: Hold,
    event: HoldEvent,
    outgoing: tuple[Outgoing, ...],
    by: str,
    reason: str,
    now: datetime,
) -> Outcome:
    try:
        state = spool.decide(hold.id, event, outgoing, by=by, reason=reason, now=now)
    except HoldDecided:
        return _decided(spool.get(hold.id))
    effective_at = max((copy.not_before or now for copy in outgoing), default=now)
    # What waits to leave as it was written is shown when it leaves.
    if not (state is HoldState.RELEASED and effective_at > now):
        settle_as_held(memory, spool.get(hold.id))
    return Outcome(hold.id, state, True, len(outgoing), effective_at)


def _decided(hold: Hold) -> Outcome:
    return Outcome(hold.id, hold.state, False)
