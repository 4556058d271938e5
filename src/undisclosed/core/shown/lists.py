# SPDX-License-Identifier: Apache-2.0
"""The fields of a mailing list: List-* (RFC 2369, RFC 2919) and older ones.

They hold the list's own addresses: where to post, to leave, to ask for help. No
person is named by them, and every message of a list carries half a dozen, so they
are not shown as people. A field that holds more addresses than a list has offices is
something else, and is shown whole.
"""

import re

from undisclosed.core.address import Address
from undisclosed.core.shown.channel import FieldChannel, usual_spelling
from undisclosed.core.text import addresses_in_text

MOST_OFFICES = 4
"""A list has an address to post to, to join, to leave, and its owner's."""

_NAMES = re.compile(
    r"(?:x-)?list-[a-z-]+|x-mailing-list|mailing-list|x-beenthere|x-loop|x-list"
    r"|x-egroups-.*|x-mailman-.*|x-unsubscribe|archived-at|feedback-id|x-feedback-id"
    r"|x-csa-complaints"
)


def _read(text: str) -> list[Address]:
    if text.count("@") + text.count("%40") <= MOST_OFFICES:
        return []
    found = addresses_in_text(text)
    return found if len(dict.fromkeys(found)) > MOST_OFFICES else []


def list_channel(name: str) -> FieldChannel | None:
    """The channel of a list's field, None for other fields."""
    if not _NAMES.fullmatch(name[:80]):
        return None
    return FieldChannel(usual_spelling(name), _read)
