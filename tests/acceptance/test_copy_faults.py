# SPDX-License-Identifier: Apache-2.0
"""The next hop fails at copy k: every other copy leaves once, copy k is not lost."""

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import product

import pytest

from tests.acceptance.faulty_hop import Deed, FaultyHop, Step
from tests.guard.worlds import NAME, SENDER, World, mail, people
from undisclosed.console.wiring import memory, spool
from undisclosed.core.held import CopyState
from undisclosed.guard import desk
from undisclosed.guard.deliver import DeliverySettings, deliver_due
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.store.models import OutgoingMail
from undisclosed.transport.smtp.client import ClientSettings, Timeouts

COUNT = 6
PATIENCE = timedelta(seconds=2)
ROUNDS = 4

ENDS = (0, COUNT - 1)
FAULTS = [
    *product((Step.RCPT, Step.DATA, Step.DOT), (Deed.LATER, Deed.NEVER), ENDS),
    *product((Step.RCPT, Step.DATA, Step.CONTENT, Step.DOT), (Deed.CLOSE,), ENDS),
    *product((Step.TAKEN,), (Deed.CLOSE,), ENDS),
    *product(Step, (Deed.SILENCE,), (COUNT // 2,)),
]


@pytest.mark.parametrize(
    ("step", "deed", "number"),
    FAULTS,
    ids=[f"{deed.value} {step.value} of p{number}" for step, deed, number in FAULTS],
)
def test_a_fault_at_one_copy_costs_no_other(
    database: object, step: Step, deed: Deed, number: int
) -> None:
    world = World()
    hop = FaultyHop(f"p{number}", step, deed)
    hold_id = _split(world)

    asyncio.run(_deliver(world, hop))

    times = Counter(hop.taken)
    others = {f"p{n}" for n in range(COUNT)} - {hop.victim}
    assert {times[one] for one in others} == {1}
    states = dict(_states(hold_id))
    assert hop.times == 0, "the fault did not happen"
    if deed is Deed.NEVER:
        assert times[hop.victim] == 0
        assert states == {CopyState.SENT.value: COUNT - 1, CopyState.FAILED.value: 1}
        (report,) = spool().unreported(now=world.clock(), interval=timedelta(0))
        assert [one.hold_id for one in report] == [hold_id]
    else:
        assert times[hop.victim] == (2 if step is Step.TAKEN else 1)
        assert states == {CopyState.SENT.value: COUNT}


def _split(world: World) -> str:
    """A held mail to so many, sent singly, in the tables."""
    world.spool, world.memory = spool(), memory()
    world.__post_init__()
    hold_id = world.held(mail(people(range(COUNT))))
    world.desk(desk.send_singly, hold_id, SENDER)
    OutgoingMail.objects.filter(kind="notice").delete()
    return hold_id


async def _deliver(world: World, hop: FaultyHop) -> None:
    """Round after round, long enough apart for every copy to be tried again."""
    timeouts = Timeouts(*(PATIENCE for _ in range(5)))
    async with hop:
        there = ClientSettings("127.0.0.1", hop.port, timeouts=timeouts)
        ours = Hop(HopSettings(there))
        settings = DeliverySettings(patience=4 * PATIENCE)
        for _ in range(ROUNDS):
            await deliver_due(
                spool(), ours, "w", world.clock, name=NAME, settings=settings
            )
            world.clock.advance(timedelta(hours=6))
        await ours.close()


def _states(hold_id: str) -> Counter[str]:
    found = OutgoingMail.objects.filter(hold_id=hold_id).exclude(kind="notice")
    return Counter(found.values_list("state", flat=True))
