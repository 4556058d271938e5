# SPDX-License-Identifier: Apache-2.0
"""Campaigns beside each other: none waits for the end of another one's run."""

import asyncio
from datetime import timedelta

import pytest

from tests.send.sending import (
    DRAFT,
    IN_DOUBT,
    QUEUED,
    SENT,
    TOKENS,
    another,
    in_the_loop,
    sent,
    state_of,
)
from tests.store.campaigns import NOW, approve_as_it_is, sending
from tests.transport.smtp.talking import run
from undisclosed.core.campaign import CampaignState
from undisclosed.errors import TransientError
from undisclosed.guard.testing import FixedClock
from undisclosed.send.connections import Connections
from undisclosed.send.deliver import Sender
from undisclosed.send.draft import to_json
from undisclosed.send.rates import Rates
from undisclosed.send.settings import SendSettings
from undisclosed.store import campaigns, ledger
from undisclosed.store.database import database as connected
from undisclosed.transport.smtp.client import ClientSettings, connect
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script


class Ticking(FixedClock):
    """A clock that goes on by some seconds whenever somebody looks at it."""

    def __call__(self):
        self.advance(timedelta(seconds=5))
        return self.now


def changed(sql, *values):
    with connected() as connection:
        connection.run(sql, values)


def beside_a_long_one():
    """A long campaign and a short one; what has a rate gives way after each batch."""
    long = sending(60, to_json(DRAFT))
    changed("UPDATE store_campaign SET per_minute = 600 WHERE id = %s", long)
    return long, another(long)


def places(hop, local_parts):
    """When those people had their messages, among all."""
    order = [one.rcpts[0].partition(b"<")[2].partition(b"@")[0] for one in hop.taken]
    return [order.index(one.encode()) for one in local_parts]


def test_a_campaign_with_a_rate_does_not_wait_for_the_whole_of_another(database):
    long, short = beside_a_long_one()
    changed("UPDATE store_campaign SET per_minute = 1 WHERE id = %s", short)

    hop, _ = sent(clock=Ticking(NOW), batch=3, group=3, connections=1)

    assert max(places(hop, ["q1", "q2", "q3"])) < max(places(hop, ["p60"]))
    assert ledger.counts(long) == {SENT: 60}
    assert ledger.counts(short) == {SENT: 3}


def test_what_was_paused_and_resumed_goes_on_before_another_is_done(database):
    long, short = beside_a_long_one()
    changed("UPDATE store_campaign SET digest = '' WHERE id = %s", short)

    class Resuming(Ticking):
        def __call__(self):
            is_paused = not in_the_loop() and state_of(short) is CampaignState.PAUSED
            if is_paused:
                approve_as_it_is(short)
                campaigns.resume(short, by="sam", now=NOW)
            return super().__call__()

    hop, _ = sent(clock=Resuming(NOW), batch=3, group=3, connections=1)

    assert max(places(hop, ["q1", "q2", "q3"])) < max(places(hop, ["p60"]))
    assert state_of(short) is state_of(long) is CampaignState.DONE


class Sending:
    """One worker that sends to a hop, and what its tests do meanwhile."""

    def __init__(self, hop, *, connections=1, alive=None, **settings):
        where = ClientSettings("127.0.0.1", hop.port, "c.test")
        self.stop = asyncio.Event()
        self.sender = Sender(
            Connections(lambda: connect(where), connections),
            TOKENS,
            Rates(),
            SendSettings(hostname="c.test", **settings),
            by="one",
            clock=FixedClock(NOW),
            alive=alive,
        )

    def begin(self):
        return asyncio.create_task(self.sender.send_due(self.stop))


async def until(is_so):
    """Wait for it, for as long as the machine needs."""
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(is_so):
            await asyncio.sleep(0.02)


def test_the_connections_are_closed_where_the_store_is_away(database):
    sending(6, to_json(DRAFT))
    seen = []

    def alive():
        seen.append(1)
        if len(seen) > 1:
            raise TransientError("The database is away.")

    async def scenario():
        async with FakeHop() as hop:
            going = Sending(hop, batch=3, alive=alive).begin()
            with pytest.raises(TransientError):
                await asyncio.wait_for(going, 60)
            await until(lambda: hop.verbs()[-1:] == ["QUIT"])

    run(scenario())


def test_one_slow_answer_keeps_no_other_message_in_doubt(database):
    campaign = sending(10, to_json(DRAFT))

    async def scenario():
        async with FakeHop(EVERYTHING, Script(rcpts={"p3": Fault.SILENCE})) as hop:
            worker = Sending(hop, connections=2)
            going = worker.begin()
            await until(lambda: ledger.counts(campaign) == {SENT: 9, IN_DOUBT: 1})
            worker.stop.set()
            hop.cut()
            await asyncio.wait_for(going, 60)

    run(scenario())

    assert ledger.counts(campaign) == {SENT: 9, QUEUED: 1}


def test_a_list_that_changes_meanwhile_leaves_nothing_in_doubt(database):
    campaign = sending(8, to_json(DRAFT))

    async def scenario():
        async with FakeHop(EVERYTHING, Script(delay=0.15)) as hop:
            going = Sending(hop, connections=4).begin()
            await until(lambda: hop.taken)
            await asyncio.to_thread(
                changed, "UPDATE store_campaign SET list_version = list_version + 1"
            )
            await asyncio.wait_for(going, 60)
            return hop

    hop = run(scenario())

    counts = ledger.counts(campaign)
    assert counts.get(IN_DOUBT, 0) == 0
    assert counts[SENT] == len(hop.taken)
