# SPDX-License-Identifier: Apache-2.0
"""What a list leaves elsewhere, and what goes with it when it is destroyed.

Files on their way into it, files that campaigns send to one person each, what mail
servers said of its people, and the proofs that hold those words. What stays are the
template, which is nobody's, counts, keyed hashes, and suppressions: whoever must not be
mailed must not be mailed by the next list either.
"""

from typing import Final

from undisclosed.store.database import Connection

_CAMPAIGNS: Final = "SELECT id FROM store_campaign WHERE list_id = %s"
_FORGET: Final = (
    "DELETE FROM store_listuploadchunk WHERE upload_id IN"
    " (SELECT id FROM store_listupload WHERE list_id = %s)",
    "DELETE FROM store_listupload WHERE list_id = %s",
    "DELETE FROM store_campaignfilechunk WHERE file_id IN"
    " (SELECT f.id FROM store_campaignfile f JOIN store_campaign c"
    "   ON c.id = f.campaign_id"
    "   WHERE c.list_id = %s AND f.column_sealed IS NOT NULL)",
    "DELETE FROM store_campaignfile WHERE column_sealed IS NOT NULL"
    " AND campaign_id IN (SELECT id FROM store_campaign WHERE list_id = %s)",
    "UPDATE store_campaign SET proof_sealed = NULL"
    " WHERE list_id = %s AND proof_sealed IS NOT NULL",
)
_REPLIES: Final = (
    "UPDATE store_delivery SET reply_sealed = NULL"
    " WHERE campaign_id = %s AND reply_sealed IS NOT NULL"
)


def forget(connection: Connection, list_id: str) -> None:
    """Remove all of it, in the transaction that destroys the list."""
    for query in _FORGET:
        connection.run(query, (list_id,))
    # One campaign at a time: each is a partition of the ledger.
    for (campaign_id,) in connection.all(_CAMPAIGNS, (list_id,)):
        connection.run(_REPLIES, (campaign_id,))
