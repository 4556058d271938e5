# SPDX-License-Identifier: Apache-2.0
"""vCards (RFC 6350, and 2.1 and 3.0 before it): whose card is attached.

EMAIL and IMPP, addresses in names, notes and X- properties, and in parameters. A
whole address book may be one file.
"""

from collections.abc import Iterator

from undisclosed.core.address import Address
from undisclosed.core.shown.calendars import (
    is_identifier,
    names_anybody,
    people_of,
)
from undisclosed.formats.calendar import content_lines

CHANNEL = "vCard"


def read_card(text: str) -> Iterator[tuple[str, list[Address]]]:
    """Channel and people of each line of a vCard that names anybody."""
    for line in content_lines(text):
        if not is_identifier(line) and names_anybody(line):
            yield CHANNEL, people_of(line)
