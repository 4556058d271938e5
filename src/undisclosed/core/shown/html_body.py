# SPDX-License-Identifier: Apache-2.0
"""Addresses in HTML: as its reader sees it, and wherever else in its source.

Links (``mailto:``), attributes, comments and hidden text can be read by whoever looks,
and are shown the moment somebody answers or forwards. Character references are
resolved; an address that tags split is whole again.
"""

from undisclosed.core.address import Address
from undisclosed.core.html_shown import addresses_as_shown
from undisclosed.core.shown.quoted_headers import quoted_people
from undisclosed.core.text import (
    addresses_in_text,
    html_around_at_signs,
    html_has_at_sign,
    html_sources,
    html_text,
)

CHANNEL = "HTML body"


def read_html_body(source: str) -> tuple[list[Address], list[Address]]:
    """Who stands in the HTML, and who in header blocks that it quotes.

    A link around an address of a quoted header block belongs to the block.
    """
    found: list[Address] = []
    quoted: list[Address] = []
    for stretch in html_around_at_signs(source):
        block, rest = quoted_people(html_text(stretch))
        seen = addresses_in_text(rest)
        in_block = frozenset(block)
        found += seen
        found += (
            address
            for address in addresses_in_text(html_sources(stretch))
            if address not in in_block
        )
        quoted += block
    if html_has_at_sign(source):
        known = frozenset(found).union(quoted)
        found += (one for one in addresses_as_shown(source) if one not in known)
    return found, quoted
