# SPDX-License-Identifier: Apache-2.0
"""Grouping what was found: small batches of one sender are one mailing.

Sender, similarity and window are those of the guard (``core.mailing``); only the
time is the message's own, since an archive knows no other.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from undisclosed.core.address import Address
from undisclosed.core.judge import judge
from undisclosed.core.known import Known, MailingSoFar
from undisclosed.core.mailing import SIMILARITY, similarity
from undisclosed.core.policy import Policy
from undisclosed.core.verdict import SEVERITY, Action, Finding
from undisclosed.scan.message import Glance

_UNDATED = datetime.min.replace(tzinfo=UTC)
_COMPARED = 8
"""The latest messages of a mailing with which a new one is compared."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """Messages judged as one, in the order of their dates.

    ``people`` are the distinct outsiders newly shown (the union), ``disclosures``
    the sum over its messages; copies of one message count once. ``findings`` are
    the strongest of each rule.
    """

    number: int
    messages: tuple[Glance, ...]
    people: frozenset[Address] = field(repr=False)
    disclosures: int
    action: Action
    findings: tuple[Finding, ...]

    @property
    def author(self) -> Address | None:
        """Who sent it, by its first message."""
        return self.messages[0].author

    @property
    def subject(self) -> str:
        """The subject of its first message."""
        return self.messages[0].subject

    @property
    def first_at(self) -> datetime | None:
        """When its first dated message was sent."""
        return min((one.sent_at for one in self.messages if one.sent_at), default=None)

    @property
    def last_at(self) -> datetime | None:
        """When its last dated message was sent."""
        return max((one.sent_at for one in self.messages if one.sent_at), default=None)


@dataclass(slots=True)
class _Gathering:
    """A mailing while its messages are put together."""

    messages: list[Glance] = field(default_factory=list)
    people: set[Address] = field(default_factory=set)
    disclosures: int = 0
    copies: set[bytes] = field(default_factory=set)

    def takes(self, glance: Glance, policy: Policy) -> bool:
        """Whether a message is near-identical to one inside the window."""
        if glance.trace is None:
            return False
        for earlier in reversed(self.messages[-_COMPARED:]):
            if _at(glance) - _at(earlier) > policy.mailing_window:
                return False
            if earlier.trace is None:
                continue
            alike = similarity(earlier.trace.sketch, glance.trace.sketch)
            if alike >= SIMILARITY:
                return True
        return False

    def add(self, glance: Glance, policy: Policy) -> None:
        """Count a message and judge it again with what is known by now."""
        if glance.same_as not in self.copies:
            self.copies.add(glance.same_as)
            self.people |= glance.people
            self.disclosures += glance.new_disclosures
        so_far = MailingSoFar(
            "", len(self.people), self.disclosures, len(self.messages) + 1
        )
        if glance.reading is not None and self.messages:
            reading = replace(glance.reading, lists=policy.lists)
            verdict = judge(reading, Known(mailing=so_far), policy)
            glance = replace(glance, verdict=verdict)
        self.messages.append(replace(glance, reading=None))


def mailings_of(glances: Iterable[Glance], policy: Policy) -> tuple[Mailing, ...]:
    """Every mailing in which a rule objected to a message, oldest first."""
    gathered = _gather(glances, policy)
    found = [one for one in gathered if any(glance.is_found for glance in one.messages)]
    found.sort(key=lambda one: _at(one.messages[0]))
    return tuple(_mailing(number, one) for number, one in enumerate(found, 1))


def _gather(glances: Iterable[Glance], policy: Policy) -> Iterator[_Gathering]:
    """Put every message into the mailing that it belongs to, in order of time."""
    open_of: defaultdict[str, list[_Gathering]] = defaultdict(list)
    for glance in sorted(glances, key=_at):
        sender = glance.trace.sender if glance.trace is not None else ""
        still_open = []
        home: _Gathering | None = None
        for one in open_of[sender]:
            if _at(glance) - _at(one.messages[-1]) > policy.mailing_window:
                yield one
                continue
            still_open.append(one)
            if home is None and one.takes(glance, policy):
                home = one
        open_of[sender] = still_open
        if home is None:
            home = _Gathering()
            if glance.trace is not None:
                still_open.append(home)
        home.add(glance, policy)
        if glance.trace is None:
            yield home
    for remaining in open_of.values():
        yield from remaining


def _mailing(number: int, gathered: _Gathering) -> Mailing:
    findings = _strongest_of_each(gathered.messages)
    return Mailing(
        number=number,
        messages=tuple(gathered.messages),
        people=frozenset(gathered.people),
        disclosures=gathered.disclosures,
        action=max(
            (one.action for one in findings), key=SEVERITY.index, default=Action.ACCEPT
        ),
        findings=findings,
    )


def _strongest_of_each(messages: Sequence[Glance]) -> tuple[Finding, ...]:
    """Of each rule the finding that names the most people."""
    best: dict[str, Finding] = {}
    for finding in (one for glance in messages for one in glance.verdict.findings):
        if finding.rule not in best or finding.people > best[finding.rule].people:
            best[finding.rule] = finding
    return tuple(best.values())


def _at(glance: Glance) -> datetime:
    return glance.sent_at or _UNDATED
