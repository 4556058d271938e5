# SPDX-License-Identifier: Apache-2.0
"""Check other-rows: nobody's message shows what belongs to another row.

Everything that tells people of the list apart (addresses, numbers, full names) goes
into an index of hashes, eight bytes each. Then each message's values are looked up in
it, so that all rows are compared with all others in time that grows with the list.
Where the index would be too large to be held at once, it is made in parts, of which
each has some of the hashes of every row, and the list is read again for each.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import unquote

from undisclosed.core.campaign import Attached, CheckFinding, Row, Way, Weight
from undisclosed.send.checks.check import Tally, column_place, messages, people
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "other-rows"

SAMPLE = 5_000
"""Rows at the start of the list that say which columns tell people apart."""

MOST_HASHES = 8_000_000
"""Hashes that are held at once: 64 MB."""

_BUCKETS = 256
_SHIFT = 20  # the lowest bits say which part of the index a hash is in

_ADDRESS = ""  # stands for the address itself among the columns
_DIFFERENT = 0.5
_LONGEST_NAME = 5
_WORD = re.compile(r"[^\s,;:()<>\[\]\"|]+")
_EDGE = ".!?'*_~`-/"
_NO_SIGN = re.compile(r"[^0-9a-z]+")
_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>\"]+", re.IGNORECASE)
_BETWEEN_WORDS = re.compile(r"[\s/?&=#+_.-]+")
_NUMBER = range(6, 35)
_SHORTEST_NAME = 8

Key = str


def keys_in(text: str) -> Iterator[Key]:
    """Everything in a text that may tell a person apart, each in one spelling."""
    words = [word[0].strip(_EDGE) for word in _WORD.finditer(text.casefold())]
    for at, word in enumerate(words):
        if "@" in word:
            yield word
        elif any(map(str.isdigit, word)):
            yield from _numbers(words, at)
        elif _is_name(word):
            yield from _names(words, at)


def _numbers(words: list[str], at: int) -> Iterator[Key]:
    number = ""
    for word in words[at : at + _LONGEST_NAME]:
        number += _NO_SIGN.sub("", word)
        if len(number) >= _NUMBER.stop:
            return
        if len(number) in _NUMBER and sum(map(str.isdigit, number)) >= 5:
            yield "#" + number


def _names(words: list[str], at: int) -> Iterator[Key]:
    name = words[at]
    for word in words[at + 1 : at + _LONGEST_NAME]:
        if not _is_name(word):
            return
        name = f"{name} {word}"
        if len(name) >= _SHORTEST_NAME:
            yield name


def _is_name(word: str) -> bool:
    return word.replace("-", "").replace("'", "").replace("\u2019", "").isalpha()


def whole_keys(value: str) -> tuple[Key, ...]:
    """A cell's keys where the whole of it is one: an address, a number, a name."""
    words = value.split()
    if not words or len(words) > _LONGEST_NAME:
        return ()
    found = tuple(keys_in(value))
    return found[-1:] if "@" not in value else tuple(k for k in found if "@" in k)


@dataclass(frozen=True, slots=True)
class _Part:
    """Which of all hashes are looked at: every ``of``-th, beginning with ``number``."""

    number: int
    of: int

    def hash(self, column: str, key: Key) -> int | None:
        """The hash under which a key is kept; None where it is in another part."""
        found = hash((column, key))
        return found if found % self.of == self.number else None


class _Index:
    """What belongs to whom, or a part of it: hashes of column and key, sorted.

    They lie in buckets that are sorted one after the other: a list of numbers, which
    sorting makes, takes five times the room of the numbers themselves.
    """

    def __init__(self, columns: tuple[str, ...]) -> None:
        self.columns = columns
        self._part = _Part(0, 1)
        self._buckets: list[array[int]] = []

    def read(self, view: CampaignView, part: _Part) -> None:
        """Take a part of what the rows have, instead of what there was."""
        self._part, buckets = part, [array("q") for _ in range(_BUCKETS)]
        self._buckets = buckets
        for row in view.rows():
            for column in self.columns:
                for key in own_keys(row, column):
                    hashed = part.hash(column, key)
                    if hashed is not None:
                        buckets[hashed >> _SHIFT & _BUCKETS - 1].append(hashed)
        for place, bucket in enumerate(buckets):
            buckets[place] = array("q", sorted(bucket))

    def has(self, column: str, key: Key) -> bool:
        """Whether some row has it in this column, as far as this part knows."""
        wanted = self._part.hash(column, key)
        if wanted is None:
            return False
        bucket = self._buckets[wanted >> _SHIFT & _BUCKETS - 1]
        at = bisect_left(bucket, wanted)
        return at < len(bucket) and bucket[at] == wanted

    def is_anybodys(self, key: Key) -> bool:
        """Whether some row has it in any column."""
        return any(self.has(column, key) for column in self.columns)

    def is_others(self, key: Key, row: Row, column: str) -> bool:
        """Whether it is another row's, and not also this row's in the same column."""
        return any(
            self.has(one, key) and key not in own_keys(row, one)
            for one in self.columns
            if one != column
        )


def own_keys(row: Row, column: str) -> tuple[Key, ...]:
    """What tells a row apart by one column."""
    if column == _ADDRESS:
        return (row.address.person,) if row.address else ()
    return whole_keys(row.values.get(column, ""))


def _telling(view: CampaignView) -> tuple[str, ...]:
    """The columns that tell people apart: at least half of their values differ."""
    values: dict[str, set[Key]] = {column: set() for column in view.columns}
    filled = dict.fromkeys(view.columns, 0)
    for row in islice(view.rows(), SAMPLE):
        for column in view.columns:
            keys = own_keys(row, column)
            values[column].update(keys)
            filled[column] += bool(keys)
    return (
        _ADDRESS,
        *(
            c
            for c in view.columns
            if values[c] and len(values[c]) >= _DIFFERENT * filled[c]
        ),
    )


class OtherRows:
    """Addresses, numbers and names of one row in the message of another.

    ``most`` hashes are held at once, eight bytes each.
    """

    name = NAME
    description = "Find another row's data in a message or in its attachments."

    def __init__(self, most: int = MOST_HASHES) -> None:
        self._most = most

    def start(self, view: CampaignView) -> "_Looking":
        """Read the list, and whatever of it stands in what everybody gets."""
        index = _Index(_telling(view))
        whole = sum(view.ways.values()) * len(index.columns)
        number = max(1, -(-whole // self._most))
        first, *more = (_Part(one, number) for one in range(number))
        index.read(view, first)
        looking = _Looking(view, index, tuple(more), view.shown_columns)
        looking.begin()
        return looking


@dataclass(slots=True)
class _Common:
    """What of the list stands in a text that everybody gets."""

    place: str
    keys: AbstractSet[Key] = field(repr=False)
    addresses: Tally = field(default_factory=Tally)
    others: Tally = field(default_factory=Tally)

    def look(self, row: int, own: set[Key]) -> None:
        """Count a row whose data is there."""
        found = self.keys & own
        if any("@" in key for key in found):
            self.addresses.add(row)
        elif found:
            self.others.add(row)

    def findings(self) -> Iterator[CheckFinding]:
        """How many people everybody would be shown something of."""
        count = self.addresses.count
        for tally, what, weight in (
            (
                self.addresses,
                "addresses",
                Weight.STOP if count > 1 else Weight.OVERRIDE,
            ),
            (self.others, "numbers or names", Weight.OVERRIDE),
        ):
            if tally.count:
                who = people(tally.count)
                text = f"Everybody would be shown {what} of {who} of the list."
                yield tally.finding(NAME, weight, text, self.place)


def _file_keys(view: CampaignView, attached: Attached) -> Iterable[Key]:
    """What stands in a file, and in its name."""
    for text in view.file_text(attached).texts:
        yield from keys_in(text.text)
    stem = attached.name.rpartition(".")[0] or attached.name
    yield from keys_in(stem)
    yield from keys_in(_BETWEEN_WORDS.sub(" ", stem))


def _constant_keys(text: str) -> Iterator[Key]:
    """What stands in a constant text, and in the links of it."""
    yield from keys_in(text)
    for link in _LINK.finditer(text):
        plain = unquote(link[0])
        yield from keys_in(plain)
        yield from keys_in(_BETWEEN_WORDS.sub(" ", plain))


@dataclass(slots=True)
class _Rows:
    """Rows that something was found in; the same one again counts once.

    A bit for each number, so that a part of the index that finds a row again does not
    count it again.
    """

    tally: Tally = field(default_factory=Tally)
    seen: bytearray = field(default_factory=bytearray, repr=False)

    def add(self, row: int) -> None:
        """Count a row."""
        place, bit = row >> 3, 1 << (row & 7)
        if place >= len(self.seen):
            self.seen.extend(bytes(place + 1 - len(self.seen)))
        if not self.seen[place] & bit:
            self.seen[place] |= bit
            self.tally.add(row)

    def has(self, row: int) -> bool:
        """Whether the row was counted."""
        place = row >> 3
        return place < len(self.seen) and bool(self.seen[place] & 1 << (row & 7))


@dataclass(slots=True)
class _Looking:
    view: CampaignView = field(repr=False)
    index: _Index = field(repr=False)
    more: tuple[_Part, ...]
    columns: tuple[str, ...] = ()
    common: tuple[_Common, ...] = ()
    in_columns: dict[str, _Rows] = field(default_factory=dict)
    in_files: _Rows = field(default_factory=_Rows)
    addresses: _Rows = field(default_factory=_Rows)
    unmade: _Rows = field(default_factory=_Rows)

    def begin(self) -> None:
        """Look at what everybody gets, which the whole index is asked about."""
        view, index = self.view, self.index
        texts = (*view.template.constant_texts(), view.draft.author_name)
        said = {key for text in texts for key in _constant_keys(text)}
        filed = {key for one in view.common_files for key in _file_keys(view, one)}
        senders = {one.person for one in view.senders}
        if self.more:
            # Which of them are somebody's is seen when the rows are read.
            self.common = (_Common("text", said - senders),)
            self.common += (_Common("attachments", filed - senders),)
        else:
            self.common = tuple(
                _Common(place, frozenset(filter(index.is_anybodys, keys)) - senders)
                for place, keys in (("text", said), ("attachments", filed))
            )
        if any(one.keys for one in self.common):
            for row in view.rows():
                own = {key for name in index.columns for key in own_keys(row, name)}
                for one in self.common:
                    one.look(row.number, own)

    def look(self, one: Merged) -> None:
        """Look up what this row's message shows."""
        if one.message is not None:
            self._look(one.row)
        elif self.more:
            self.unmade.add(one.row.number)

    def _look(self, row: Row) -> None:
        for column in self.columns:
            for key in set(keys_in(row.values.get(column, ""))):
                if self.index.is_others(key, row, column):
                    self._count(key, column, row.number)
        for attached in self.view.own_files(row):
            keys = set(_file_keys(self.view, attached))
            if any(self.index.is_others(key, row, "\0") for key in keys):
                self.in_files.add(row.number)

    def _count(self, key: Key, column: str, row: int) -> None:
        if "@" in key:
            self.addresses.add(row)
        else:
            self.in_columns.setdefault(column, _Rows()).add(row)

    def _look_again(self) -> None:
        """Read the list again for each further part of the index."""
        for part in self.more:
            self.index.read(self.view, part)
            for row in self.view.rows():
                if row.way is Way.MAIL and not self.unmade.has(row.number):
                    self._look(row)
        self.more = ()

    def findings(self) -> Iterator[CheckFinding]:
        """What stands where it does not belong."""
        self._look_again()
        if count := self.addresses.tally.count:
            text = (
                f"{messages(count).capitalize()} would show the address of another "
                "person of the list."
            )
            yield self.addresses.tally.finding(NAME, Weight.STOP, text)
        for column, rows in self.in_columns.items():
            text = (
                f"{messages(rows.tally.count).capitalize()} would show a number or a "
                "name that belongs to another row."
            )
            place = column_place(column)
            yield rows.tally.finding(NAME, Weight.OVERRIDE, text, place)
        if count := self.in_files.tally.count:
            text = (
                f"{messages(count).capitalize()} would carry a file that names another "
                "person of the list."
            )
            files = self.in_files.tally
            yield files.finding(NAME, Weight.OVERRIDE, text, "attachments")
        for common in self.common:
            yield from common.findings()
