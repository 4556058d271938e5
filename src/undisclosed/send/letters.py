# SPDX-License-Identifier: Apache-2.0
"""For people who are phoned or written to: a call sheet, and letters, as PDF.

A person is one sheet, or several: never do two share one, since a sheet that is
folded into the wrong envelope shows one person to another.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from undisclosed.core.campaign import Row
from undisclosed.errors import UndisclosedError
from undisclosed.send.merge import Template
from undisclosed.send.paper import Sheets

MOST: Final = 2_000
"""People in one file; more are for another file."""

_NAMES: Final = (
    r"title|salutation|(?:first|middle|last|given|family) names?|forenames?|surnames?"
)
_NAME: Final = re.compile(_NAMES)
_LINE: Final = re.compile(
    rf"{_NAMES}|(?:full |customer |recipient )?names?|company|organi[sz]ation|care of"
    r"|c ?o|(?:address|addr) ?(?:line ?)?[1-9]|(?:post|postal) address"
    r"|street(?: address)?|house(?: number| no)?|flat|building|district|locality|town"
    r"|city|county|state|province|region|post ?codes?|postal codes?|zip(?: codes?)?"
    r"|country"
)
_SIGNS: Final = re.compile(r"[^a-z0-9]+")
_WINDOW: Final = (
    45.0  # mm from the top to the address, as envelopes with windows have it
)
_FEWEST: Final = 3  # lines: a name, a street, a town


class NoPostalAddress(UndisclosedError):
    """A row has no whole postal address."""

    def __init__(self, row: int) -> None:
        super().__init__(f"Row {row:,} has no whole postal address.")
        self.row = row


class NoPostalColumns(UndisclosedError):
    """No columns hold postal addresses: call them Name, Address line 1, Postcode."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What stands above every letter: who writes, on which day."""

    author: str
    answers_to: str
    day: date


def postal_columns(columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of a postal address, in their order. Raises NoPostalColumns."""
    found = tuple(one for one in columns if _LINE.fullmatch(_plain(one)))
    if len(found) < _FEWEST:
        raise NoPostalColumns
    return found


def postal_address(row: Row, columns: Sequence[str]) -> tuple[str, ...]:
    """The lines of a person's postal address. Raises NoPostalAddress.

    Parts of a name stand on one line; empty cells leave no line behind.
    """
    name: list[str] = []
    lines: list[str] = []
    for column in columns:
        value = row.values.get(column, "").strip()
        if value and _NAME.fullmatch(_plain(column)):
            name.append(value)
        elif value:
            lines += filter(None, map(str.strip, value.splitlines()))
    whole = ([" ".join(name)] if name else []) + lines
    if len(whole) < _FEWEST:
        raise NoPostalAddress(row.number)
    return tuple(whole)


def letters(
    template: Template,
    rows: Iterable[Row],
    head: Letterhead,
    *,
    font: Path | None = None,
) -> bytes:
    """One letter for each person, as one PDF; every letter begins on a sheet.

    Raises NoPostalColumns, NoPostalAddress, CannotBePrinted, MissingValue and
    UnsafeValue; nothing is left out silently.
    """
    columns = postal_columns(tuple(template.columns.values()))
    with Sheets(use=font) as sheets:
        for row in rows:
            _letter(sheets, template, row, postal_address(row, columns), head)
        return sheets.content()


def call_sheet(
    rows: Iterable[Row],
    columns: Sequence[str],
    *,
    heading: str,
    font: Path | None = None,
) -> bytes:
    """One sheet for each person to be phoned: their values, and room for notes.

    Raises CannotBePrinted.
    """
    with Sheets(use=font) as sheets:
        for row in rows:
            _to_call(sheets, row, columns, heading)
        return sheets.content()


def _letter(
    sheets: Sheets,
    template: Template,
    row: Row,
    lines: Sequence[str],
    head: Letterhead,
) -> None:
    subject, text = template.letter(row)
    sheets.begin()
    sheets.write(head.author, row.number)
    sheets.pdf.set_y(_WINDOW)
    sheets.write("\n".join(lines), row.number)
    sheets.space(3)
    sheets.write(f"{head.day.day} {head.day:%B %Y}", row.number)
    sheets.space()
    sheets.write(subject, row.number, size=13)
    sheets.space()
    sheets.write(text.strip(), row.number)
    sheets.space()
    if head.answers_to:
        sheets.write(f"Please answer to {head.answers_to}.", row.number)


def _to_call(sheets: Sheets, row: Row, columns: Sequence[str], heading: str) -> None:
    sheets.begin()
    sheets.write(heading, row.number, size=9)
    sheets.write(f"Row {row.number:,}", row.number, size=16)
    sheets.space()
    for column in columns:
        if value := row.values.get(column, ""):
            sheets.write(f"{column}: {value}", row.number)
    sheets.space()
    for line in ("Called on", "By", "Reached: yes / no", "Notes"):
        sheets.space()
        sheets.write(f"{line} {'.' * 60}", row.number)


def _plain(column: str) -> str:
    return _SIGNS.sub(" ", column.lower()).strip()
