# SPDX-License-Identifier: Apache-2.0
"""Where people are shown, in the words of a finding: ``To, Cc``."""

from collections.abc import Collection, Mapping

from undisclosed.core.address import Address

MOST_NAMED = 4
"""Channels that a finding names; of the others it gives the number."""


def channels(
    shown: Mapping[Address, tuple[str, ...]], people: Collection[Address]
) -> str:
    """The channels that show these people, each once, in the order of reading."""
    found = dict.fromkeys(
        channel
        for address, names in shown.items()
        if address in people
        for channel in names
    )
    named = list(found)[:MOST_NAMED]
    more = len(found) - len(named)
    return ", ".join(named) + (f" and {more:,} more" if more else "")
