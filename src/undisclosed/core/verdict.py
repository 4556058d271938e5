# SPDX-License-Identifier: Apache-2.0
"""What the guard decides about one mail: an action, and why."""

from dataclasses import dataclass
from enum import Enum


class Action(Enum):
    """What happens to a mail, weakest objection first."""

    ACCEPT = "accept"
    SPLIT = "split"
    HOLD = "hold"
    REJECT = "reject"


SEVERITY = (Action.ACCEPT, Action.SPLIT, Action.HOLD, Action.REJECT)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's answer: what it asks for, how many people, in one sentence.

    ``text`` is shown to senders, supervisors and on the command line. It never
    holds an address.
    """

    rule: str
    action: Action
    people: int
    text: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A header field that must not travel: its name and its place in bytes.

    ``start`` and ``end`` are offsets into the content; the field's line ends are
    included, so that cutting content[start:end] removes the field whole.
    """

    field: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The strongest objection of any rule, and the fields to be removed."""

    action: Action
    findings: tuple[Finding, ...] = ()
    removals: tuple[Removal, ...] = ()
