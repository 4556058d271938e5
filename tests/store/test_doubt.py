# SPDX-License-Identifier: Apache-2.0
"""What is in doubt is decided by the policy only while its campaign is being sent."""

from datetime import timedelta

import pytest

from tests.store.campaigns import NOW, sending, set_state
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.store import campaigns, doubt, ledger
from undisclosed.store.database import database as connected
from undisclosed.store.models import JournalEntry

LATER = NOW + timedelta(hours=2)
IN_DOUBT, QUEUED, SENT = (
    DeliveryState.IN_DOUBT,
    DeliveryState.QUEUED,
    DeliveryState.SENT,
)


def in_doubt(people):
    """A campaign all of whose messages are in doubt, and in nobody's hand."""
    campaign = sending(people)
    lease = timedelta(minutes=1)
    ledger.claim(campaign, by="one", limit=people, lease=lease, now=NOW)
    ledger.begin(campaign, range(1, people + 1), by="one", now=NOW, lease=lease)
    return campaign


@pytest.mark.parametrize(
    ("policy", "becomes"), [("resend", QUEUED), ("sent", SENT), ("ask", IN_DOUBT)]
)
def test_the_policy_decides_while_it_is_being_sent(database, policy, becomes):
    campaign = in_doubt(3)

    decided = doubt.settle(campaign, policy, LATER)

    assert decided == (0 if becomes is IN_DOUBT else 3)
    assert ledger.counts(campaign) == {becomes: 3}


@pytest.mark.parametrize("policy", ["resend", "sent"])
def test_a_campaign_that_was_cancelled_meanwhile_has_nothing_queued(database, policy):
    campaign = in_doubt(3)
    campaigns.cancel(campaign, by="sam", now=NOW)

    assert doubt.settle(campaign, policy, LATER) == 0

    assert ledger.counts(campaign) == {IN_DOUBT: 3}
    events = JournalEntry.objects.values_list("event", flat=True)
    assert "doubt decided" not in events


def test_a_paused_campaign_leaves_it_to_a_person(database):
    campaign = in_doubt(3)
    set_state(campaign, CampaignState.PAUSED)

    assert doubt.settle(campaign, "resend", LATER) == 0
    assert doubt.decide(campaign, resend=True, by="sam", now=LATER) == 3


@pytest.mark.parametrize(
    ("policy", "tries", "is_so"),
    [
        ("ask", 1, True),
        ("sent", doubt.MOST_RESENDS, False),
        ("resend", 1, False),
        ("resend", doubt.MOST_RESENDS - 1, False),
        ("resend", doubt.MOST_RESENDS, True),
    ],
)
def test_what_was_tried_too_often_is_for_people(database, policy, tries, is_so):
    campaign = in_doubt(3)
    with connected() as connection:
        connection.run("UPDATE store_delivery SET attempts = %s", (tries,))

    assert doubt.is_for_people(campaign, policy) is is_so


def test_one_of_many_that_the_policy_still_decides_is_enough(database):
    campaign = in_doubt(120)
    with connected() as connection:
        connection.run(
            "UPDATE store_delivery SET attempts = %s WHERE number < 120",
            (doubt.MOST_RESENDS,),
        )

    assert not doubt.is_for_people(campaign, "resend")


def test_where_nothing_is_in_doubt_any_more_nobody_has_to_decide(database):
    assert not doubt.is_for_people(sending(3), "resend")
