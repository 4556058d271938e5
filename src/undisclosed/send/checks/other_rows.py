# SPDX-License-Identifier: Apache-2.0
"""Check other-rows: nobody's message shows what belongs to another row.

Everything that tells people of the list apart (addresses, numbers, full names) goes
into an index of hashes, eight bytes each. Then each message's values are looked up in
it. The time grows with the list and the memory by these bytes, so that all rows are
compared with all others.
"""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from undisclosed.core.campaign import Attached, CheckFinding, Row, Weight
from undisclosed.send.checks.check import Tally, column_place, messages, people
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "other-rows"

SAMPLE = 5_000
"""Rows at the start of the list that say which columns tell people apart."""

_ADDRESS = ""  # stands for the address itself among the columns
_DIFFERENT = 0.5
_LONGEST_NAME = 5
_WORD = re.compile(r"[^\s,;:()<>\[\]\"|]+")
_EDGE = ".!?'*_~`-/"
_NO_SIGN = re.compile(r"[^0-9a-z]+")
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


@dataclass(slots=True)
class _Index:
    """What belongs to whom: hashes of column and key, sorted."""

    columns: tuple[str, ...]
    hashes: "array[int]" = field(repr=False)

    @classmethod
    def of(cls, view: CampaignView) -> "_Index":
        """The index of a whole list."""
        columns = _telling(view)
        hashes = array("q")
        for row in view.rows():
            for column in columns:
                hashes.extend(hash((column, key)) for key in own_keys(row, column))
        return cls(columns, array("q", sorted(hashes)))

    def has(self, column: str, key: Key) -> bool:
        """Whether some row has it in this column."""
        wanted = hash((column, key))
        at = bisect_left(self.hashes, wanted)
        return at < len(self.hashes) and self.hashes[at] == wanted

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
    """Addresses, numbers and names of one row in the message of another."""

    name = NAME
    description = "Find another row's data in a message or in its attachments."

    def start(self, view: CampaignView) -> "_Looking":
        """Read the list, and whatever of it stands in what everybody gets."""
        index = _Index.of(view)
        texts = (*view.template.constant_texts(), view.draft.author_name)
        said = [key for text in texts for key in keys_in(text)]
        filed = (key for one in view.common_files for key in _file_keys(view, one))
        senders = {one.person for one in view.senders}
        common = tuple(
            _Common(place, frozenset(filter(index.is_anybodys, keys)) - senders)
            for place, keys in (("text", said), ("attachments", filed))
        )
        if any(one.keys for one in common):
            for row in view.rows():
                own = {key for name in index.columns for key in own_keys(row, name)}
                for one in common:
                    one.look(row.number, own)
        return _Looking(view, index, common, view.shown_columns)


@dataclass(slots=True)
class _Common:
    """What of the list stands in a text that everybody gets."""

    place: str
    keys: frozenset[Key] = field(repr=False)
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
    for text in view.file_text(attached).texts:
        yield from keys_in(text.text)


@dataclass(slots=True)
class _Looking:
    view: CampaignView = field(repr=False)
    index: _Index
    common: tuple[_Common, ...]
    columns: tuple[str, ...] = ()
    in_columns: dict[str, Tally] = field(default_factory=dict)
    in_files: Tally = field(default_factory=Tally)
    addresses: Tally = field(default_factory=Tally)

    def look(self, one: Merged) -> None:
        """Look up what this row's message shows."""
        row = one.row
        if one.message is None:
            return
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
            self.in_columns.setdefault(column, Tally()).add(row)

    def findings(self) -> Iterator[CheckFinding]:
        """What stands where it does not belong."""
        if self.addresses.count:
            text = (
                f"{messages(self.addresses.count).capitalize()} would show the "
                "address of another person of the list."
            )
            yield self.addresses.finding(NAME, Weight.STOP, text)
        for column, tally in self.in_columns.items():
            text = (
                f"{messages(tally.count).capitalize()} would show a number or a name "
                "that belongs to another row."
            )
            yield tally.finding(NAME, Weight.OVERRIDE, text, column_place(column))
        if self.in_files.count:
            text = (
                f"{messages(self.in_files.count).capitalize()} would carry a file "
                "that names another person of the list."
            )
            yield self.in_files.finding(NAME, Weight.OVERRIDE, text, "attachments")
        for common in self.common:
            yield from common.findings()
