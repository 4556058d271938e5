# SPDX-License-Identifier: Apache-2.0
"""A campaign's tally in one look: by state, by minute, by domain.

The ledger's triggers keep it (migration 0012); it has a row for each minute, domain and
state, so it is read once for all three.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from undisclosed.core.campaign import DeliveryState
from undisclosed.store.database import database

_TALLY: Final = """
SELECT minute, domain, state, sum(number)::bigint
  FROM store_deliverytally WHERE campaign_id = %s
 GROUP BY GROUPING SETS ((state), (minute, state), (domain, state))
HAVING sum(number) <> 0
   AND (GROUPING(minute) = 1 OR state IN ('sent', 'delivered', 'failed'))
 ORDER BY minute
"""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many are where; answered by minute; every state by domain.

    An empty domain stands for all that few people share.
    """

    counts: dict[DeliveryState, int]
    by_time: list[tuple[datetime, DeliveryState, int]]
    by_domain: list[tuple[str, DeliveryState, int]]


def of(campaign_id: str) -> Tally:
    """The tally of a campaign."""
    with database() as connection:
        rows = connection.all(_TALLY, (campaign_id,))
    found = Tally({}, [], [])
    for minute, domain, name, number in rows:
        state = DeliveryState(name)
        if minute is not None:
            found.by_time.append((minute, state, number))
        elif domain is not None:
            found.by_domain.append((domain, state, number))
        else:
            found.counts[state] = number
    return found
