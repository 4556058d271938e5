# SPDX-License-Identifier: Apache-2.0
"""The fields of a mailing list: List-* (RFC 2369, RFC 2919) and older ones.

They hold the list's own addresses: where to post, to leave, to ask for help. No
person is named by them, and every message of a list carries half a dozen, so they
are not shown as people. Fields that hold more addresses than a list has offices, in
one or all together, are something else, and are shown whole.
"""

import re
from collections.abc import Collection, Iterable

from undisclosed.core.address import Address
from undisclosed.core.shown.channel import FieldChannel, Role, usual_spelling
from undisclosed.core.text import addresses_in_text

MOST_OFFICES = 4
"""A list has an address to post to, to join, to leave, and its owner's."""

MOST_OFFICES_IN_ALL = 8
"""Distinct addresses in all the fields of a list together."""

_NAMES = re.compile(
    r"(?:x-)?list-[a-z-]+|x-mailing-list|mailing-list|x-beenthere|x-loop|x-list"
    r"|x-egroups-.*|x-mailman-.*|x-unsubscribe|archived-at|feedback-id|x-feedback-id"
    r"|x-csa-complaints"
)


def are_offices(fields: Iterable[Collection[Address]]) -> bool:
    """Whether the addresses of the list's fields can be the list's own."""
    everybody: set[Address] = set()
    for found in fields:
        everybody.update(found)
        if len(frozenset(found)) > MOST_OFFICES:
            return False
    return len(everybody) <= MOST_OFFICES_IN_ALL


def list_channel(name: str) -> FieldChannel | None:
    """The channel of a list's field, None for other fields."""
    if not _NAMES.fullmatch(name[:80]):
        return None
    return FieldChannel(usual_spelling(name), addresses_in_text, Role.OFFICE)
