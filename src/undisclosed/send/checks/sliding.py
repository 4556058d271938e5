# SPDX-License-Identifier: Apache-2.0
"""Whether two columns fit each other better some rows further up or down.

Each row is told whether its two cells fit, and whether each fits the other's neighbour
at every distance; a window of rows says when a distance fits far better than none.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.check import Tally

REACH: Final = 3
"""Rows up and down in which a slipped value is looked for."""

WINDOW: Final = 30
"""Rows that are looked at together,"""

FEWEST_BETTER: Final = 6
"""of which so many more have to fit another row than fit their own."""

DISTANCES: Final = (*range(1, REACH + 1), *range(-1, -REACH - 1, -1))


@dataclass(slots=True)
class _Compared:
    """One row: whether it fits itself, and its neighbours by distance."""

    row: int
    with_own: bool
    with_others: tuple[bool, ...]


@dataclass(slots=True)
class Sliding:
    """Two columns in a window of rows that moves down the list."""

    window: "deque[_Compared]" = field(default_factory=deque, repr=False)
    near: list[int] = field(default_factory=lambda: [0] * len(DISTANCES))
    own: int = 0
    is_slipping: set[int] = field(default_factory=set)
    slipped: dict[int, Tally] = field(default_factory=dict)

    def look(self, row: int, *, with_own: bool, with_others: tuple[bool, ...]) -> None:
        """Move the window a row further, and look whether a distance fits better."""
        newest = _Compared(row, with_own, with_others)
        self.window.append(newest)
        self.own += with_own
        oldest = self.window.popleft() if len(self.window) > WINDOW else None
        if oldest is not None:
            self.own -= oldest.with_own
        wanted = max(self.own + FEWEST_BETTER, 3 * self.own)
        for place, does_agree in enumerate(with_others):
            self.near[place] += does_agree
            if oldest is not None:
                self.near[place] -= oldest.with_others[place]
            if self.near[place] < wanted:
                self.is_slipping.discard(place)
            else:
                self._count(place, newest)

    def _count(self, place: int, newest: _Compared) -> None:
        rows = [newest] if place in self.is_slipping else self.window
        self.is_slipping.add(place)
        tally = self.slipped.setdefault(place, Tally())
        for one in rows:
            if one.with_others[place]:
                tally.add(one.row)

    def findings(self, check: str, place: str) -> Iterator[CheckFinding]:
        """At which distance they fit, where that is not their own row."""
        if not self.slipped:
            return
        best, tally = max(self.slipped.items(), key=lambda one: one[1].count)
        yield tally.finding(check, Weight.OVERRIDE, slipped_by(best, tally), place)


def slipped_by(place: int, tally: Tally) -> str:
    """The sentence for a slip by one of the distances."""
    distance = abs(DISTANCES[place])
    rows = "row" if distance == 1 else "rows"
    return (
        f"In {tally.count:,} rows the values fit the person {distance} "
        f"{rows} away better than their own: a column may have slipped."
    )
