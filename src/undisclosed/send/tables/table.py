# SPDX-License-Identifier: Apache-2.0
"""A table: lines of texts with their numbers, and what of the file is not in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from undisclosed.errors import UndisclosedError

MOST_COLUMNS = 500
"""Columns that are read; what lies beyond is a mistake of the file."""

LONGEST_CELL = 32_767
"""Characters of one cell, as spreadsheets have it."""


class TableUnreadable(UndisclosedError):
    """The file is no table that can be read."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the file: its number there, counted from 1, and its cells."""

    number: int
    cells: tuple[str, ...] = field(repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing stands in any cell."""
        return not any(self.cells)


@dataclass(frozen=True, slots=True)
class Table:
    """What can be read of a file. ``lines`` begins anew each time it is called.

    ``dropped`` says what was left out (hidden sheets, rows and columns), and ``notes``
    how the file was read where that was not certain (its charset, its delimiter).
    Both are complete once the lines were read to their end.
    """

    lines: Callable[[], Iterator[Line]] = field(repr=False)
    dropped: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
