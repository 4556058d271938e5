# SPDX-License-Identifier: Apache-2.0
"""What people decide about held mail: send singly, withdraw, release unchanged.

Who may is checked here, whatever a page has checked before. Everything can be
clicked twice: a decided hold stays as it was decided, and the second click is
told so. Calls block, as the spool and Memory do.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.held import (
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
from undisclosed.guard.copies import CannotSendSingly, HeldContent, copies_of
from undisclosed.guard.links import Link
from undisclosed.guard.notices import person_ref, without_others
from undisclosed.guard.ports import KeyedId, Memory, Spool
from undisclosed.guard.schedule import KEEP_TRYING

APPROVERS = frozenset({"supervisor", "manager"})
"""The roles whose holders may release the mail of others."""
ALONE = timedelta(hours=1)
"""For how long the release of the only approver waits before it takes effect."""

WAVE_OF = {
    HoldState.HELD: WaveState.HELD,
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


def send_singly(
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    name: KeyedId,
) -> Outcome:
    """Queue one private copy per outsider and one for the insiders together.

    Raises NotYours, and CannotSendSingly where a copy would not be accepted; then
    nothing has changed.
    """
    hold = spool.get(hold_id)
    if hold.state is not HoldState.HELD:
        return _decided(hold)
    held = _read(spool, hold, policy)
    if not (by.is_approver or is_owner(by, hold, held.reading.content, name)):
        raise NotYours
    return _split(spool, memory, hold, copies_of(held, policy, name, now), by.name, now)


def split(
    spool: Spool,
    memory: Memory,
    hold_id: str,
    policy: Policy,
    now: datetime,
    *,
    name: KeyedId,
) -> Outcome:
    """Send singly because a rule asks for it: nobody has to click.

    Raises CannotSendSingly; then the mail stays held for people to decide.
    """
    hold = spool.get(hold_id)
    if hold.state is not HoldState.HELD:
        return _decided(hold)
    copies = copies_of(_read(spool, hold, policy), policy, name, now)
    return _split(spool, memory, hold, copies, "guard", now)


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
    """Take a held mail back: nothing of it leaves.

    Its sender may; a mail without a sender belongs to the desk, and an approver may.
    Raises NotYours.
    """
    hold = spool.get(hold_id)
    if hold.state is not HoldState.HELD:
        return _decided(hold)
    is_ours = hold.envelope.mail_from is None and by.is_approver
    if not (is_ours or is_owner(by, hold, _content_of(spool, hold, policy), name)):
        raise NotYours
    return _decide(spool, memory, hold, HoldEvent.WITHDRAW, (), by.name, "", now)


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


def send_mailing_singly(
    spool: Spool,
    memory: Memory,
    mailing_id: str,
    policy: Policy,
    by: Actor,
    now: datetime,
    *,
    name: KeyedId,
) -> tuple[Outcome, ...]:
    """Send every held mail of a mailing singly: all of them, or none.

    Every copy of every mail is made and judged before the first one is queued.
    Raises NotYours and CannotSendSingly.
    """
    prepared = []
    for hold in spool.of_mailing(mailing_id):
        if hold.state is HoldState.HELD:
            held = _read(spool, hold, policy)
            if not (by.is_approver or is_owner(by, hold, held.reading.content, name)):
                raise NotYours
            prepared.append((hold, copies_of(held, policy, name, now)))
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
    """Withdraw every held mail of a mailing. Raises NotYours at the first other."""
    return tuple(
        withdraw(spool, memory, hold.id, policy, by, now, name=name)
        for hold in _held(spool, mailing_id)
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
    """Tell Memory what the hold's state means for its wave.

    Where Memory is away the wave goes on counting as shown: that holds more, never
    less, so the decision stands without it.
    """
    if hold.reservation_id is None:
        return
    try:
        memory.settle(hold.reservation_id, WAVE_OF[hold.state])
    except TransientError:
        return


def _held(spool: Spool, mailing_id: str) -> list[Hold]:
    holds = spool.of_mailing(mailing_id)
    return [hold for hold in holds if hold.state is HoldState.HELD]


def _read(spool: Spool, hold: Hold, policy: Policy) -> HeldContent:
    mail = Mail(hold.envelope, spool.content(hold.id))
    try:
        reading = read(mail, policy)
    except Exception:
        # The mail that broke the judge breaks this, too; nothing of it is quoted.
        raise CannotSendSingly("This mail could not be read.") from None
    return HeldContent(hold.id, mail, reading)


def _content_of(spool: Spool, hold: Hold, policy: Policy) -> Content | None:
    """The held mail as it is read; None where reading breaks: people decide it yet."""
    content = spool.content(hold.id)
    try:
        return read_content(content, policy)
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
    settle_as_held(memory, spool.get(hold.id))
    effective_at = max((copy.not_before or now for copy in outgoing), default=now)
    return Outcome(hold.id, state, True, len(outgoing), effective_at)


def _decided(hold: Hold) -> Outcome:
    return Outcome(hold.id, hold.state, False)
