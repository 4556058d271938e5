# SPDX-License-Identifier: Apache-2.0
"""The people of a confidential list are hidden from each other from its import on."""

from collections.abc import Iterator
from datetime import datetime

from undisclosed.console import wiring
from undisclosed.core.address import Address
from undisclosed.core.campaign import Sensitivity, Way
from undisclosed.core.disclosure import Sides
from undisclosed.store import campaign_lists, lists

_AT_ONCE = 10_000


def hide(list_id: str, now: datetime) -> None:
    """Have Memory keep the outsiders of a list hidden, unless it is an ordinary one.

    Part of the caller's transaction. Raises NoSuchList, TransientError.
    """
    facts = campaign_lists.get(list_id)
    if facts.sensitivity is not Sensitivity.ORDINARY:
        wiring.memory().hide(_outsiders(list_id), is_sensitive=True, now=now)


def _outsiders(list_id: str) -> Iterator[Address]:
    policy = wiring.policy()
    for number, row in enumerate(lists.rows(list_id, way=Way.MAIL)):
        if number % _AT_ONCE == 0:
            # It remembers whom it was asked about: not a million people.
            sides = Sides(policy.own_domains, policy.outsiders)
        if row.address is not None and sides.is_outsider(row.address):
            yield row.address
