# SPDX-License-Identifier: Apache-2.0
"""A campaign's tally in one look: by state, by time, by domain.

The ledger's trigger keeps it (migration 0015). It is read in some hundred rows,
however many people there are and however long the sending takes: the largest domains
are counted each and all others together, and time in minutes or, where there are many
of them, in hours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from undisclosed.core.campaign import DeliveryState
from undisclosed.store.database import Connection, database

MINUTES_FOR: Final = timedelta(hours=6)
"""A campaign that was answered for longer than this is shown in hours."""

_BY_DOMAIN: Final = """
SELECT domain, state, sum(number)::bigint FROM store_domaintally
 WHERE campaign_id = %s GROUP BY domain, state HAVING sum(number) <> 0
"""
# The ends are found in the index, without a look at what lies between.
_BETWEEN: Final = """
SELECT min(since), max(since) FROM store_timetally
 WHERE campaign_id = %s AND minutes = 1
"""
_BY_TIME: Final = """
SELECT since, state, sum(number)::bigint FROM store_timetally
 WHERE campaign_id = %s AND minutes = %s AND since >= %s
 GROUP BY since, state HAVING sum(number) <> 0 ORDER BY since, state
"""

Times = list[tuple[datetime, DeliveryState, int]]


@dataclass(frozen=True, slots=True)
class Tally:
    """How many are where; answered by time; every state by domain.

    ``by_time`` has steps of ``step``, ``latest`` the minutes from the moment on that
    was asked for. An empty domain stands for all that are not counted each.
    """

    counts: dict[DeliveryState, int]
    by_time: Times
    by_domain: list[tuple[str, DeliveryState, int]]
    latest: Times
    step: timedelta = timedelta(minutes=1)


def of(campaign_id: str, since: datetime) -> Tally:
    """The tally of a campaign, and what was answered from ``since`` on."""
    with database() as connection:
        rows = connection.all(_BY_DOMAIN, (campaign_id,))
        minutes = _step(connection, campaign_id)
        times = _times(connection, campaign_id, minutes, None)
        latest = _times(connection, campaign_id, 1, since) if minutes > 1 else times
    by_domain = [
        (domain, DeliveryState(state), number) for domain, state, number in rows
    ]
    counts: dict[DeliveryState, int] = {}
    for _, state, number in by_domain:
        counts[state] = counts.get(state, 0) + number
    return Tally(
        {state: number for state, number in counts.items() if number},
        times,
        by_domain,
        [one for one in latest if one[0] >= since],
        timedelta(minutes=minutes),
    )


def _step(connection: Connection, campaign_id: str) -> int:
    """In how many minutes it is shown together."""
    first, last = connection.one(_BETWEEN, (campaign_id,)) or (None, None)
    is_long = first is not None and last - first > MINUTES_FOR
    return 60 if is_long else 1


def _times(
    connection: Connection, campaign_id: str, minutes: int, since: datetime | None
) -> Times:
    values = (campaign_id, minutes, since or datetime.min.replace(tzinfo=UTC))
    rows = connection.all(_BY_TIME, values)
    return [(at, DeliveryState(state), number) for at, state, number in rows]
