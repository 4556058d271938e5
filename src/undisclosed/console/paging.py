# SPDX-License-Identifier: Apache-2.0
"""Pages of a list: one row more is asked for than shown, nothing is counted.

A list's length is never asked of the database, so a page of a million rows
costs what a page of ten does.
"""

from typing import Any, Final

from django.db.models import QuerySet

from undisclosed.store.desk import Page

PER_PAGE: Final = 50
MAX_PAGE: Final = 100_000


def number_of(asked: str | None) -> int:
    """The page number of a query; what is none is the first page."""
    if not asked or not asked.isascii() or not asked.isdigit():
        return 1
    return min(max(int(asked[:9]), 1), MAX_PAGE)


def page_of(rows: QuerySet[Any], asked: str | None) -> Page[Any]:
    """One page of an ordered query."""
    number = number_of(asked)
    start = (number - 1) * PER_PAGE
    found = list(rows[start : start + PER_PAGE + 1])
    return Page(found[:PER_PAGE], number, len(found) > PER_PAGE)
