# SPDX-License-Identifier: Apache-2.0
"""Checks that a worker is to run: who asked for which, and how far they are."""

from datetime import datetime
from typing import Final

from undisclosed.core.campaign import CampaignEvent, campaign_after
from undisclosed.store import campaigns, jobs
from undisclosed.store.database import database, transaction

_WANT: Final = (
    "UPDATE store_campaign SET check_wanted_at = %s, check_by_id = %s,"
    " checked_rows = 0 WHERE id = %s"
)
_WANTED: Final = """
SELECT id, check_by_id FROM store_campaign
 WHERE check_wanted_at IS NOT NULL ORDER BY check_wanted_at
"""


def want(campaign_id: str, *, by: object, now: datetime) -> None:
    """Ask a worker to run the checks. Raises NoSuchStep."""
    with transaction() as connection:
        campaign_after(campaigns.get(campaign_id).state, CampaignEvent.CHECK)
        connection.run(_WANT, (now, by, campaign_id))
        jobs.defer(connection, jobs.CHECK)


def progressed(campaign_id: str, rows: int) -> None:
    """Write down how many rows were looked at."""
    with database() as connection:
        connection.run(
            "UPDATE store_campaign SET checked_rows = %s WHERE id = %s",
            (rows, campaign_id),
        )


def wanted() -> list[tuple[str, object]]:
    """The campaigns whose checks are to be run, and who asked, in order."""
    with database() as connection:
        return [(row[0], row[1]) for row in connection.all(_WANTED)]


def give_up(campaign_id: str) -> None:
    """Forget that they were wanted: the campaign was changed or cancelled."""
    with database() as connection:
        connection.run(
            "UPDATE store_campaign SET check_wanted_at = NULL WHERE id = %s",
            (campaign_id,),
        )
