# SPDX-License-Identifier: Apache-2.0
"""What is in doubt, decided: by a person, or by the campaign's policy.

A message is in doubt when its content left and no answer was recorded. To try it
again may double it, to take it for sent may lose it: both are somebody's decision,
and stand in the journal.
"""

from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.campaign import (
    CampaignEvent,
    CampaignState,
    DeliveryState,
    NoSuchStep,
)
from undisclosed.store import campaigns, jobs, journal, ledger
from undisclosed.store.database import Connection, database, transaction

POLICIES: Final = {"resend": DeliveryState.QUEUED, "sent": DeliveryState.SENT}
"""What a campaign's ``in_doubt`` may decide by itself; ``ask`` leaves it to people."""

MOST_RESENDS: Final = 5
"""A message that is in doubt after so many tries is left to a person."""

SETTLED_AFTER: Final = timedelta(seconds=30)
"""Before that, a worker that only lost the database may still record the answer."""

_LOCK: Final = "SELECT state FROM store_campaign WHERE id = %s FOR UPDATE"
# Workers share it; whoever pauses or cancels the campaign waits, or is seen.
_SHARE: Final = "SELECT state FROM store_campaign WHERE id = %s FOR SHARE"
_IS_STUCK: Final = """
SELECT bool_and(attempts >= %s) FROM store_delivery
 WHERE campaign_id = %s AND state = 'in doubt'
"""


def decide(campaign_id: str, *, resend: bool, by: object, now: datetime) -> int:
    """A person decides all that is in doubt and in nobody's hand; how many.

    Raises NoSuchStep where it is to leave again and the campaign has ended, and
    NoSuchCampaign.
    """
    choice = "resend" if resend else "sent"
    with transaction() as connection:
        row = connection.one(_LOCK, (campaign_id,))
        if row is None:
            raise campaigns.NoSuchCampaign(campaign=campaign_id)
        state = CampaignState(row[0])
        if resend and state not in (CampaignState.SENDING, CampaignState.PAUSED):
            raise NoSuchStep(state=state.value, step=CampaignEvent.RESUME.value)
        decided = ledger.decide_doubt(
            connection, campaign_id, POLICIES[choice], now, reason=choice
        )
        _write(connection, campaign_id, choice, decided, str(by), now)
        if decided:
            jobs.defer(connection, jobs.SEND)
    return decided


def settle(campaign_id: str, policy: str, now: datetime) -> int:
    """The campaign's policy decides, where it has one and is being sent; how many."""
    if policy not in POLICIES:
        return 0
    with transaction() as connection:
        row = connection.one(_SHARE, (campaign_id,))
        if row is None or row[0] != CampaignState.SENDING.value:
            return 0
        decided = ledger.decide_doubt(
            connection,
            campaign_id,
            POLICIES[policy],
            now,
            reason=policy,
            before=now - SETTLED_AFTER,
            **({"attempts": MOST_RESENDS} if policy == "resend" else {}),
        )
        _write(connection, campaign_id, policy, decided, "worker", now)
    return decided


def is_for_people(campaign_id: str, policy: str) -> bool:
    """Whether the policy decides about nothing of what is in doubt, now or later."""
    if policy != "resend":
        return policy not in POLICIES
    with database() as connection:
        row = connection.one(_IS_STUCK, (MOST_RESENDS, campaign_id))
    return row is not None and bool(row[0])


def _write(
    connection: Connection,
    campaign_id: str,
    choice: str,
    decided: int,
    by: str,
    now: datetime,
) -> None:
    if decided:
        facts = {"campaign": campaign_id, "choice": choice, "messages": decided}
        journal.write_with(connection, "doubt decided", facts, actor=by, at=now)
