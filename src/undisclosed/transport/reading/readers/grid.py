# SPDX-License-Identifier: Apache-2.0
"""The cells of binary spreadsheets, by what hides them: sheet, row or column."""

from dataclasses import dataclass, field

from undisclosed.transport.reading.found import Findings
from undisclosed.transport.reading.readers.xlsx import (
    HIDDEN_COLUMN,
    HIDDEN_ROW,
    HIDDEN_SHEET,
    TABLE,
)


@dataclass(slots=True)
class Grid:
    """One sheet while it is read. Rows and columns are counted from 0."""

    findings: Findings
    is_hidden: bool = False
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)

    shown: set[str] = field(default_factory=set)

    @property
    def everywhere(self) -> str:
        """What shows the sheet as a whole."""
        return HIDDEN_SHEET if self.is_hidden else TABLE

    def channel(self, row: int, column: int) -> str:
        """What shows a cell."""
        if self.is_hidden:
            return self.everywhere
        if row in self.hidden_rows:
            return HIDDEN_ROW
        if any(first <= column <= last for first, last in self.hidden_columns):
            return HIDDEN_COLUMN
        return self.everywhere

    def show(self, row: int, column: int, text: str) -> None:
        """A cell's text."""
        self.shown.add(text)
        self.findings.show(self.channel(row, column), text)
