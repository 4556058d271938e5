# SPDX-License-Identifier: Apache-2.0
"""The trial of a new team: it mails its own members only, and few in a day."""

from datetime import datetime, timedelta
from typing import Final

from undisclosed.errors import UndisclosedError
from undisclosed.store.database import Connection

MOST_IN_A_DAY: Final = 50
"""Messages that a team on trial may send in a day."""

_DAY: Final = timedelta(days=1)

_TEAM: Final = """
SELECT t.id, c.list_id, c.recipients
  FROM store_campaign c JOIN store_team t ON t.id = c.team_id
 WHERE c.id = %s AND t.is_trial
"""
_STRANGER: Final = """
SELECT 1 FROM store_listrow r
 WHERE r.list_id = %s AND r.way = 'mail' AND NOT EXISTS (
       SELECT FROM store_accountaddress a
         JOIN store_membership m ON m.account_id = a.account_id
        WHERE m.team_id = %s AND a.address_hash = r.address_hash)
 LIMIT 1
"""
_BEGUN: Final = (
    "SELECT coalesce(sum(recipients), 0) FROM store_campaign"
    " WHERE team_id = %s AND started_at > %s AND id <> %s"
)


class TrialOnly(UndisclosedError):
    """A team on trial mails its own members only."""


class TrialEnough(UndisclosedError):
    """A team on trial sends at most fifty messages in a day."""


def refuse(connection: Connection, campaign_id: str, now: datetime) -> None:
    """Raise TrialOnly or TrialEnough where the campaign's team may not send it."""
    row = connection.one(_TEAM, (campaign_id,))
    if row is None:
        return
    team, list_id, recipients = row
    if connection.one(_STRANGER, (list_id, team)) is not None:
        raise TrialOnly(campaign=campaign_id)
    begun = connection.one(_BEGUN, (team, now - _DAY, campaign_id))
    if recipients + int(begun[0] if begun else 0) > MOST_IN_A_DAY:
        raise TrialEnough(campaign=campaign_id)
