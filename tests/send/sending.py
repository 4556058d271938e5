# SPDX-License-Identifier: Apache-2.0
"""A campaign that is sent to a hop of the tests, and what its tests ask of it."""

import asyncio
import secrets

from tests.store.campaigns import (
    NOW,
    approve_as_it_is,
    set_state,
)
from tests.transport.smtp.talking import run
from undisclosed.core.address import Address
from undisclosed.core.campaign import (
    CampaignState,
    DeliveryState,
    Draft,
)
from undisclosed.guard.testing import FixedClock
from undisclosed.send.connections import Connections
from undisclosed.send.deliver import Sender
from undisclosed.send.draft import to_json
from undisclosed.send.rates import Rates
from undisclosed.send.settings import SendSettings
from undisclosed.send.tokens import Purpose, Tokens
from undisclosed.store import campaigns, ledger
from undisclosed.transport.smtp.client import ClientSettings, connect
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop

DRAFT = Draft("Bins, {{ name }}", "Dear {{ name }},\n\nMonday.", Address("t", "c.test"))
TOKENS = Tokens({purpose: secrets.token_bytes(32) for purpose in Purpose})
SENT, FAILED, QUEUED, IN_DOUBT = (
    DeliveryState.SENT,
    DeliveryState.FAILED,
    DeliveryState.QUEUED,
    DeliveryState.IN_DOUBT,
)


def sent(
    script=None, *, clock=None, rates=None, offers=EVERYTHING, hide=None, **settings
):
    """Send whatever is due to such a hop; the hop, and when more is due."""
    clock = clock or FixedClock(NOW)
    chosen = SendSettings(**{"hostname": "c.test", "group": 7, **settings})

    async def scenario():
        async with FakeHop(offers, script) as hop:
            where = ClientSettings("127.0.0.1", hop.port, "c.test")
            kept = Connections(lambda: connect(where), chosen.connections)
            limits = rates or Rates()
            sender = Sender(
                kept, TOKENS, limits, chosen, by="one", clock=clock, hide=hide
            )
            again_at = await asyncio.wait_for(sender.send_due(asyncio.Event()), 60)
            kept.close()
            return hop, again_at

    return run(scenario())


def in_the_loop():
    """Whether this is called where nothing may block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def state_of(campaign):
    return campaigns.get(campaign).state


def the_list_is_the_approved_one(campaign):
    from undisclosed.store.database import database as connected

    with connected() as connection:
        connection.run(
            "UPDATE store_campaign c SET list_version = l.version"
            " FROM store_recipientlist l WHERE l.id = c.list_id AND c.id = %s",
            (campaign,),
        )
    approve_as_it_is(campaign)


def with_policy(campaign, policy):
    from undisclosed.store.database import database as connected

    with connected() as connection:
        connection.run("UPDATE store_campaign SET in_doubt = %s", (policy,))


def another(campaign):
    """A second campaign of the same team, to three others."""
    from tests.store.campaigns import COLUMNS
    from undisclosed.core.campaign import MailKind, Row, Sensitivity
    from undisclosed.store import lists
    from undisclosed.store.database import transaction
    from undisclosed.store.lists import ListFacts
    from undisclosed.store.models import Campaign

    old = Campaign.objects.get(pk=campaign)
    by, team = old.created_by.pk, old.team.pk
    facts = ListFacts("South", "bin days", Sensitivity.ORDINARY)
    key = lists.create(facts, team=team, owner=by, by="test", now=NOW)
    people = [Address(f"q{n}", "b.example") for n in (1, 2, 3)]
    rows = [
        Row(n, one, {"Email": one.spelled_out(), "Name": f"Q{n}"})
        for n, one in enumerate(people, 1)
    ]
    lists.import_rows(key, COLUMNS, rows, by="test", now=NOW)
    made = campaigns.create("South", team=team, kind=MailKind.SERVICE, by=by, now=NOW)
    campaigns.change(made, by=by, now=NOW, text=to_json(DRAFT), list_id=key)
    approve_as_it_is(made)
    set_state(made, CampaignState.SENDING)
    with transaction() as connection:
        ledger.expand(connection, made, NOW)
        connection.run("UPDATE store_campaign SET step = 0 WHERE id = %s", (made,))
    return made
