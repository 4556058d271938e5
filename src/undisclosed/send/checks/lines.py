# SPDX-License-Identifier: Apache-2.0
"""A row as it is compared with others: the text, the words, the number of each cell.

Each is made once for a row, when it is first asked for, however many pairs of columns
are compared.
"""

import re
from dataclasses import dataclass, field
from typing import Final

from undisclosed.core.campaign import Row

ADDRESS: Final = ""
"""Stands for the address among the columns."""

_LETTERS: Final = re.compile(r"[^\W\d_]{3,}|\d{5,}")
_LONGEST: Final = 80  # characters of a cell that may be a name
_RUN: Final = re.compile(r"\d+")
_DAY_FIRST: Final = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})\b")
_YEAR_FIRST: Final = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})\b")
_AMOUNT: Final = re.compile(
    r"\D{0,8}?(-?\d{1,3}(?:[.,' \u00a0\u202f]\d{3})*|-?\d+)([.,]\d{1,2})?\D{0,8}"
)
_NO_DIGIT: Final = re.compile(r"\D")

Words = frozenset[str]


@dataclass(slots=True)
class Line:
    """One row of the list."""

    row: Row
    _texts: dict[str, str] = field(default_factory=dict, repr=False)
    _words: dict[str, Words] = field(default_factory=dict, repr=False)
    _measures: dict[str, float | None] = field(default_factory=dict, repr=False)

    @property
    def number(self) -> int:
        """Its number in the list."""
        return self.row.number

    def text(self, column: str) -> str:
        """A cell, or the address' local part, in one case and without its edges."""
        found = self._texts.get(column)
        if found is None:
            if column != ADDRESS:
                found = self.row.values.get(column, "")
            else:
                found = self.row.address.local_part if self.row.address else ""
            found = self._texts[column] = found.casefold().strip()
        return found

    def words(self, column: str) -> Words:
        """The words of a cell, or of an address' local part, that may be names."""
        found = self._words.get(column)
        if found is None:
            text = self.text(column)
            short = _LETTERS.findall(text) if len(text) <= _LONGEST else ()
            found = self._words[column] = frozenset(short)
        return found

    def measure(self, column: str) -> float | None:
        """What a cell counts or says the day of; None where it does neither."""
        if column not in self._measures:
            self._measures[column] = measure(self.text(column))
        return self._measures[column]


def measure(text: str) -> float | None:
    """A number or a day as one number that stands in the same order.

    An amount with its currency, a day with the year last or first, a reference with
    one run of digits. None for anything else.
    """
    if not text or len(text) > _LONGEST:
        return None
    if amount := _AMOUNT.fullmatch(text):
        whole, part = _NO_DIGIT.sub("", amount[1]), amount[2] or ""
        found = float(f"{whole}.{part[1:]}" if part else whole)
        return -found if amount[1].startswith("-") else found
    if day := _YEAR_FIRST.match(text):
        return _day(int(day[1]), int(day[2]), int(day[3]))
    if day := _DAY_FIRST.match(text):
        return _day(int(day[3]), int(day[2]), int(day[1]))
    runs = _RUN.findall(text)
    return float(runs[0]) if len(runs) == 1 else None


def _day(year: int, month: int, day: int) -> float:
    return float(year * 10_000 + month * 100 + day)
