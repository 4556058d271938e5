# SPDX-License-Identifier: Apache-2.0
"""What is over is gone: the sweep calls this, and little is done at a time.

A decided mail keeps its envelope and its copies for as long as ``holds.keep`` says,
its content as long as a copy is to leave; after that its data key is destroyed, and
what was sealed with it with it. Counts and the journal stay.
"""

from datetime import datetime
from typing import Final

from undisclosed.store import (
    accepted,
    cache,
    campaign_retention,
    forgetting,
    lists,
    memory_retention,
    uploads,
    used,
)
from undisclosed.store.database import Connection, transaction
from undisclosed.store.settings_values import Settings

_BATCH: Final = 500
_MOST_ACCEPTED: Final = 20_000  # as many are noted by a busy guard between two sweeps

_MEMORY: Final = """
DELETE FROM store_rememberedwave WHERE id IN (
    SELECT id FROM store_rememberedwave WHERE at < %s ORDER BY at LIMIT %s)
"""
_MAILINGS: Final = """
DELETE FROM store_mailing WHERE id IN (
    SELECT id FROM store_mailing WHERE last_at < %s AND held_at IS NULL
     ORDER BY last_at LIMIT %s)
"""
# Mail of our own carries the sender's address and the subject: it goes as soon.
_OWN_MAIL: Final = """
DELETE FROM store_outgoingmail WHERE id IN (
    SELECT id FROM store_outgoingmail
     WHERE hold_id IS NULL AND updated_at < %s
       AND (state = 'sent' OR (state = 'failed' AND reported_at IS NOT NULL))
     LIMIT %s)
"""
_OVER: Final = """
SELECT id FROM store_heldmail h
 WHERE decided_at < %s AND data_key IS NOT NULL
   AND NOT EXISTS (
       SELECT FROM store_outgoingmail o WHERE o.hold_id = h.id
          AND (o.state IN ('queued', 'delayed')
               OR (o.state = 'failed' AND o.reported_at IS NULL)))
 ORDER BY decided_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
_FORGET: Final = (
    "DELETE FROM store_heldchunk WHERE hold_id = ANY(%b::text[])",
    "DELETE FROM store_outgoingmail WHERE hold_id = ANY(%b::text[])",
    "UPDATE store_heldmail SET data_key = NULL, envelope_sealed = NULL,"
    " sender_sealed = NULL, subject_sealed = NULL, reading_sealed = NULL,"
    " reason_sealed = NULL, sender_hash = NULL, people_hashes = '{}'"
    " WHERE id = ANY(%b::text[])",
)
_LINKS: Final = "DELETE FROM store_loginlink WHERE expires_at < %s"
_SESSIONS: Final = (
    "DELETE FROM django_session WHERE expire_date < %s",
    # Where somebody was logged in is kept no longer than the session itself.
    "DELETE FROM usersessions_usersession u WHERE NOT EXISTS ("
    "SELECT FROM django_session s WHERE s.session_key = u.session_key)",
)


def purge(settings: Settings, now: datetime) -> int:
    """Forget what is over; how many held mails and places in Memory went.

    A call does a limited amount of work; the next one goes on. Raises
    TransientError where the database is away.
    """
    kept_since = now - settings.holds.keep
    remembered_since = now - settings.store.memory_retention
    with transaction() as connection:
        gone = connection.run(_MEMORY, (remembered_since, _BATCH)).rowcount
        connection.run(_MAILINGS, (remembered_since, _BATCH))
        memory_retention.purge(
            connection,
            audiences_since=now - settings.store.audience_retention,
            kept_since=kept_since,
            now=now,
        )
        connection.run(_OWN_MAIL, (kept_since, _BATCH))
        connection.run(_LINKS, (now,))
        used.forget(connection, now, _BATCH)
        accepted.purge(connection, kept_since, _MOST_ACCEPTED)
        uploads.purge(connection, now, _BATCH)
        lists.destroy_over(now, _BATCH)
        campaign_retention.purge(connection, now - settings.send.keep, 1, now)
        connection.run(_SESSIONS[0], (now,))
        connection.run(_SESSIONS[1])
        cache.forget(connection, now)
        forgotten = now - settings.store.people_retention
        forgetting.forget_over(connection, forgotten, now)
        return gone + _forget_holds(connection, kept_since)


def _forget_holds(connection: Connection, before: datetime) -> int:
    over = [row[0] for row in connection.all(_OVER, (before, _BATCH))]
    if over:
        for query in _FORGET:
            connection.run(query, (over,))
    return len(over)
