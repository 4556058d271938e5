# SPDX-License-Identifier: Apache-2.0
"""What is known beyond the mail itself, as values (design: Known).

Memory keeps keyed hashes only. It is asked with addresses and answers with
counts and with those of the asked addresses that it knows.
"""

from dataclasses import dataclass, field
from enum import Enum, StrEnum

from undisclosed.core.address import Address

People = frozenset[Address]


class AudienceKind(StrEnum):
    """Why some people are remembered together: they know one another, or must not."""

    CIRCLE = "circle"
    THREAD = "thread"
    HIDDEN = "hidden"


class Clearance(Enum):
    """A choice that was made before this mail came, for exactly this mail.

    It says what is done instead of a hold; the judging is not skipped by it.
    """

    SEND_SINGLY = "send singly"  # its sender's choice
    RELEASE = "release"  # an approver's decision


@dataclass(frozen=True, slots=True)
class MailingSoFar:
    """The mailing that this mail belongs to, this mail included.

    ``people`` is the number of distinct outsiders newly shown over all its mail
    (the union), ``disclosures`` the sum over its mail, ``waves`` how many mails.
    """

    id: str
    people: int
    disclosures: int
    waves: int


_FEWEST_OF_AUDIENCE = 3
_FEWEST_OF_SENSITIVE_AUDIENCE = 2


def fewest_of_audience(is_sensitive: bool) -> int:
    """How many of one hidden audience may not be shown together (design, section 1)."""
    return _FEWEST_OF_SENSITIVE_AUDIENCE if is_sensitive else _FEWEST_OF_AUDIENCE


@dataclass(frozen=True, slots=True)
class HiddenAudience:
    """Those of the asked people who stand in one hidden audience together."""

    people: People = field(repr=False)
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beyond the mail itself. Nothing at all by default.

    ``recalled``: a mail in Memory of the same sender has the subject that this
    recall names and shares its audience. ``circles`` and ``threads`` are groups of
    the asked people who know one another: declared by an approver, or shown together
    before. ``joined`` is how many people our own mail brought into the threads that
    this mail goes on with, over their whole life, those that it brings itself not
    counted. ``hidden`` are the hidden audiences that two or more of them stand in.
    ``is_controlled``: the author is under visible-mail control. ``clearance`` is what
    was decided about this very mail before it came.

    What overrides what: sensitive list > circle > hidden audience > thread > default.
    """

    mailing: MailingSoFar | None = None
    recalled: bool = False
    circles: tuple[People, ...] = field(default=(), repr=False)
    threads: tuple[People, ...] = field(default=(), repr=False)
    joined: int = 0
    hidden: tuple[HiddenAudience, ...] = field(default=(), repr=False)
    is_controlled: bool = False
    clearance: Clearance | None = None


NOTHING_KNOWN = Known()
