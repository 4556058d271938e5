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
from zlib import crc32

from undisclosed.core.campaign import CheckFinding, Row, Weight
from undisclosed.send.checks.check import Tally, column_place
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "merge-shift"

SAMPLE = 2_000
"""Rows at the start that say which columns have words in common."""

REACH = 3
"""Rows up and down in which a slipped value is looked for."""

WINDOW = 30
"""Rows that are looked at together,"""

FEWEST_BETTER = 6
"""of which so many more have to fit another row than fit their own."""

FEWEST_TORN = 20
"""Rows with words in both columns before anything is said of their order."""

MOST_COLUMNS = 16
FEWEST = 8
"""Rows that have to have words in common before anything is said."""

_ADDRESS = ""
_LETTERS = re.compile(r"[^\W\d_]{3,}|\d{5,}")
_COMMON = 0.2
_HARDLY = 0.02
_KEPT = 8
_DISTANCES = (*range(1, REACH + 1), *range(-1, -REACH - 1, -1))
_LONGEST = 80  # characters of a cell that may be a name
_SORTED = 0.95
_OF_THEIR_OWN = 0.3  # values that differ from the one before
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
    most = max(1, int(len(sample) * _COMMON))
    return frozenset(word for word, count in counted.items() if count > most)


def _have_common_words(sample: list[Row], first: str, second: str) -> bool:
    """Whether words of one column stand in the other, in whichever row."""
    one = {word for row in sample for word in words_of(row, first)}
    other = {word for row in sample for word in words_of(row, second)}
    one -= _common(sample, first)
    other -= _common(sample, second)
    return _stand_in(one, other) or _stand_in(other, one)


def _stand_in(words: set[str], others: set[str]) -> bool:
    joined = "\n".join(others)
    found = sum(word in joined for word in words)
    return found >= FEWEST and found >= _COMMON * len(words)


@dataclass(slots=True)
class _Compared:
    """One row: whether it agrees with itself, and with its neighbours by distance."""

    row: int
    with_own: bool
    with_others: tuple[bool, ...]


@dataclass(slots=True)
class _Pair:
    """Two columns: how often they agree in a row, nearby, and farther away."""

    first: str
    second: str
    ignored: Words = field(repr=False)
    before: "deque[tuple[Words, Words]]" = field(
        default_factory=lambda: deque(maxlen=REACH), repr=False
    )
    window: "deque[_Compared]" = field(default_factory=deque, repr=False)
    near: list[int] = field(default_factory=lambda: [0] * len(_DISTANCES))
    own: int = 0
    compared: int = 0
    agreeing: int = 0
    looked: int = 0
    kept: list[Words] = field(default_factory=list, repr=False)
    far: int = 0
    far_agreeing: int = 0
    is_slipping: set[int] = field(default_factory=set)
    slipped: dict[int, Tally] = field(default_factory=dict)
    orders: "tuple[_Order, _Order]" = field(
        default_factory=lambda: (_Order(), _Order())
    )

    def look(self, row: Row) -> None:
        """Compare a row with itself and with those before it."""
        one = words_of(row, self.first) - self.ignored
        other = words_of(row, self.second) - self.ignored
        for order, column in zip(self.orders, (self.first, self.second), strict=True):
            order.look(_text(row, column))
        earlier = list(reversed(self.before))
        self.before.append((one, other))
        with_own = agree(one, other)
        self.compared += bool(one and other)
        self.agreeing += with_own
        self._compare_far(one, other)
        down = [agree(one, then) for _, then in earlier]
        up = [agree(then, other) for then, _ in earlier]
        empty = [False] * (REACH - len(earlier))
        others = (*down, *empty, *up, *empty)
        self._slide(_Compared(row.number, with_own, others))

    def _compare_far(self, one: Words, other: Words) -> None:
        """Compare with a few rows from anywhere before: how often chance agrees."""
        for then in self.kept[self.looked % 2 :: 2]:
            self.far += 1
            self.far_agreeing += agree(then, other)
        # Each row before is as likely to be kept as any other (reservoir sampling).
        self.looked += 1
        place = crc32(self.looked.to_bytes(8, "big")) % self.looked
        if len(self.kept) < _KEPT:
            self.kept.append(one)
        elif place < _KEPT:
            self.kept[place] = one

    def _slide(self, newest: _Compared) -> None:
        """Move the window a row further, and look whether a distance fits better."""
        self.window.append(newest)
        self.own += newest.with_own
        oldest = self.window.popleft() if len(self.window) > WINDOW else None
        self.own -= oldest is not None and oldest.with_own
        for place, does_agree in enumerate(newest.with_others):
            self.near[place] += does_agree
            if oldest is not None:
                self.near[place] -= oldest.with_others[place]
            if self.near[place] < max(self.own + FEWEST_BETTER, 3 * self.own):
                self.is_slipping.discard(place)
                continue
            rows = [newest] if place in self.is_slipping else self.window
            self.is_slipping.add(place)
            tally = self.slipped.setdefault(place, Tally())
            for one in rows:
                if one.with_others[place]:
                    tally.add(one.row)

    def findings(self) -> Iterator[CheckFinding]:
        """Whether the two slipped against each other, or were torn apart."""
        place = self._place()
        if self.slipped:
            best, tally = max(self.slipped.items(), key=lambda one: one[1].count)
            distance = abs(_DISTANCES[best])
            rows = "row" if distance == 1 else "rows"
            text = (
                f"In {tally.count:,} rows the values fit the person {distance} "
                f"{rows} away better than their own: a column may have slipped."
            )
            yield tally.finding(NAME, Weight.OVERRIDE, text, place)
        elif self._are_torn and any(one.is_sorted for one in self.orders):
            text = (
                "The same words stand in both columns, but in the same row no more "
                "often than by chance: one of them may have been sorted alone."
            )
            yield CheckFinding(NAME, Weight.OVERRIDE, text, place, (), self.compared)

    @property
    def _are_torn(self) -> bool:
        """Whether they agree in a row no more often than in rows farther apart."""
        if self.compared < FEWEST_TORN:
            return False
        chance = self.far_agreeing / self.far if self.far else 0
        return self.agreeing <= (2 * chance + _HARDLY) * self.compared

    def _place(self) -> str:
        names = [
            column_place(one) if one else "address" for one in (self.first, self.second)
        ]
        return " and ".join(names)


@dataclass(slots=True)
class _Order:
    """Whether a column is in the order of its values.

    A column by which rows are grouped has the same value many times, and is not meant.
    """

    last: str = field(default="", repr=False)
    looked: int = 0
    up: int = 0
    down: int = 0

    def look(self, value: str) -> None:
        """Compare a value with the one before it."""
        self.looked += 1
        self.up += value > self.last
        self.down += value < self.last
        self.last = value

    @property
    def is_sorted(self) -> bool:
        """Whether nearly every value stands in order, up or down."""
        steps = self.up + self.down
        return (
            max(self.up, self.down) >= _SORTED * steps
            and steps > _OF_THEIR_OWN * self.looked
        )


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
