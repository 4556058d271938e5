# SPDX-License-Identifier: Apache-2.0
"""Whether a column stands in the order of its own values.

A list may be sorted by anything, and then one column stands in order. Where the people
stand in the order of their names, and an amount stands in its own order as well, one of
the two was sorted alone: names and amounts do not rise together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.check import column_place
from undisclosed.send.checks.lines import Line
from undisclosed.send.checks.ranks import place_of

FEWEST: Final = 24
"""Rows before an order says anything."""

_SORTED: Final = 0.95
_EXACTLY: Final = 0.995
_OF_THEIR_OWN: Final = 0.3  # values that differ from the one before
_ONE_STEP: Final = 0.8


@dataclass(slots=True)
class Order:
    """How often the values of a column rise and fall from row to row.

    A column by which rows are grouped has the same value many times, and is not meant.
    """

    column: str
    text: str = field(default="", repr=False)
    measure: float | None = field(default=None, repr=False)
    looked: int = 0
    up: int = 0
    down: int = 0
    measured: int = 0
    rising: int = 0
    falling: int = 0
    one_step: int = 0

    def look(self, line: Line) -> None:
        """Compare a value with the one before it."""
        text, measure = line.text(self.column), line.measure(self.column)
        self.looked += 1
        self.up += text > self.text
        self.down += text < self.text
        self.text = text
        if measure is None:
            return
        if self.measure is not None:
            self.measured += 1
            self.rising += measure > self.measure
            self.falling += measure < self.measure
            self.one_step += abs(measure - self.measure) == 1
        self.measure = measure

    @property
    def is_sorted(self) -> bool:
        """Whether nearly every value stands in order as text, up or down."""
        return _in_order(self.up, self.down, self.looked, _SORTED)

    @property
    def is_alphabetical(self) -> bool:
        """Whether these are no numbers, and stand in the order of the alphabet."""
        is_text = self.measured < self.looked / 2 and self.looked >= FEWEST
        return is_text and _in_order(self.up, self.down, self.looked, _EXACTLY)

    @property
    def is_counted_up(self) -> bool:
        """Whether these are numbers in order, and not only the numbers of the rows."""
        if self.measured < max(FEWEST, self.looked * 0.9):
            return False
        is_counter = self.one_step > _ONE_STEP * self.measured
        rises = _in_order(self.rising, self.falling, self.measured, _EXACTLY)
        return rises and not is_counter


def _in_order(up: int, down: int, looked: int, share: float) -> bool:
    steps = up + down
    return max(up, down) >= share * steps and steps > _OF_THEIR_OWN * looked


def sorted_alone(
    check: str, orders: Iterable[Order], shown: Iterable[str]
) -> Iterator[CheckFinding]:
    """Amounts, days and references in order: beside people in order, or alone.

    Of columns that no message shows nothing is said.
    """
    every = {one.column: one for one in orders}
    people = [name for name, one in every.items() if one.is_alphabetical]
    for column in shown:
        one = every.get(column)
        if one is None or not one.is_counted_up:
            continue
        if people:
            text = (
                "People and values both stand in order, which values of people hardly "
                "do: one of them may have been sorted alone."
            )
            both = place_of((people[0], column))
            yield CheckFinding(check, Weight.OVERRIDE, text, both)
        elif len(every) > 2:
            text = (
                "Its values stand in order and the people do not: if it was sorted "
                "alone, everybody would be shown somebody else's."
            )
            yield CheckFinding(check, Weight.NOTE, text, column_place(column))
