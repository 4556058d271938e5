# SPDX-License-Identifier: Apache-2.0
"""The HTTP endpoint's part of the guard: a mail as values in, advice as values out.

Whoever asks is told what the mail itself shows, by the rules that judge all mail, and
nothing that they did not send: Memory is not asked, and the policy's lists are veiled
(``guard.veiled``). So the advice is about the mail alone; the guard, which knows more,
decides when the mail comes. Nothing is kept.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from undisclosed.core.address import Address
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.documents import Reader
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN, Clearance
from undisclosed.core.mail import Mail
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.core.verdict import Action, Finding, Verdict
from undisclosed.errors import UndisclosedError
from undisclosed.guard.bound import bound_of
from undisclosed.guard.clearance import Clearances, Issued
from undisclosed.guard.copies import why_not
from undisclosed.guard.desk import (
    Actor,
    NotAnApprover,
    NotYours,
    OwnMail,
    ReasonMissing,
)
from undisclosed.guard.notices import without_others
from undisclosed.guard.veiled import has_stand_ins, is_stand_in, veiled

GENERAL = "A list in this mail stands for people who would be shown to one another."
"""Said instead of counts where a list has a part: they would count its members."""

ALONE = "A release by the only approver waits for an hour: it needs the held mail."


class CannotClear(UndisclosedError):
    """No clearance can be made for this mail: it will be judged when it is sent."""


@dataclass(frozen=True, slots=True)
class WouldBeShown:
    """One person whom the mail shows, with the channels that do."""

    address: Address = field(repr=False)
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """What the guard would do with a mail, as far as the mail itself says.

    ``viewers`` counts who would receive it, ``people`` the outsiders newly shown,
    ``new_disclosures`` the pairs. ``singly_refused`` says why *send singly* would not
    help; None where it would.
    """

    action: Action
    viewers: int
    people: int
    new_disclosures: int
    shown: tuple[WouldBeShown, ...] = field(repr=False)
    findings: tuple[Finding, ...]
    uncertain: tuple[str, ...]
    singly_refused: str | None
    _asked: tuple[Mail, Reading] = field(repr=False)

    def is_of(self, actor: Actor) -> bool:
        """Whether the mail is the actor's own: by envelope, From or Sender."""
        mail, reading = self._asked
        content = reading.content
        owners = {mail.envelope.mail_from, content.author, content.sender}
        return not owners.isdisjoint(actor.addresses)


class HttpEndpoint:
    """Advises about mail with the policy. May be called from several threads."""

    def __init__(
        self, policy: Policy, clearances: Clearances, *, reader: Reader | None = None
    ) -> None:
        self._policy = policy
        self._clearances = clearances
        self._reader = reader

    def advise(self, mail: Mail) -> Advice:
        """Who would see whom, and what the guard would do. May block; never waits."""
        content = read_content(mail.content, self._policy, reader=self._reader)
        policy = veiled(self._policy, mail, content)
        reading = read(mail, policy, content=content)
        verdict = judge(reading, NOTHING_KNOWN, policy)
        people = reading.newly_shown | reading.newly_shown_in_text
        is_general = has_stand_ins(reading)
        return Advice(
            action=verdict.action,
            viewers=_number_of_sent(reading.viewers),
            people=_number_of_sent(people),
            new_disclosures=0 if is_general else reading.new_disclosures,
            shown=_would_be_shown(reading),
            findings=_general(verdict) if is_general else verdict.findings,
            uncertain=content.uncertain,
            singly_refused=why_not(mail, reading, policy),
            _asked=(mail, reading),
        )

    def send_singly(self, advice: Advice, by: Actor, now: datetime) -> Issued:
        """A clearance that says that the sender chose *send singly*.

        ``by`` is who asks; whoever has no addresses asks for everybody. Raises
        NotYours, and CannotClear where it would not help.
        """
        if by.addresses and not (by.is_approver or advice.is_of(by)):
            raise NotYours
        if advice.singly_refused is not None:
            raise CannotClear(advice.singly_refused)
        return self._issue(advice, Clearance.SEND_SINGLY, now)

    def release(
        self, advice: Advice, by: Actor, now: datetime, *, reason: str
    ) -> Issued:
        """A clearance that says that an approver released the mail beforehand.

        It is for exactly those whom the mail shows. The only approver releases held
        mail, after its wait, and none beforehand. Raises NotAnApprover, OwnMail,
        ReasonMissing and CannotClear.
        """
        if not by.is_approver:
            raise NotAnApprover
        if advice.is_of(by):
            raise OwnMail
        if not without_others(reason):
            raise ReasonMissing
        if by.is_only_approver:
            raise CannotClear(ALONE)
        return self._issue(advice, Clearance.RELEASE, now)

    def _issue(self, advice: Advice, kind: Clearance, now: datetime) -> Issued:
        bound = bound_of(*advice._asked)
        if bound is None:
            raise CannotClear
        return self._clearances.issue(kind, bound, now)


def _number_of_sent(people: frozenset[Address]) -> int:
    return sum(1 for one in people if not is_stand_in(one))


def _would_be_shown(reading: Reading) -> tuple[WouldBeShown, ...]:
    """Everybody whom the mail shows, as far as whoever asks has named them."""
    return tuple(
        WouldBeShown(address, tuple(dict.fromkeys(channels)))
        for address, channels in reading.content.shown.items()
        if not is_stand_in(address)
    )


def _general(verdict: Verdict) -> tuple[Finding, ...]:
    """The findings without anything that was counted."""
    return tuple(replace(one, people=0, text=GENERAL) for one in verdict.findings)
