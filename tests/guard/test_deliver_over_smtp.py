# SPDX-License-Identifier: Apache-2.0
"""The same deliveries over sockets, with kept connections, to a hop that misbehaves."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.guard.worlds import (
    APPROVER,
    MINUTE,
    NAME,
    SENDER,
    World,
    mail,
    people,
)
from undisclosed.core.held import CopyState, OutgoingKind
from undisclosed.guard import desk
from undisclosed.guard.deliver import DeliverySettings, deliver_due
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.transport.smtp.client import ClientSettings
from undisclosed.transport.smtp.testing import FakeHop, Fault, Script

TEN = people(range(10))
SETTINGS = DeliverySettings(concurrency=4, patience=timedelta(seconds=20))


def over_smtp(world: World, *scripts: Script, settings=SETTINGS) -> FakeHop:
    """One round per script, a minute and more apart; the hop with all it took."""

    async def run() -> FakeHop:
        async with FakeHop() as there:
            hop = Hop(HopSettings(ClientSettings("127.0.0.1", there.port)))
            for script in scripts:
                there.script = script
                await deliver_due(
                    world.spool, hop, "w", world.clock, name=NAME, settings=settings
                )
                world.clock.advance(5 * MINUTE)
                there.cut()  # kept connections do not outlast five minutes
                await asyncio.sleep(0.01)
            await hop.close()
            return there

    return asyncio.run(run())


def split_to(world: World, **changes) -> None:
    world.desk(desk.send_singly, world.held(mail(TEN, **changes)), SENDER)


def copies(world: World) -> dict[str, CopyState]:
    return {
        address.local_part: copy.state
        for copy in world.spool.outgoing()
        if copy.kind is not OutgoingKind.NOTICE
        for address in copy.envelope.rcpt_tos
    }


def test_ten_copies_leave_in_ten_transactions_over_kept_connections():
    world = World()
    split_to(
        world,
        parameters=("BODY=8BITMIME", "RET=HDRS", "ENVID=7"),
        recipient_parameters=("NOTIFY=FAILURE",),
    )

    hop = over_smtp(world, Script())

    private = [taken for taken in hop.taken if b"MAIL FROM:<olive@" in taken.mail]
    assert len(private) == 10
    assert {len(taken.rcpts) for taken in private} == {1}
    assert all(b"ENVID=7" in taken.mail for taken in private)
    assert all(b"NOTIFY=FAILURE" in taken.rcpts[0] for taken in private)
    assert hop.connections <= 4
    assert hop.violations == []
    assert set(copies(world).values()) == {CopyState.SENT}


@pytest.mark.parametrize(
    "fault",
    [
        Script(final=Fault.CLOSE),
        Script(content=Fault.CLOSE),
        Script(mail=Fault.CLOSE),
        Script(final="451 4.3.0 Later"),
        Script(data="421 4.3.2 Closing"),
        Script(greeting="554 5.0.0 No"),
    ],
    ids=["at the dot", "in the content", "at MAIL", "4xx", "421", "no greeting"],
)
def test_what_does_not_arrive_now_arrives_later(fault):
    world = World()
    split_to(world)

    hop = over_smtp(world, fault, Script())

    assert set(copies(world).values()) == {CopyState.SENT}
    arrived = [taken.rcpts[0] for taken in hop.taken if b"olive@" in taken.mail]
    assert len(set(arrived)) == len(arrived) == 10


def test_a_silent_hop_is_left_and_asked_again():
    world = World()
    split_to(world)
    impatient = replace(SETTINGS, patience=timedelta(milliseconds=200))

    hop = over_smtp(world, Script(final=Fault.SILENCE), settings=impatient)
    assert set(copies(world).values()) == {CopyState.DELAYED}
    assert hop.taken == []
    again = over_smtp(world, Script())

    assert len(again.taken) == 11
    assert set(copies(world).values()) == {CopyState.SENT}


def test_each_recipient_of_a_release_has_their_own_fate():
    world = World()
    world.desk(desk.release, world.held(mail(TEN)), APPROVER, reason="x")
    refuses = Script(
        rcpts={"p1": "550 5.1.1 No", "p2": "450 4.2.1 Later", "p3": "450 4.2.1 Later"}
    )

    hop = over_smtp(world, refuses, Script())

    by_name = copies(world)
    assert by_name.pop("p1") is CopyState.FAILED
    assert set(by_name.values()) == {CopyState.SENT}
    released = [taken for taken in hop.taken if b"olive@" in taken.mail]
    assert [len(taken.rcpts) for taken in released] == [7, 2]
