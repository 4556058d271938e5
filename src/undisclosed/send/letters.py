# SPDX-License-Identifier: Apache-2.0
"""For people who are phoned or written to: a call sheet, and letters, as PDF.

A person is one sheet, or several: never do two share one, since a sheet that is
folded into the wrong envelope shows one person to another. Whoever cannot be printed
is named by their row with the reason, and nothing of theirs is printed.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from undisclosed.core.campaign import Row
from undisclosed.errors import UndisclosedError
from undisclosed.send.merge import Template
from undisclosed.send.paper import CannotBePrinted, Sheets
from undisclosed.send.template import MissingValue, RowUnfit

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
_WINDOW: Final = 45.0
"""Millimetres from the top of the sheet to the window of an envelope, on A4 folded to
DL (DIN 5008 form B, and BS 4264): it begins 20 mm from the left."""

_WINDOW_WIDTH: Final = 80.0
_WINDOW_LINES: Final = 8  # 45 mm high, with room at both ends
_BELOW_WINDOW: Final = 95.0
_FEWEST: Final = 3  # lines: a name, a street, a town


class NoPostalAddress(UndisclosedError):
    """A row has no whole postal address."""

    def __init__(self, row: int) -> None:
        super().__init__(f"Row {row:,} has no whole postal address.")
        self.row = row


class AddressTooLong(UndisclosedError):
    """A row's postal address does not fit into the window of an envelope."""

    def __init__(self, row: int) -> None:
        super().__init__(
            f"Row {row:,} has a postal address that is too long for an envelope."
        )
        self.row = row


class NoPostalColumns(UndisclosedError):
    """No columns hold postal addresses: call them Name, Address line 1, Postcode."""


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What all letters have in common: who writes, on which day, what is put in.

    ``enclosed`` are the names of the files that everybody gets, ``own_by`` the columns
    that name each person's own.
    """

    author: str
    answers_to: str
    day: date
    enclosed: tuple[str, ...] = ()
    own_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Somebody who is not printed: the list's row, and why, in a sentence."""

    row: int
    why: str


@dataclass(frozen=True, slots=True)
class Printed:
    """A PDF, how many people are in it, and who is not."""

    content: bytes = field(repr=False)
    people: int
    left_out: tuple[LeftOut, ...] = ()


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
) -> Printed:
    """One letter for each person, as one PDF; every letter begins on a sheet.

    Whoever has no whole address, no value that the text needs, or a sign that no font
    has, is left out and named. Raises NoPostalColumns.
    """
    columns = postal_columns(tuple(template.columns.values()))
    with Sheets(use=font) as sheets:
        return _printed(
            sheets, rows, lambda row: _letter(sheets, template, row, columns, head)
        )


def call_sheet(
    rows: Iterable[Row],
    columns: Sequence[str],
    *,
    heading: str,
    font: Path | None = None,
) -> Printed:
    """One sheet for each person to be phoned: their values, and room for notes.

    Whoever has a sign in them that no font has is left out and named.
    """
    with Sheets(use=font) as sheets:
        return _printed(
            sheets, rows, lambda row: _to_call(sheets, row, columns, heading)
        )


def _printed(
    sheets: Sheets, rows: Iterable[Row], write: Callable[[Row], None]
) -> Printed:
    """Write every row; ``write`` raises before it has begun a sheet, or not at all."""
    left_out: list[LeftOut] = []
    people = 0
    for row in rows:
        try:
            write(row)
        except (NoPostalAddress, AddressTooLong, CannotBePrinted, RowUnfit) as error:
            left_out.append(LeftOut(row.number, error.message))
        else:
            people += 1
    return Printed(sheets.content(), people, tuple(left_out))


def _letter(
    sheets: Sheets,
    template: Template,
    row: Row,
    columns: Sequence[str],
    head: Letterhead,
) -> None:
    address = "\n".join(postal_address(row, columns))
    subject, text = template.letter(row)
    end = "\n\n".join(_end(row, head))
    sheets.refuse((head.author, address, subject, text, end), row.number)
    if sheets.lines(address, width=_WINDOW_WIDTH) > _WINDOW_LINES:
        raise AddressTooLong(row.number)
    sheets.begin()
    sheets.write(head.author, row.number)
    sheets.pdf.set_y(_WINDOW)
    sheets.write(address, row.number, width=_WINDOW_WIDTH)
    # Nothing else may be read through the window.
    sheets.pdf.set_y(_BELOW_WINDOW)
    sheets.write(f"{head.day.day} {head.day:%B %Y}", row.number)
    sheets.space()
    sheets.write(subject, row.number, size=13)
    sheets.space()
    sheets.write(text.strip(), row.number)
    if end:
        sheets.space()
        sheets.write(end, row.number)


def _end(row: Row, head: Letterhead) -> Iterator[str]:
    """What stands below the text: where answers go, and what is in the envelope."""
    if head.answers_to:
        yield f"Please answer to {head.answers_to}."
    own = []
    for column in head.own_by:
        name = row.values.get(column, "").strip()
        if not name:
            raise MissingValue(column, row.number)
        own.append(name)
    if enclosed := (*head.enclosed, *own):
        yield f"Enclosed: {', '.join(enclosed)}."


def _to_call(sheets: Sheets, row: Row, columns: Sequence[str], heading: str) -> None:
    sheets.refuse((heading, *columns, *row.values.values()), row.number)
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
