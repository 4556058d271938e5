# SPDX-License-Identifier: Apache-2.0
"""What Memory forgets: threads and hidden audiences, ended circles, unused keys."""

from datetime import datetime
from typing import Final

from undisclosed.store.database import Connection
from undisclosed.store.memory_audiences import forget
from undisclosed.store.memory_keys import destroy_unused

MOST_PEOPLE: Final = 100_000
"""Members that one call forgets, so that it does not hold up mail."""

# The running sum lets at least one audience go, however large it is.
_OVER: Final = """
SELECT id FROM (
    SELECT id, people, sum(people) OVER (ORDER BY at, id) AS so_far
      FROM store_audience
     WHERE (until IS NULL AND at < %s) OR until < %s
     ORDER BY at, id LIMIT 1000
) AS over WHERE so_far - people < %s
"""
_CIRCLES: Final = (
    "DELETE FROM store_circle WHERE least(until, coalesce(ended_at, until)) < %s"
)
_CONTROLS: Final = (
    "DELETE FROM store_visiblemailcontrol"
    " WHERE least(until, coalesce(lifted_at, until)) < %s"
)


def purge(
    connection: Connection,
    *,
    audiences_since: datetime,
    kept_since: datetime,
    now: datetime,
) -> int:
    """Forget what is over; how many audiences went.

    ``audiences_since``: threads and hidden audiences without a mail since then go.
    ``kept_since``: circles and controls that ended before it are no longer shown.
    """
    rows = connection.all(_OVER, (audiences_since, now, MOST_PEOPLE))
    over = [row[0] for row in rows]
    if over:
        forget(connection, over)
    connection.run(_CIRCLES, (kept_since,))
    connection.run(_CONTROLS, (kept_since,))
    destroy_unused(connection)
    return len(over)
