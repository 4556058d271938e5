# SPDX-License-Identifier: Apache-2.0
"""Campaigns that ended long ago lose their text, their files and what servers said.

Counts, findings, approvals and the journal stay; with the text goes the proof, which
has to be downloaded before.
"""

from datetime import datetime
from typing import Final

from undisclosed.store import journal
from undisclosed.store.database import Connection

_OVER: Final = """
SELECT id FROM store_campaign
 WHERE ended_at < %s AND data_key IS NOT NULL
 ORDER BY ended_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
_FORGET: Final = (
    "DELETE FROM store_campaignfilechunk WHERE file_id IN"
    " (SELECT id FROM store_campaignfile WHERE campaign_id = %s)",
    "DELETE FROM store_campaignfile WHERE campaign_id = %s",
    "UPDATE store_delivery SET reply_sealed = NULL"
    " WHERE campaign_id = %s AND reply_sealed IS NOT NULL",
    "UPDATE store_campaign SET data_key = NULL, draft_sealed = NULL,"
    " approved_sealed = NULL WHERE id = %s",
)


def purge(connection: Connection, before: datetime, most: int, now: datetime) -> int:
    """Forget what ended before then; how many campaigns, at most so many."""
    over = [row[0] for row in connection.all(_OVER, (before, most))]
    for campaign_id in over:
        for query in _FORGET:
            connection.run(query, (campaign_id,))
        facts = {"campaign": campaign_id}
        journal.write_with(
            connection, "campaign forgotten", facts, actor="sweep", at=now
        )
    return len(over)
