# SPDX-License-Identifier: Apache-2.0
"""Check size: messages that are too large to arrive, or to be read whole."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.check import Tally, messages
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "size"

LARGE = 10 * 1024 * 1024
"""Octets of a message above which many receivers refuse it."""

CUT = 102 * 1024
"""Characters of HTML above which the largest mail provider cuts a message off."""


class Size:
    """The size as it travels, and addresses that not everybody can deliver to."""

    name = NAME
    description = "Find messages larger than the next hop and common receivers take."

    def start(self, view: CampaignView) -> "_Looking":
        """Nothing is known before the first message."""
        return _Looking(view.next_hop.longest, view.next_hop.has_utf8)


@dataclass(slots=True)
class _Looking:
    longest: int | None
    has_utf8: bool | None
    refused: Tally = field(default_factory=Tally)
    large: Tally = field(default_factory=Tally)
    cut: Tally = field(default_factory=Tally)
    foreign: Tally = field(default_factory=Tally)
    octets: int = 0

    def look(self, one: Merged) -> None:
        """Measure one message."""
        if one.message is None or one.row.address is None:
            return
        size, number = len(one.message.raw), one.row.number
        self.octets += size
        if self.longest and size > self.longest:
            self.refused.add(number)
        elif size > LARGE:
            self.large.add(number)
        if len(one.message.html) > CUT:
            self.cut.add(number)
        if self.has_utf8 is False and not one.row.address.local_part.isascii():
            self.foreign.add(number)

    def findings(self) -> Iterator[CheckFinding]:
        """What does not fit."""
        for tally, weight, words in (
            (self.refused, Weight.STOP, "larger than the next hop takes"),
            (self.large, Weight.OVERRIDE, "larger than 10 MB: many would not arrive"),
            (self.cut, Weight.NOTE, "so long that Gmail cuts the end off"),
        ):
            if tally.count:
                verb = "is" if tally.count == 1 else "are"
                text = f"{messages(tally.count).capitalize()} {verb} {words}."
                yield tally.finding(NAME, weight, text)
        if self.foreign.count:
            text = (
                "The next hop cannot deliver to addresses beyond ASCII (RFC 6531): "
                f"{messages(self.foreign.count)} would fail."
            )
            yield self.foreign.finding(NAME, Weight.OVERRIDE, text)
        if self.octets > 1024**3:
            text = f"All messages together are {self.octets / 1024**3:,.1f} GB."
            yield CheckFinding(NAME, Weight.NOTE, text)
