# SPDX-License-Identifier: Apache-2.0
"""Finds confidential data in text, in time that grows with the text.

Hyperscan looks for all patterns at once where it is installed; elsewhere ``re`` does,
one after the other. Both only say where to look: what is found there is decided by
the same code, so that both find the same.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol

from undisclosed.send.checks.folding import fold
from undisclosed.send.checks.identifiers import KINDS, Kind

try:
    import hyperscan

    HAS_HYPERSCAN = True
except ImportError:  # There are wheels for Linux on x86-64 alone.
    HAS_HYPERSCAN = False

LABEL_REACH = 60
"""Characters before a number in which its label is looked for."""

MANY = 5
"""So many valid numbers of a kind in one text need no label,"""

MOSTLY = 0.75
"""where so large a share of what looks like one is valid."""

_MARGIN = 8

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hit:
    """Confidential data in a text: which kind, and where (of the folded text)."""

    kind: Kind
    start: int
    end: int
    text: str = field(repr=False)


class Engine(Protocol):
    """Says where in a text each kind may stand."""

    def spans(self, text: str) -> Iterator[tuple[int, Sequence[Span]]]:
        """For each kind, by its number: places in order that do not overlap."""


class ReEngine:
    """Looks everywhere, with ``re``."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = range(len(kinds))

    def spans(self, text: str) -> Iterator[tuple[int, Sequence[Span]]]:
        """The whole text for every kind."""
        whole = ((0, len(text)),)
        for number in self._kinds:
            yield number, whole


class HyperscanEngine:
    """Looks where Hyperscan's automaton, all patterns in one, has seen something."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = len(kinds)
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        caseless = hyperscan.HS_FLAG_CASELESS
        self._database.compile(
            expressions=[one.pattern.encode() for one in kinds],
            ids=list(range(len(kinds))),
            elements=len(kinds),
            flags=[
                hyperscan.HS_FLAG_SOM_LEFTMOST | (caseless if one.any_case else 0)
                for one in kinds
            ],
        )

    def spans(self, text: str) -> Iterator[tuple[int, Sequence[Span]]]:
        """The places where a pattern matches, those that touch joined."""
        found: dict[int, list[Span]] = {}

        def note(
            number: int, start: int, end: int, flags: int, context: object
        ) -> None:
            found.setdefault(number, []).append((start, end))

        self._database.scan(text.encode("ascii"), match_event_handler=note)
        for number in sorted(found):
            yield number, _joined(found[number])


def _joined(spans: Iterable[Span]) -> list[Span]:
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


class Scanner:
    """Looks for kinds of data. Safe to use from several threads."""

    def __init__(self, kinds: Sequence[Kind] = KINDS, engine: Engine | None = None):
        self._kinds = tuple(kinds)
        self._engine = engine or best_engine(self._kinds)
        self._patterns = tuple(map(_exact, self._kinds))

    def scan(self, text: str, label: str = "") -> list[Hit]:
        """Everything in a text, in its order; no two overlap.

        ``label`` stands before all of it: the name of the column that it is from.
        """
        folded = fold(text)
        label = fold(label).lower()
        found: list[Hit] = []
        taken = bytearray(len(folded))
        for number, spans in self._engine.spans(folded):
            candidates = _candidates(self._patterns[number], folded, spans)
            for hit in _believed(self._kinds[number], candidates, folded, label, taken):
                taken[hit.start : hit.end] = b"\x01" * (hit.end - hit.start)
                found.append(hit)
        return sorted(found, key=lambda hit: hit.start)


@cache
def scanner() -> Scanner:
    """The scanner for all kinds, made once."""
    return Scanner()


def best_engine(kinds: Sequence[Kind]) -> Engine:
    """Hyperscan where it is installed, else ``re``."""
    return HyperscanEngine(kinds) if HAS_HYPERSCAN else ReEngine(kinds)


def _exact(kind: Kind) -> re.Pattern[str]:
    """The pattern where no letter or digit stands around it."""
    flags = re.ASCII | (re.IGNORECASE if kind.any_case else 0)
    return re.compile(
        rf"(?<![0-9A-Za-z+])(?<![0-9][.])(?:{kind.pattern})(?![0-9A-Za-z])", flags
    )


def _candidates(
    pattern: re.Pattern[str], text: str, spans: Sequence[Span]
) -> Iterator[Span]:
    """Every place where the pattern matches, overlapping ones among them.

    A place is looked at with what stands around it, so that it does not matter how
    the engine came by it.
    """
    for begin, end in spans:
        at = begin
        while at < end:
            match = pattern.search(text, at, min(end + _MARGIN, len(text)))
            if match is None or match.start() >= end:
                break
            yield match.span()
            at = match.start() + 1


def _believed(
    kind: Kind,
    candidates: Iterable[Span],
    text: str,
    label: str,
    taken: bytearray,
) -> list[Hit]:
    """The candidates that are proved, and labelled where they need it."""
    found: list[Hit] = []
    doubtful: list[Hit] = []
    shapes = 0
    over = 0
    for start, end in candidates:
        if start < over or taken.find(1, start, end) >= 0:
            continue
        shapes += 1
        cut = kind.cut(text[start:end])
        if not cut:
            continue
        over = start + len(cut)
        hit = Hit(kind, start, over, cut)
        is_sure = not kind.needs_label or kind.is_formed(cut)
        is_sure = is_sure or _has_label(kind, text, start, label)
        (found if is_sure else doubtful).append(hit)
    if _are_many(kind, doubtful, shapes - len(found)):
        found += doubtful
    return found


def _are_many(kind: Kind, doubtful: Sequence[Hit], shapes: int) -> bool:
    """Whether so many are valid that it is no chance: a check digit is one in ten."""
    different = {hit.text for hit in doubtful}
    return (
        kind.name in _HAVE_CHECK_DIGIT
        and len(different) >= MANY
        and len(doubtful) >= MOSTLY * shapes
    )


_HAVE_CHECK_DIGIT = frozenset({
    *("uk-nhs", "uk-utr", "nl-bsn", "ca-sin", "ca-health-bc", "be-identity"),
    *("pl-pesel", "no-identity", "de-tax"),
})  # fmt: skip


def _has_label(kind: Kind, text: str, start: int, label: str) -> bool:
    before = f"{label} {text[max(0, start - LABEL_REACH) : start].lower()}"
    return any(_stands_in(fold(one), before) for one in kind.labels)


def _stands_in(word: str, text: str) -> bool:
    """Whether a word begins somewhere in a text, and not inside another word."""
    at = text.find(word)
    while at > 0 and text[at - 1].isalnum():
        at = text.find(word, at + 1)
    return at >= 0
