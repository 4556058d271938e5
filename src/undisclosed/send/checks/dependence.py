# SPDX-License-Identifier: Apache-2.0
"""Columns of which one says the other: a postcode its town, a ward its office.

They need no word in common. Where the same value comes again and again, it comes with
the same other value; if instead it does so some rows further up or down, one of the
two columns slipped.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

from undisclosed.core.campaign import CheckFinding
from undisclosed.send.checks.check import column_place
from undisclosed.send.checks.lines import Line
from undisclosed.send.checks.sliding import DISTANCES, REACH, Sliding

FEWEST_REPEATS: Final = 20
"""Values that come again before they say anything."""

_MOST_PAIRS: Final = 8
_MOST_VALUES: Final = 2_000
_AGREE: Final = 0.9
_CHANCE: Final = 0.4
_FEWEST_VALUES: Final = 5


@dataclass(slots=True)
class _Known:
    """With what each value first came."""

    values: dict[str, str] = field(default_factory=dict, repr=False)

    def agrees(self, one: str, other: str) -> bool | None:
        """Whether it comes with the same again; None where it is new."""
        found = self.values.get(one)
        if found is not None:
            return found == other
        if len(self.values) < _MOST_VALUES:
            self.values[one] = other
        return None


def dependent(sample: Sequence[Line], columns: Iterable[str]) -> list["Dependence"]:
    """The pairs of which one column says the other, in its own row or beside it."""
    usable = [column for column in columns if _is_usable(sample, column)]
    found: list[tuple[int, str, str]] = []
    for one, other in permutations(usable, 2):
        repeats = max(
            _repeats(part, one, other, distance)
            for part in (sample, *_halves(sample))
            for distance in (0, *DISTANCES)
        )
        if repeats:
            found.append((repeats, one, other))
    found.sort(key=lambda each: -each[0])
    return [Dependence(one, other) for _, one, other in found[:_MOST_PAIRS]]


def _halves(sample: Sequence[Line]) -> tuple[Sequence[Line], Sequence[Line]]:
    """Before and after the middle: a slip that begins there leaves one of them."""
    middle = len(sample) // 2
    return sample[:middle], sample[middle:]


def _is_usable(sample: Sequence[Line], column: str) -> bool:
    """Whether its values come again, and none of them nearly always."""
    counted = Counter(filter(None, (line.text(column) for line in sample)))
    filled = counted.total()
    chance = sum((count / filled) ** 2 for count in counted.values()) if filled else 1
    repeats = filled - len(counted)
    is_varied = len(counted) >= _FEWEST_VALUES and chance <= _CHANCE
    return is_varied and repeats >= FEWEST_REPEATS


def _repeats(sample: Sequence[Line], one: str, other: str, distance: int) -> int:
    """How often a value came again with the same; 0 where it often did not."""
    known, same, again = _Known(), 0, 0
    for at in range(max(0, -distance), len(sample) - max(0, distance)):
        left, right = sample[at].text(one), sample[at + distance].text(other)
        if left and right and (agrees := known.agrees(left, right)) is not None:
            again += 1
            same += agrees
    is_enough = again >= FEWEST_REPEATS and same >= _AGREE * again
    return same if is_enough else 0


@dataclass(slots=True)
class Dependence:
    """Two columns of which the first says the second."""

    first: str
    second: str
    known: dict[int, _Known] = field(
        default_factory=lambda: {one: _Known() for one in (0, *DISTANCES)}, repr=False
    )
    before: "deque[tuple[str, str]]" = field(
        default_factory=lambda: deque(maxlen=REACH), repr=False
    )
    sliding: Sliding = field(default_factory=Sliding, repr=False)

    def look(self, line: Line) -> None:
        """Compare a row with itself and with those before it."""
        one, other = line.text(self.first), line.text(self.second)
        earlier = list(reversed(self.before))
        self.before.append((one, other))
        # What comes for the first time fits: only what comes otherwise again does not.
        with_own = not (one and other) or self.known[0].agrees(one, other) is not False
        others = []
        for distance in DISTANCES:
            place = abs(distance) - 1
            if place >= len(earlier):
                others.append(False)
                continue
            then_one, then_other = earlier[place]
            pair = (one, then_other) if distance > 0 else (then_one, other)
            others.append(self._fits(distance, *pair))
        self.sliding.look(line.number, with_own=with_own, with_others=tuple(others))

    def _fits(self, distance: int, one: str, other: str) -> bool:
        """As it always was at this distance, or as it was in its own row before."""
        if not one or not other:
            return False
        was = self.known[distance].agrees(one, other)
        return bool(was) or self.known[0].values.get(one) == other

    def findings(self, check: str) -> Iterator[CheckFinding]:
        """Whether one slipped against the other."""
        place = f"{column_place(self.first)} and {column_place(self.second)}"
        yield from self.sliding.findings(check, place)
