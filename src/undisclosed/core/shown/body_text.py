# SPDX-License-Identifier: Apache-2.0
"""Addresses in the text of a body, plain or attached as a text file."""

from undisclosed.core.address import Address
from undisclosed.core.shown.quoted_headers import quoted_people
from undisclosed.core.text import addresses_in_text

CHANNEL = "body text"
ATTACHED = "attached text"


def read_body_text(text: str) -> tuple[list[Address], list[Address]]:
    """Who stands in the text, and who in header blocks that it quotes."""
    quoted, rest = quoted_people(text)
    return addresses_in_text(rest), quoted
