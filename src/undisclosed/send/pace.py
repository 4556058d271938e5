# SPDX-License-Identifier: Apache-2.0
"""How many messages are written down as about to leave at once, and when the next are.

What is written down and has not been answered is in doubt after a crash, so it is no
more than what keeps the connections busy while the next are being written down: a
next hop that takes two thousand messages in a second is given groups of fifty, one
that takes ten in a second is given what its connections can hold.
"""

from typing import Final

_ON_THE_WAY: Final = 2
"""Messages of one connection: the content of one, and the envelope of the next."""

_WRITING: Final = 0.02
"""Seconds that a group may take to be written down, while others leave."""

_GROUP: Final = 0.05
"""Seconds that a group lasts, where ``group`` is not reached before."""

_WEIGHT: Final = 0.5
"""Of the newest rate against all before."""


class Pace:
    """The size of the next group. At most twice ``group`` is ever unanswered.

    ``rate`` is how many were answered in a second, lately; 0 where nobody knows yet.
    """

    def __init__(self, group: int, now: float, rate: float = 0.0) -> None:
        self.answered = 0
        self.rate = rate
        self._group = group
        self._seen, self._since = 0, now

    def measure(self, now: float) -> None:
        """Look how many were answered since the last look; in seconds of any clock."""
        passed, answered = now - self._since, self.answered - self._seen
        if passed <= 0 or not answered:
            return
        rate = answered / passed
        self.rate += (rate - self.rate) * (_WEIGHT if self.rate else 1)
        self._since, self._seen = now, self.answered

    def low(self, streams: int) -> int:
        """With so many unanswered, the next group is due."""
        wanted = _ON_THE_WAY * streams + int(self.rate * _WRITING)
        return min(wanted, self._group * 3 // 2)

    def size(self, streams: int, unanswered: int) -> int:
        """Messages of the next group: none where too many are unanswered."""
        wanted = _ON_THE_WAY * streams + int(self.rate * _GROUP)
        return max(0, min(wanted, self._group, 2 * self._group - unanswered))
