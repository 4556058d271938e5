# SPDX-License-Identifier: Apache-2.0
"""Check merge-shift: columns that slipped against each other.

A column that was sorted alone, or a cell that was deleted and the rest moved up, gives
every person somebody else's data, and nothing in a single row looks wrong. But names
tend to stand in addresses, and in other columns and names of files; a postcode says its
town (``dependence``); references are given out one after the other (``ranks``). Where a
column agrees with the others better some rows further up or down than in its own row,
it slipped. Where it agrees with them in no order at all, although the words are the
same, or stands in an order that people's values do not have, it was sorted (``order``).
"""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice
from zlib import crc32

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.check import column_place
from undisclosed.send.checks.dependence import Dependence, dependent
from undisclosed.send.checks.lines import ADDRESS, Line, Words
from undisclosed.send.checks.order import Order, sorted_alone
from undisclosed.send.checks.ranks import Ranks, numbered, place_of
from undisclosed.send.checks.sliding import REACH, Sliding
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "merge-shift"

SAMPLE = 2_000
"""Rows at the start that say which columns have to do with each other."""

FEWEST_TORN = 20
"""Rows with words in both columns before anything is said of their order."""

MOST_COLUMNS = 16
FEWEST = 8
"""Rows that have to have words in common before anything is said."""

_COMMON = 0.2
_HARDLY = 0.02
_KEPT = 8
_LONG_ENOUGH = 3


def agree(one: Words, other: Words) -> bool:
    """Whether two cells have a word in common, or one stands in the other's."""
    if not one or not other:
        return False
    if not one.isdisjoint(other):
        return True
    return any(a in b or b in a for a in one for b in other)


class MergeShift:
    """Compares each row's columns with those of its neighbours."""

    name = NAME
    description = "Find columns whose values belong to other rows (shifted, sorted)."

    def start(self, view: CampaignView) -> "_Looking":
        """Find the columns that have to do with each other."""
        columns = (ADDRESS, *view.columns[:MOST_COLUMNS])
        sample = [Line(row) for row in islice(view.rows(), SAMPLE)]
        said = {column: _Said.of(sample, column) for column in columns}
        pairs = [
            _Pair(first, second, said[first].common | said[second].common)
            for first, second in combinations(columns, 2)
            if said[first].has_words_of(said[second])
        ]
        by_words = {(one.first, one.second) for one in pairs}
        return _Looking(
            pairs,
            [
                one
                for one in dependent(sample, view.columns[:MOST_COLUMNS])
                if (one.first, one.second) not in by_words
                and (one.second, one.first) not in by_words
            ],
            Ranks(numbered(sample, columns)),
            {name: Order(name) for name in columns},
            {name: _Ending() for name in view.columns},
            view.shown_columns,
        )


@dataclass(frozen=True, slots=True)
class _Said:
    """The words of a column; those that many rows have tell nothing."""

    common: Words = field(repr=False)
    words: Words = field(repr=False)
    joined: str = field(repr=False)

    @classmethod
    def of(cls, sample: Sequence[Line], column: str) -> "_Said":
        """A town, a title, a family are common."""
        counted = Counter(word for line in sample for word in line.words(column))
        most = max(1, int(len(sample) * _COMMON))
        common = frozenset(word for word, count in counted.items() if count > most)
        words = frozenset(counted) - common
        return cls(common, words, "\n".join(words))

    def has_words_of(self, other: "_Said") -> bool:
        """Whether words of one stand in the other, in whichever row."""
        return _stand_in(self.words, other.joined) or _stand_in(
            other.words, self.joined
        )


def _stand_in(words: Words, joined: str) -> bool:
    found = sum(word in joined for word in words)
    return found >= FEWEST and found >= _COMMON * len(words)


@dataclass(slots=True)
class _Pair:
    """Two columns: how often their words agree in a row, nearby, and farther away."""

    first: str
    second: str
    ignored: Words = field(repr=False)
    before: "deque[tuple[Words, Words]]" = field(
        default_factory=lambda: deque(maxlen=REACH), repr=False
    )
    sliding: Sliding = field(default_factory=Sliding, repr=False)
    compared: int = 0
    agreeing: int = 0
    looked: int = 0
    kept: list[Words] = field(default_factory=list, repr=False)
    far: int = 0
    far_agreeing: int = 0

    def look(self, line: Line) -> None:
        """Compare a row with itself and with those before it."""
        one = line.words(self.first) - self.ignored
        other = line.words(self.second) - self.ignored
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
        self.sliding.look(line.number, with_own=with_own, with_others=others)

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

    def findings(self, orders: dict[str, Order]) -> Iterator[CheckFinding]:
        """Whether the two slipped against each other, or were torn apart."""
        place = place_of((self.first, self.second))
        either = (orders[self.first], orders[self.second])
        if self.sliding.slipped:
            yield from self.sliding.findings(NAME, place)
        elif self._are_torn and any(one.is_sorted for one in either):
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


@dataclass(slots=True)
class _Ending:
    """How a column ends: a deleted cell moves the others up and leaves a gap."""

    filled: int = 0
    gaps: int = 0
    trailing: int = 0

    def look(self, value: str) -> None:
        """Count what is filled and what is empty since."""
        if value:
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
    dependences: list[Dependence]
    ranks: Ranks
    orders: dict[str, Order]
    endings: dict[str, _Ending]
    shown: tuple[str, ...]
    looked: int = 0

    def look(self, one: Merged) -> None:
        """Compare the columns of one row."""
        self.looked += 1
        line = Line(one.row)
        for pair in self.pairs:
            pair.look(line)
        for dependence in self.dependences:
            dependence.look(line)
        self.ranks.look(line)
        for order in self.orders.values():
            order.look(line)
        for name, ending in self.endings.items():
            ending.look(line.text(name))

    def findings(self) -> Iterator[CheckFinding]:
        """What slipped."""
        for pair in self.pairs:
            yield from pair.findings(self.orders)
        for dependence in self.dependences:
            yield from dependence.findings(NAME)
        yield from self.ranks.findings(NAME)
        yield from sorted_alone(NAME, self.orders.values(), self.shown)
        if self.looked >= FEWEST and not self._is_told:
            text = (
                "No column has to do with another: whether one slipped cannot be told."
            )
            yield CheckFinding(NAME, Weight.NOTE, text, "list")
        for name, ending in self.endings.items():
            if ending.is_short:
                yield _short(name, ending.trailing)

    @property
    def _is_told(self) -> bool:
        """Whether a slip of some column would have been noticed."""
        return bool(self.pairs or self.dependences or self.ranks.pairs)


def _short(column: str, trailing: int) -> CheckFinding:
    cells = "cell is" if trailing == 1 else f"{trailing} cells are"
    text = (
        f"Only its last {cells} empty: one may have been deleted further up, and the "
        "rest moved."
    )
    return CheckFinding(NAME, Weight.OVERRIDE, text, column_place(column))
