# SPDX-License-Identifier: Apache-2.0
"""How a circle is declared by a page: outsiders only, and never of one alone."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from undisclosed.console import wiring
from undisclosed.core.address import Address
from undisclosed.core.disclosure import Sides
from undisclosed.guard.notices import without_others
from undisclosed.store import circles
from undisclosed.store.models import Account

MONTH = timedelta(days=30)


def declare(
    people: Iterable[Address],
    by: Account,
    *,
    reason: str,
    months: int,
    now: datetime,
) -> str:
    """Declare a circle of the outsiders among these people; its id.

    Insiders know everybody. Raises CircleRefused.
    """
    policy = wiring.policy()
    sides = Sides(policy.own_domains, policy.outsiders)
    return circles.declare(
        filter(sides.is_outsider, people),
        owner=str(by.pk),
        reason=without_others(reason),
        until=now + min(MONTH * months, circles.LONGEST),
        by=str(by.pk),
        now=now,
    )
