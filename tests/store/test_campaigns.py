# SPDX-License-Identifier: Apache-2.0
"""A campaign begins in one transaction, and then it has begun."""

import psycopg

from tests.store.campaigns import NOW, drafted, set_state
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.store import campaigns, ledger
from undisclosed.store.database import database as connected


def test_it_has_begun_although_the_planner_could_not_be_told(database):
    campaign = drafted(2)
    set_state(campaign, CampaignState.APPROVED)

    with psycopg.connect(database.url) as other:
        # As a vacuum of the table does: whoever would analyse it waits.
        other.execute("LOCK TABLE store_delivery IN SHARE UPDATE EXCLUSIVE MODE")
        with connected() as connection:
            connection.run("SET lock_timeout = '100ms'")
        state = campaigns.start(campaign, by="test", now=NOW)

    assert state is campaigns.get(campaign).state is CampaignState.SENDING
    assert ledger.counts(campaign) == {DeliveryState.QUEUED: 2}
