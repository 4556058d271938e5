# SPDX-License-Identifier: Apache-2.0
"""Numbers and days whose order tells: references given out one after the other.

Where the numbers of one column stand in the order of another's, but of the rows beside
them rather than of their own, one of the two slipped. And a column that stands in its
own order, while the people stand in another, was perhaps sorted alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.check import Tally, column_place
from undisclosed.send.checks.lines import ADDRESS, Line
from undisclosed.send.checks.sliding import DISTANCES, slipped_by

BLOCK: Final = 40
"""Rows whose numbers are put in order together: a slip begins anywhere."""

FEWEST: Final = 24
"""Rows with numbers in both columns before their order says anything."""

_MOST_COLUMNS: Final = 8
_MEASURED: Final = 0.8
_DIFFERENT: Final = 0.5
_SAME_ORDER: Final = 0.98
_OTHER_ORDER: Final = 0.9

Column = list[float | None]


def numbered(sample: Sequence[Line], columns: Iterable[str]) -> tuple[str, ...]:
    """The columns of numbers that nearly all differ."""
    found = []
    for column in columns:
        values = [line.measure(column) for line in sample]
        measured = [one for one in values if one is not None]
        is_measured = len(measured) >= max(FEWEST, _MEASURED * len(sample))
        if is_measured and len(set(measured)) >= _DIFFERENT * len(measured):
            found.append(column)
    return tuple(found[:_MOST_COLUMNS])


@dataclass(slots=True)
class Ranks:
    """Columns of numbers, block after block."""

    columns: tuple[str, ...]
    pairs: list[tuple[str, str]] | None = None
    rows: list[int] = field(default_factory=list)
    block: dict[str, Column] = field(default_factory=dict, repr=False)
    slipped: dict[tuple[str, str], dict[int, Tally]] = field(default_factory=dict)

    def look(self, line: Line) -> None:
        """Take a row's numbers."""
        if len(self.columns) < 2:
            return
        self.rows.append(line.number)
        for column in self.columns:
            self.block.setdefault(column, []).append(line.measure(column))
        if len(self.rows) >= BLOCK:
            self._compare()

    def _compare(self) -> None:
        """Compare the orders of a block; those that say nothing at first never do."""
        if len(self.rows) >= FEWEST:
            pairs = self.pairs
            if pairs is None:
                pairs = list(combinations(self.columns, 2))
            related = [pair for pair in pairs if self._are_related(pair)]
            if self.pairs is None:
                self.pairs = related
        self.rows, self.block = [], {}

    def _are_related(self, pair: tuple[str, str]) -> bool:
        """Whether one is in the other's order at any distance; notes a slip."""
        one, other = (self.block[column] for column in pair)
        own = abs(same_order(one, other))
        if own >= _OTHER_ORDER:
            return own >= _SAME_ORDER
        for place, distance in enumerate(DISTANCES):
            far = max(0, distance)
            left = one[max(0, far) : len(one) + min(0, distance)]
            right = other[max(0, -distance) : len(other) - far]
            if abs(same_order(left, right)) >= _SAME_ORDER:
                tallies = self.slipped.setdefault(pair, {})
                tally = tallies.setdefault(place, Tally())
                for row in self.rows:
                    tally.add(row)
                return True
        return False

    def findings(self, check: str) -> Iterator[CheckFinding]:
        """Which slipped."""
        self._compare()
        for pair, tallies in self.slipped.items():
            best, tally = max(tallies.items(), key=lambda one: one[1].count)
            text = slipped_by(best, tally)
            yield tally.finding(check, Weight.OVERRIDE, text, place_of(pair))


def place_of(columns: Sequence[str]) -> str:
    """Columns as a place of findings."""
    names = (column_place(one) if one != ADDRESS else "address" for one in columns)
    return " and ".join(names)


def same_order(one: Column, other: Column) -> float:
    """Spearman's rank correlation where both have a number; 0 where few have."""
    both = [
        (a, b)
        for a, b in zip(one, other, strict=True)
        if a is not None and b is not None
    ]
    if len(both) < FEWEST:
        return 0.0
    left, right = _ranked([a for a, _ in both]), _ranked([b for _, b in both])
    middle = (len(both) - 1) / 2
    across = sum((a - middle) * (b - middle) for a, b in zip(left, right, strict=True))
    spread = _spread(left, middle) * _spread(right, middle)
    return float(across / spread**0.5) if spread else 0.0


def _spread(ranks: Sequence[float], middle: float) -> float:
    return sum((rank - middle) ** 2 for rank in ranks)


def _ranked(values: Sequence[float]) -> list[float]:
    """The place of each among all; equals share theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, start = [0.0] * len(values), 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end - 1) / 2
        start = end
    return ranks
