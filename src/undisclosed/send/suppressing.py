# SPDX-License-Identifier: Apache-2.0
"""Whom somebody says that we must not mail, as they have it in a file."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.send.recipients import columns_of
from undisclosed.send.tables import Table


@dataclass(frozen=True, slots=True)
class Listed:
    """The people of a file, each once, and the rows in which there is no address."""

    addresses: tuple[Address, ...] = field(repr=False)
    wrong: tuple[int, ...] = ()


def listed(table: Table, address_column: str = "") -> Listed:
    """Read a file: a table with a column of addresses, or addresses and nothing else.

    Raises NoRecipients and TableUnreadable.
    """
    found: dict[str, Address] = {}
    wrong: list[int] = []
    for number, cell in _cells(table, address_column):
        address = parse_addr_spec(cell)
        if address is None:
            wrong.append(number)
        else:
            found.setdefault(address.person, address)
    return Listed(tuple(found.values()), tuple(wrong))


def _cells(table: Table, address_column: str) -> Iterator[tuple[int, str]]:
    """What stands where an address should, with the number of its row."""
    lines = (line for line in table.lines() if not line.is_empty)
    first = next(lines, None)
    place = 0
    if first is not None and not _is_bare(first.cells):
        columns = columns_of(table, address_column)
        place = columns.address
    elif first is not None:
        yield first.number, first.cells[0].strip()
    for line in lines:
        cell = line.cells[place] if place < len(line.cells) else ""
        yield line.number, cell.strip()


def _is_bare(cells: tuple[str, ...]) -> bool:
    """Whether the first row is an address already: nothing names the columns."""
    return "@" in cells[0] and not any(cells[1:])
