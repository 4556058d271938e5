# SPDX-License-Identifier: Apache-2.0
"""What a cell of a workbook reads as."""

from datetime import date, datetime, time

_LARGEST_WHOLE = 1e15


def text_of(value: object) -> str:
    """A cell's value as a person reads it: dates as ISO 8601, numbers without zeros."""
    match value:
        case None:
            text = ""
        case bool():
            text = "TRUE" if value else "FALSE"
        case float() if value.is_integer() and abs(value) < _LARGEST_WHOLE:
            text = str(int(value))
        case datetime():
            text = value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
        case date() | time():
            text = value.isoformat()
        case _:
            text = str(value)
    return text.strip()
