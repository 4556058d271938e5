# SPDX-License-Identifier: Apache-2.0
"""Pages of a list: one row more is asked for than shown, nothing is counted.

A list's length is never asked of the database, so a page of a million rows
costs what a page of ten does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import QuerySet

PER_PAGE: Final = 50
MAX_PAGE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class ListPage:
    """Some rows of a list, and whether there are rows before and after."""

    items: Sequence[Any]
    number: int
    has_next: bool
    last_number: int | None = None

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this one."""
        return self.number > 1

    @property
    def has_other_pages(self) -> bool:
        """Whether ways to other pages are to be drawn."""
        return self.has_next or self.has_previous

    @property
    def previous_number(self) -> int:
        """The number of the page before."""
        return self.number - 1

    @property
    def next_number(self) -> int:
        """The number of the page after."""
        return self.number + 1


def number_of(asked: str | None) -> int:
    """The page number of a query; what is none is the first page."""
    if not asked or not asked.isascii() or not asked.isdigit():
        return 1
    return min(max(int(asked[:9]), 1), MAX_PAGE)


def page_of(rows: QuerySet[Any], asked: str | None) -> ListPage:
    """One page of an ordered query."""
    number = number_of(asked)
    start = (number - 1) * PER_PAGE
    found = list(rows[start : start + PER_PAGE + 1])
    return ListPage(found[:PER_PAGE], number, len(found) > PER_PAGE)
