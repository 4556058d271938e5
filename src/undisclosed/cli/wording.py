# SPDX-License-Identifier: Apache-2.0
"""How commands say numbers, addresses and other people's texts on a terminal."""

from collections.abc import Callable, Iterable

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError

UNREADABLE_INPUT, SOMETHING_FOUND = 65, 3
"""Exit codes (sysexits.h EX_DATAERR; our own). Unreadable input wins."""


def printable(text: str) -> str:
    """A text that cannot steer a terminal: control characters are spelled."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode()
        for one in text
    )


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 person", "1,332 disclosures"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def written(is_spelled_out: bool) -> Callable[[Address], str]:
    """How addresses are written: shortened, unless somebody asked for them whole."""
    if is_spelled_out:
        return lambda address: printable(address.spelled_out())
    return lambda address: printable(str(address))


def some(texts: Iterable[str], number: int, limit: int) -> str:
    """The first few of a number of texts, and how many more there are."""
    few = [text for text, _ in zip(texts, range(limit), strict=False)]
    rest = number - len(few)
    return ", ".join(few) + (f" and {rest:,} more" if rest > 0 else "")


def exit_code(*, is_found: bool, is_unreadable: bool) -> int:
    """What a command that looked at messages exits with."""
    if is_unreadable:
        return UNREADABLE_INPUT
    return SOMETHING_FOUND if is_found else 0


def what_to_do(error: UndisclosedError) -> str:
    """What to do where the database is away, most often not started; else nothing."""
    if not str(error).startswith("The database is away"):
        return ""
    return "Start it with `undisclosed run`, or look where DATABASE_URL leads."
