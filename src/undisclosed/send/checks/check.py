# SPDX-License-Identifier: Apache-2.0
"""What a check is, and how it counts rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.view import CampaignView, Merged

MOST_ROWS = 20
"""Rows that a finding names; of the others it says how many there are."""

_LONGEST_HEADING = 60
_MOST_DIGITS = 5


class Examination(Protocol):
    """One check at work on one campaign: it is shown every message once, in order."""

    def look(self, one: Merged) -> None:
        """Look at one row's message. Never raises."""

    def findings(self) -> Iterator[CheckFinding]:
        """What was found, when all messages were looked at."""


class Check(Protocol):
    """One question about a campaign: one file, one entry in ``ALL_CHECKS``.

    ``name`` stands in findings and overrides, and is never used for anything else
    later; ``description`` is a sentence for people.
    """

    name: str
    description: str

    def start(self, view: CampaignView) -> Examination:
        """Begin to look at a campaign."""


@dataclass(slots=True)
class Tally:
    """Rows that something was found in: how many, and the first of them."""

    count: int = 0
    rows: list[int] = field(default_factory=list)
    last: int = 0

    def add(self, row: int) -> None:
        """Count a row. The same one twice in a row counts once."""
        if self.last == row:
            return
        self.last = row
        self.count += 1
        if len(self.rows) < MOST_ROWS:
            self.rows.append(row)

    def finding(
        self, check: str, weight: Weight, text: str, place: str = ""
    ) -> CheckFinding:
        """What was found in these rows."""
        return CheckFinding(check, weight, text, place, tuple(self.rows), self.count)


@dataclass(slots=True)
class Once:
    """An examination that needs no message: everything is known at the start."""

    found: tuple[CheckFinding, ...] = ()

    def look(self, one: Merged) -> None:
        """Nothing."""

    def findings(self) -> Iterator[CheckFinding]:
        """What was found at the start."""
        yield from self.found


def column_place(column: str) -> str:
    """A column as a place of findings, which are kept in the clear.

    A list without a line of headings has a person's data for names of columns.
    """
    is_heading = (
        len(column) <= _LONGEST_HEADING
        and "@" not in column
        and sum(map(str.isdigit, column)) < _MOST_DIGITS
    )
    return f"column {column}" if is_heading else "a column"


def people(count: int) -> str:
    """A number of people, in words that fit it."""
    return "1 person" if count == 1 else f"{count:,} people"


def messages(count: int) -> str:
    """A number of messages, in words that fit it."""
    return "1 message" if count == 1 else f"{count:,} messages"
