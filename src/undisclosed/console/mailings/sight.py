# SPDX-License-Identifier: Apache-2.0
"""One mailing as its page shows it: sentences, bars and numbers, masked.

Made of what ``store.desk`` reads; nothing here asks the database.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from undisclosed.console.mailings.outcome import (
    Teller,
    each_would_see,
    is_leaving,
    outcome_of,
)
from undisclosed.console.picture import Part, Piece, pieces
from undisclosed.console.templatetags.console import count
from undisclosed.core.held import CopyState, HoldState
from undisclosed.core.rules.hidden_audience import HiddenAudience
from undisclosed.core.rules.shown_outsiders import ShownOutsiders
from undisclosed.core.verdict import Finding
from undisclosed.store.desk import Batch, MailingView

MAX_BARS: Final = 40
"""More bars than these nobody compares by eye."""

KIND_OF: Final = {
    HoldState.HELD: "seen",
    HoldState.ACCEPTED: "rest",
    HoldState.SPLIT: "safe",
    HoldState.RELEASED: "seen",
    HoldState.WITHDRAWN: "rest",
    HoldState.RETURNED: "rest",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """One mail of the picture."""

    name: str
    sentence: str
    people: int
    others: int
    disclosures: int
    state: HoldState
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """One finding, and how many of the mailing's mails it was made in."""

    text: str
    rule: str
    mails: int


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that the page of one mailing says about it."""

    mailing_id: str
    state: HoldState
    subject: str = field(repr=False)
    sender: str
    sender_hash: bytes | None = field(repr=False)
    first_at: datetime
    people: int
    disclosures: int
    mails: int
    passed: int
    held: int
    held_viewers: int
    singly_refused: str | None
    outcome: tuple[str, ...]
    whys: tuple[Why, ...]
    bars: tuple[Bar, ...]
    undrawn: int
    copies: Mapping[CopyState, int]
    leaves_at: datetime | None = None
    is_leaving: bool = False

    @property
    def is_held(self) -> bool:
        """Whether anything is still to be decided."""
        return self.held > 0

    @property
    def nobody_saw(self) -> bool:
        """Whether all of it is decided and nothing left as it was written."""
        states = {bar.state for bar in self.bars}
        as_written = {HoldState.RELEASED, HoldState.ACCEPTED}
        return not self.passed and not self.is_held and not states & as_written

    @property
    def key(self) -> tuple[tuple[str, str], ...]:
        """What the colours of the picture mean, for those that are in it."""
        states = {bar.state for bar in self.bars}
        meanings = (
            ("seen", {HoldState.HELD}, _("would see others' addresses")),
            ("seen", {HoldState.RELEASED}, _("released: others' addresses seen")),
            ("safe", {HoldState.SPLIT}, _("would have seen; singly instead")),
            ("rest", set(HoldState), _("would not")),
        )
        return tuple((kind, text) for kind, of, text in meanings if states & of)


def sight_of(
    view: MailingView,
    *,
    name_of: Callable[[str], str],
    observed: int = 0,
    reader_is_sender: bool = False,
    tells_rules: bool = False,
) -> Sight:
    """What is shown of a mailing; ``name_of`` tells who stands behind a decision.

    ``observed`` is how many of its mails passed only because the guard was observing;
    ``reader_is_sender`` says "you" of whom the mail goes back to. Without
    ``tells_rules`` it is not told that Memory knows the people: a sender could learn
    from it who stands on a list.
    """
    teller = Teller(name_of, observed, reader_is_sender)
    held = [batch for batch in view.batches if batch.state is HoldState.HELD]
    refused = (batch.singly_refused for batch in held if batch.singly_refused)
    return Sight(
        mailing_id=view.mailing_id,
        state=view.state,
        subject=view.subject,
        sender=str(view.sender) if view.sender else _("a program without an address"),
        sender_hash=view.sender_hash,
        first_at=view.first_at,
        people=view.people,
        disclosures=view.disclosures,
        mails=view.waves,
        passed=max(view.waves - len(view.batches), 0),
        held=len(held),
        held_viewers=sum(batch.viewers for batch in held),
        singly_refused=next(refused, None),
        outcome=tuple(outcome_of(view, held, teller)),
        whys=_whys(view.batches, tells_rules),
        bars=_bars(view),
        undrawn=max(len(view.batches) - MAX_BARS, 0),
        copies=view.copies,
        leaves_at=view.leaves_at,
        is_leaving=is_leaving(view),
    )


def _whys(batches: Sequence[Batch], tells_rules: bool) -> tuple[Why, ...]:
    """The widest finding of each rule, and how many mails it was made in."""
    found: dict[str, list[Finding]] = {}
    for batch in batches:
        for finding in batch.findings:
            rule = finding.rule
            if rule == HiddenAudience.name and not tells_rules:
                rule = ShownOutsiders.name
            found.setdefault(rule, []).append(finding)
    return tuple(
        Why(max(every, key=lambda finding: finding.people).text, rule, len(every))
        for rule, every in found.items()
    )


def _bars(view: MailingView) -> tuple[Bar, ...]:
    """One bar for each mail: side by side where nobody is in two of them."""
    drawn = view.batches[:MAX_BARS]
    seeing = [batch.viewers if batch.disclosures else 0 for batch in drawn]
    whole = max(view.people, *seeing, 1)
    side_by_side = sum(seeing) <= whole
    bars, before = [], 0
    for number, (batch, seen) in enumerate(zip(drawn, seeing, strict=True), start=1):
        start = before if side_by_side else 0
        parts = (Part(start, "rest"), Part(seen, KIND_OF[batch.state]))
        bars.append(
            Bar(
                name=_("Mail %(number)s") % {"number": number},
                sentence=_bar_sentence(batch, seen),
                people=seen,
                others=whole - seen,
                disclosures=batch.disclosures,
                state=batch.state,
                pieces=pieces(parts, whole=whole),
            )
        )
        before += seen
    return tuple(bars)


def _bar_sentence(batch: Batch, seen: int) -> str:
    """What a bar says to somebody who does not see it."""
    if batch.state is HoldState.HELD:
        return ngettext(
            "%(seen)s person would see up to %(others)s others",
            "%(seen)s people would see up to %(others)s others each",
            seen,
        ) % {"seen": count(seen), "others": count(each_would_see(batch))}
    return ngettext(
        "%(seen)s person would have seen up to %(others)s others",
        "%(seen)s people would have seen up to %(others)s others each",
        seen,
    ) % {"seen": count(seen), "others": count(each_would_see(batch))}
