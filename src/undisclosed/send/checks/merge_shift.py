# SPDX-License-Identifier: Apache-2.0
"""Check merge-shift: columns that slipped against each other.

A column that was sorted alone, or a cell that was deleted and the rest moved up, gives
every person somebody else's data, and nothing in a single row looks wrong. But names
tend to stand in addresses, and in other columns: where a column agrees with the others
better some rows further up or down than in its own row, it slipped. Where it agrees
with them in no order at all, although the words are the same, it was sorted.
"""

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, islice

from undisclosed.core.campaign import CheckFinding, Row, Weight
from undisclosed.send.checks.check import Tally, column_place
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "merge-shift"

SAMPLE = 2_000
"""Rows at the start that say which columns have words in common."""

REACH = 3
"""Rows up and down in which a slipped value is looked for."""

RUN = 4
"""Rows one after the other that agree with the wrong row before it is believed."""

MOST_COLUMNS = 16
FEWEST = 8
"""Rows that have to have words in common before anything is said."""

_ADDRESS = ""
_LETTERS = re.compile(r"[^\W\d_]{3,}|\d{5,}")
_COMMON = 0.2
_HARDLY = 0.1
_LONGEST = 80  # characters of a cell that may be a name
_SORTED = 0.95
_LONG_ENOUGH = 3

Words = frozenset[str]


def words_of(row: Row, column: str) -> Words:
    """The words of a cell, or of an address' local part, that may be names."""
    text = _text(row, column)
    return frozenset(_LETTERS.findall(text)) if len(text) <= _LONGEST else frozenset()


def _text(row: Row, column: str) -> str:
    if column == _ADDRESS:
        return row.address.local_part.casefold() if row.address else ""
    return row.values.get(column, "").casefold()


def agree(one: Words, other: Words) -> bool:
    """Whether two cells have a word in common, or one stands in the other's."""
    if one & other:
        return True
    return any(a in b or b in a for a in one for b in other)


class MergeShift:
    """Compares each row's columns with those of its neighbours."""

    name = NAME
    description = "Find columns whose values belong to other rows (shifted, sorted)."

    def start(self, view: CampaignView) -> "_Looking":
        """Find the columns that have words in common."""
        columns = (_ADDRESS, *view.columns[:MOST_COLUMNS])
        sample = list(islice(view.rows(), SAMPLE))
        pairs = [
            _Pair(first, second, _common(sample, first) | _common(sample, second))
            for first, second in combinations(columns, 2)
            if _have_common_words(sample, first, second)
        ]
        return _Looking(pairs, {name: _Ending() for name in view.columns})


def _common(sample: list[Row], column: str) -> Words:
    """The words that many rows have: a town, a title, a family. They tell nothing."""
    counted = Counter(word for row in sample for word in words_of(row, column))
    most = max(1, len(sample) // 20)
    return frozenset(word for word, count in counted.items() if count > most)


def _have_common_words(sample: list[Row], first: str, second: str) -> bool:
    """Whether words of one column stand in the other, in whichever row."""
    one = {word for row in sample for word in words_of(row, first)}
    other = {word for row in sample for word in words_of(row, second)}
    one -= _common(sample, first)
    joined = "\n".join(other - _common(sample, second))
    common = sum(word in joined for word in one)
    return bool(one) and common >= _COMMON * len(one) and common >= FEWEST


@dataclass(slots=True)
class _Pair:
    """Two columns: how often they agree in a row, and with rows nearby."""

    first: str
    second: str
    ignored: Words = field(repr=False)
    before: "deque[tuple[int, Words, Words]]" = field(
        default_factory=lambda: deque(maxlen=REACH), repr=False
    )
    compared: int = 0
    agreeing: int = 0
    runs: dict[int, int] = field(default_factory=dict)
    slipped: dict[int, Tally] = field(default_factory=dict)
    waiting: dict[int, list[int]] = field(default_factory=dict)
    orders: "tuple[_Order, _Order]" = field(
        default_factory=lambda: (_Order(), _Order())
    )

    def look(self, row: Row) -> None:
        """Compare a row with itself and with those before it."""
        one = words_of(row, self.first) - self.ignored
        other = words_of(row, self.second) - self.ignored
        for order, column in zip(self.orders, (self.first, self.second), strict=True):
            order.look(_text(row, column))
        if one and other:
            self.compared += 1
            does_agree = agree(one, other)
            self.agreeing += does_agree
            for distance, (number, then_one, then_other) in enumerate(
                reversed(self.before), 1
            ):
                self._step(distance, number, agree(one, then_other) and not does_agree)
                self._step(-distance, number, agree(then_one, other) and not does_agree)
        self.before.append((row.number, one, other))

    def _step(self, distance: int, row: int, is_agreeing: bool) -> None:
        """Count rows one after the other that agree at one distance."""
        waiting = self.waiting.setdefault(distance, [])
        if not is_agreeing:
            waiting.clear()
            return
        waiting.append(row)
        if len(waiting) == RUN:
            tally = self.slipped.setdefault(distance, Tally())
            for one in waiting:
                tally.add(one)
        elif len(waiting) > RUN:
            self.slipped[distance].add(row)
            del waiting[:-RUN]
            waiting.append(row)

    def findings(self) -> Iterator[CheckFinding]:
        """Whether the two slipped against each other, or were torn apart."""
        place = self._place()
        if self.slipped:
            distance, tally = max(self.slipped.items(), key=lambda one: one[1].count)
            rows = "row" if abs(distance) == 1 else "rows"
            text = (
                f"In {tally.count:,} rows the values fit the person {abs(distance)} "
                f"{rows} away better than their own: a column may have slipped."
            )
            yield tally.finding(NAME, Weight.OVERRIDE, text, place)
        elif self._are_torn and any(one.is_sorted for one in self.orders):
            text = (
                "The same words stand in both columns, but hardly ever in the same "
                "row: one of them may have been sorted alone."
            )
            yield CheckFinding(NAME, Weight.OVERRIDE, text, place, (), self.compared)

    @property
    def _are_torn(self) -> bool:
        """Whether they have words in common, and hardly ever in the same row."""
        return self.compared >= FEWEST and self.agreeing < _HARDLY * self.compared

    def _place(self) -> str:
        names = [
            column_place(one) if one else "address" for one in (self.first, self.second)
        ]
        return " and ".join(names)


@dataclass(slots=True)
class _Order:
    """Whether a column is in the order of its values."""

    last: str = field(default="", repr=False)
    up: int = 0
    down: int = 0

    def look(self, value: str) -> None:
        """Compare a value with the one before it."""
        self.up += value > self.last
        self.down += value < self.last
        self.last = value

    @property
    def is_sorted(self) -> bool:
        """Whether nearly every value stands in order, up or down."""
        return max(self.up, self.down) >= _SORTED * (self.up + self.down) > 0


@dataclass(slots=True)
class _Ending:
    """How a column ends: a deleted cell moves the others up and leaves a gap."""

    filled: int = 0
    gaps: int = 0
    trailing: int = 0

    def look(self, value: str) -> None:
        """Count what is filled and what is empty since."""
        if value.strip():
            self.gaps += self.trailing
            self.trailing = 0
            self.filled += 1
        else:
            self.trailing += 1

    @property
    def is_short(self) -> bool:
        """Whether it is full down to its last one to three cells, which are empty."""
        return (
            1 <= self.trailing <= _LONG_ENOUGH
            and self.gaps == 0
            and self.filled >= FEWEST
        )


@dataclass(slots=True)
class _Looking:
    pairs: list[_Pair]
    endings: dict[str, _Ending]
    looked: int = 0

    def look(self, one: Merged) -> None:
        """Compare the columns of one row."""
        self.looked += 1
        for pair in self.pairs:
            pair.look(one.row)
        for name, ending in self.endings.items():
            ending.look(one.row.values.get(name, ""))

    def findings(self) -> Iterator[CheckFinding]:
        """What slipped."""
        for pair in self.pairs:
            yield from pair.findings()
        if not self.pairs and self.looked >= FEWEST:
            text = "No column has words of another: whether one slipped cannot be told."
            yield CheckFinding(NAME, Weight.NOTE, text, "list")
        for name, ending in self.endings.items():
            if ending.is_short:
                text = (
                    f"Only its last {ending.trailing} cells are empty: one may have "
                    "been deleted further up, and the rest moved."
                )
                if ending.trailing == 1:
                    text = text.replace("last 1 cells are", "last cell is")
                yield CheckFinding(NAME, Weight.OVERRIDE, text, column_place(name))
