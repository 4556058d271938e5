# SPDX-License-Identifier: Apache-2.0
"""What is written down while a message is read: people, channels, doubts, limits."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from undisclosed.core.address import Address

Channels = dict[Address, tuple[str, ...]]
"""People, each with the channels that show them, in the order of reading."""

_AT_SIGN = re.compile("@|%40")

READINGS_PER_PERSON = 2
"""At signs looked at in fields, per person that may be shown: one name may hold the
address a second time."""


@dataclass(slots=True)
class Notes:
    """Doubts and limits of one reading.

    ``most`` is how many people are read (policy: max_shown). ``own_side`` are those
    who sent the message: they are not written down.
    """

    most: int
    own_side: frozenset[Address | None] = frozenset()
    uncertain: dict[str, None] = field(default_factory=dict)
    noted: int = 0
    at_signs: int = 0

    def note(self, shown: Channels, addresses: Iterable[Address], channel: str) -> None:
        """Write down that these people are shown by this channel."""
        alone = (channel,)
        # Strings compare in C, addresses in Python, and there may be many of them.
        own_side = {one.person for one in self.own_side if one is not None}
        for address in addresses:
            if address.person in own_side:
                continue
            if self.noted >= self.most and address not in shown:
                self.stop()
                return
            before = len(shown)
            channels = shown.setdefault(address, alone)
            if len(shown) > before:
                self.noted += 1
            elif channels is not alone and channel not in channels:
                shown[address] = (*channels, channel)

    def within_limit(self, text: str) -> str:
        """As much of a field's text as may still be read."""
        signs = text.count("@") + text.count("%40")
        self.at_signs += signs
        if self.at_signs <= READINGS_PER_PERSON * self.most + 1000:
            return text
        self.stop()
        left = max(0, signs - (self.at_signs - READINGS_PER_PERSON * self.most - 1000))
        last = (
            next(islice(_AT_SIGN.finditer(text), left - 1, None), None)
            if left
            else None
        )
        return text[: last.end()] if last else ""

    def is_too_much(self, at_signs: int) -> bool:
        """Whether a body's text is beyond what is read; that is said, then."""
        self.at_signs += at_signs
        if self.at_signs <= READINGS_PER_PERSON * self.most + 1000:
            return False
        self.stop()
        return True

    @property
    def is_full(self) -> bool:
        """Whether no more people are written down."""
        return self.noted >= self.most

    def stop(self) -> None:
        """Say that reading ended before the end of the message."""
        self.doubt(f"It shows more than {self.most:,} addresses: not all were read.")

    def doubt(self, sentence: str) -> None:
        """Say what could not be read, once."""
        self.uncertain[sentence] = None
