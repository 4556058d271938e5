# SPDX-License-Identifier: Apache-2.0
"""What leaves when a held mail is sent singly: copies, each read again and judged.

Every outsider gets a private copy in a transaction of its own (RFC 5321 §7.2);
insiders share one, from which only the fields are cut that must never travel.
A copy is a patch of the header block: the content is kept once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from undisclosed.core.address import Address
from undisclosed.core.authorship import is_ours
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.documents import Reader
from undisclosed.core.held import Hold, Outgoing, OutgoingKind
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.policy import Policy
from undisclosed.core.private import insiders_copy, private_copy, why_not_singly
from undisclosed.core.returned import cut_returned
from undisclosed.core.verdict import Action
from undisclosed.errors import UndisclosedError
from undisclosed.guard.ports import KeyedId
from undisclosed.guard.schedule import KEEP_TRYING

INSIDERS = "insiders"
ELSEWHERE = "This mail was written outside the organisation, and is never edited."
BROKEN = "The private copies of this mail could not be made."


class CannotSendSingly(UndisclosedError):
    """This mail cannot be sent singly."""


@dataclass(frozen=True, slots=True)
class HeldContent:
    """A held mail as it is read once for all its copies."""

    hold_id: str
    mail: Mail
    reading: Reading = field(repr=False)


def why_not(mail: Mail, reading: Reading, policy: Policy) -> str | None:
    """Why *send singly* is not offered, in one sentence; None where it is.

    Never raises: a mail whose copies cannot be made is not offered to be copied.
    """
    if not is_ours(reading.content.author, policy):
        return ELSEWHERE
    try:
        return why_not_singly(mail, reading, policy)
    except Exception:
        return BROKEN


def copies_of(
    held: HeldContent, policy: Policy, name: KeyedId, leaves_at: datetime
) -> tuple[Outgoing, ...]:
    """Every copy; ids are the same when they are made again.

    ``leaves_at`` is when its undo window ends. Each recipient is in exactly one of
    them. Before the first is made, each is read again as its recipient would and
    judged alone. Raises CannotSendSingly where one would not be accepted: then none
    may leave.
    """
    reason = why_not(held.mail, held.reading, policy)
    if reason is not None:
        raise CannotSendSingly(reason)
    try:
        expires_at = leaves_at + KEEP_TRYING
        return tuple(
            replace(copy, not_before=leaves_at, expires_at=expires_at)
            for copy in _copies(held, policy, name)
        )
    except Exception:
        # What breaks here is quoted to nobody: it may hold an address.
        raise CannotSendSingly(BROKEN) from None


def report_of(
    hold: Hold,
    content: bytes,
    policy: Policy,
    name: KeyedId,
    now: datetime,
    reader: Reader | None = None,
) -> Outgoing:
    """A report for its one recipient, what it returns cut to what they wrote.

    Raises CannotSendSingly where that cannot be done, or would not be enough.
    """
    people = hold.envelope.rcpt_tos
    patch = cut_returned(content, people[0]) if len(set(people)) == 1 else None
    if patch is None:
        raise CannotSendSingly("This report cannot be cut for its recipient.")
    try:
        mail = Mail(hold.envelope, patch.apply(content))
        verdict = judge(read(mail, policy, reader=reader), NOTHING_KNOWN, policy)
    except Exception:
        raise CannotSendSingly(BROKEN) from None
    if verdict.action is not Action.ACCEPT:
        raise CannotSendSingly("The report would still show other people.")
    kind = OutgoingKind.PRIVATE_COPY
    envelope = _envelope(hold.envelope, hold.envelope.recipients)
    return Outgoing(
        name(hold.id, kind.value, people[0].person),
        hold.id,
        kind,
        envelope,
        patch,
        not_before=now,
        expires_at=now + KEEP_TRYING,
    )


def _copies(held: HeldContent, policy: Policy, name: KeyedId) -> Iterator[Outgoing]:
    insiders, outsiders = _parted(held)
    content, reading, envelope = held.mail.content, held.reading, held.mail.envelope
    if insiders:
        kind = OutgoingKind.INSIDERS_COPY
        yield Outgoing(
            name(held.hold_id, kind.value, INSIDERS),
            held.hold_id,
            kind,
            _envelope(envelope, insiders),
            insiders_copy(content, reading, policy),
        )
    kind = OutgoingKind.PRIVATE_COPY
    for recipient in outsiders:
        yield Outgoing(
            name(held.hold_id, kind.value, recipient.address.person),
            held.hold_id,
            kind,
            _envelope(envelope, (recipient,)),
            private_copy(content, reading, recipient.address, policy),
        )


def _parted(held: HeldContent) -> tuple[tuple[Recipient, ...], tuple[Recipient, ...]]:
    """Insiders and outsiders among the recipients, each person once."""
    insiders: dict[Address, Recipient] = {}
    outsiders: dict[Address, Recipient] = {}
    for recipient in held.mail.envelope.recipients:
        is_outside = recipient.address in held.reading.outside_viewers
        among = outsiders if is_outside else insiders
        among.setdefault(recipient.address, recipient)
    return tuple(insiders.values()), tuple(outsiders.values())


def _envelope(envelope: Envelope, recipients: tuple[Recipient, ...]) -> Envelope:
    """The envelope of a copy: NOTIFY and ORCPT go with their recipient, RET and
    ENVID with each (RFC 3461 §4, §5.2.7); SIZE was that of another content.
    """
    kept = tuple(p for p in envelope.parameters if not p.upper().startswith("SIZE="))
    return replace(envelope, recipients=recipients, parameters=kept)
