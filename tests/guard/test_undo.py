# SPDX-License-Identifier: Apache-2.0
"""The undo window: what is decided waits, can be taken back, and says what left."""

import asyncio
import threading
from datetime import timedelta

import pytest

from tests.guard.test_notices import text_of
from tests.guard.worlds import (
    APPROVER,
    DAY,
    HOUR,
    LATER,
    MINUTE,
    NAME,
    OK,
    OLIVE,
    SAM,
    SENDER,
    ScriptedHop,
    World,
    mail,
    people,
    person,
)
from undisclosed.core.held import CopyState, HoldState, OutgoingKind, WaveState
from undisclosed.core.policy import Policy
from undisclosed.core.verdict import Action
from undisclosed.guard import desk
from undisclosed.guard.checkpoint import CheckpointSettings
from undisclosed.guard.deliver import DeliverySettings, deliver_due
from undisclosed.guard.desk import Actor, NotYours
from undisclosed.guard.testing import MemorySpool

FORTY = people(range(40))
TWO = timedelta(minutes=2)
SPLITTING = Policy(
    own_domains=frozenset({"council.example"}),
    actions={"shown-outsiders": Action.SPLIT},
)
ALONE = Actor("account-sam", frozenset({SAM}), frozenset({"supervisor"}), True)


def deliver(world, hop, **more):
    """One round of a worker."""
    return asyncio.run(
        deliver_due(
            world.spool,
            hop,
            "worker",
            world.clock,
            name=NAME,
            memory=world.memory,
            **more,
        )
    )


def left(hop):
    """The envelopes of what left of people's mail: our own has the null sender."""
    return [envelope for envelope, _ in hop.sent if envelope.mail_from is not None]


def states(world, hold_id):
    """Where the copies of a hold are."""
    return [copy.state for copy in world.spool.copies_of(hold_id)]


def with_undo(**times):
    return World(settings=CheckpointSettings(**times))


def test_copies_wait_for_their_undo_window_and_leave_after_it():
    world, hop = World(), ScriptedHop()
    hold_id = world.held(mail(FORTY))
    outcome = world.desk(desk.send_singly, hold_id, SENDER, undo=TWO)

    world.clock.advance(TWO - MINUTE)
    deliver(world, hop)
    early = left(hop)
    world.clock.advance(MINUTE)
    deliver(world, hop)

    assert outcome.effective_at == world.clock()
    assert not early
    assert len(left(hop)) == len(FORTY)


def test_what_is_withdrawn_in_its_undo_window_leaves_nothing():
    world, hop = World(), ScriptedHop()
    hold_id = world.held(mail(FORTY))
    world.desk(desk.send_singly, hold_id, SENDER, undo=TWO)

    outcome = world.desk(desk.withdraw, hold_id, SENDER)
    world.clock.advance(DAY)
    deliver(world, hop)

    assert (outcome.state, outcome.is_new) == (HoldState.WITHDRAWN, True)
    assert set(states(world, hold_id)) == {CopyState.WITHDRAWN}
    assert not left(hop)


def test_send_now_ends_the_wait():
    world, hop = World(), ScriptedHop()
    hold_id = world.held(mail(FORTY))
    world.desk(desk.send_singly, hold_id, SENDER, undo=TWO)

    first = world.desk(desk.send_now, hold_id, SENDER)
    again = world.desk(desk.send_now, hold_id, SENDER)
    deliver(world, hop)

    assert (first.is_new, again.is_new) == (True, False)
    assert len(left(hop)) == len(FORTY)


@pytest.mark.parametrize(
    "act", [desk.withdraw, desk.send_now], ids=lambda a: a.__name__
)
def test_only_its_sender_takes_it_back_or_hurries_it(act):
    world = World()
    hold_id = world.held(mail(FORTY))
    world.desk(desk.send_singly, hold_id, SENDER, undo=TWO)

    with pytest.raises(NotYours):
        world.desk(act, hold_id, APPROVER)

    assert set(states(world, hold_id)) == {CopyState.QUEUED}


def test_a_whole_mailing_is_taken_back_at_once():
    world = World()
    first = world.held(mail(FORTY))
    second = world.held(mail(people(range(40, 80))))
    mailing_id = world.spool.get(first).mailing_id
    arguments = (world.spool, world.memory, mailing_id, world.policy, SENDER)
    desk.send_mailing_singly(*arguments, world.clock(), name=NAME, undo=TWO)

    outcomes = desk.withdraw_mailing(*arguments, world.clock(), name=NAME)

    assert {o.hold_id for o in outcomes if o.is_new} == {first, second}
    assert set(states(world, first) + states(world, second)) == {CopyState.WITHDRAWN}


def test_a_whole_mailing_is_sent_now_at_once():
    world = World()
    hold_id = world.held(mail(FORTY))
    mailing_id = world.spool.get(hold_id).mailing_id
    arguments = (world.spool, world.memory, mailing_id, world.policy, SENDER)
    desk.send_mailing_singly(*arguments, world.clock(), name=NAME, undo=TWO)

    (outcome,) = desk.send_mailing_now(*arguments, world.clock(), name=NAME)

    assert outcome.is_new
    assert {c.not_before for c in world.spool.copies_of(hold_id)} == {world.clock()}


class WithdrawingHop(ScriptedHop):
    """A next hop that takes so many copies; then somebody withdraws the mail."""

    def __init__(self, after, withdraw):
        super().__init__()
        self.after, self.withdraw = after, withdraw
        self.lock = threading.Lock()

    async def send(self, envelope, content):
        reply = await super().send(envelope, content)
        if len(self.sent) == self.after:
            self.withdraw()
        return reply


def test_withdrawn_in_the_middle_of_a_fan_out_it_says_exactly_which_copies_left():
    world = World()
    hold_id = world.held(mail(FORTY))
    world.desk(desk.send_singly, hold_id, SENDER)
    hop = WithdrawingHop(7, lambda: world.desk(desk.withdraw, hold_id, SENDER))

    deliver(world, hop, settings=DeliverySettings(concurrency=1))

    found = {c.envelope.rcpt_tos: c.state for c in world.spool.copies_of(hold_id)}
    gone = {envelope.rcpt_tos for envelope in left(hop)}
    assert {to for to, state in found.items() if state is CopyState.SENT} == gone
    assert {s for to, s in found.items() if to not in gone} == {CopyState.WITHDRAWN}
    assert 0 < len(gone) < len(FORTY)
    assert world.spool.get(hold_id).state is HoldState.WITHDRAWN


def test_a_copy_that_is_put_off_after_the_withdrawal_is_not_tried_again():
    world = World()
    hold_id = world.held(mail(FORTY))
    world.desk(desk.send_singly, hold_id, SENDER)

    class Refusing(ScriptedHop):
        async def send(self, envelope, content):
            if envelope.mail_from == OLIVE and not self.sent:
                self.sent.append((envelope, content))
                world.desk(desk.withdraw, hold_id, SENDER)
            return LATER

    deliver(world, Refusing(), settings=DeliverySettings(concurrency=1))

    assert set(states(world, hold_id)) == {CopyState.WITHDRAWN}


class WithdrawnOnceClaimed(MemorySpool):
    """A spool whose mail is withdrawn between being claimed and being tried."""

    def __init__(self):
        super().__init__()
        self.withdraw = None

    def claim(self, **asked):
        found = super().claim(**asked)
        self.withdraw()
        return found


def test_what_was_claimed_before_the_withdrawal_is_given_up_before_its_first_try():
    world, hop = World(spool=WithdrawnOnceClaimed()), ScriptedHop()
    hold_id = world.held(mail(FORTY))
    world.desk(desk.send_singly, hold_id, SENDER)
    world.spool.withdraw = lambda: world.desk(desk.withdraw, hold_id, SENDER)

    deliver(world, hop)

    assert not left(hop)
    assert set(states(world, hold_id)) == {CopyState.WITHDRAWN}


def test_mail_that_a_rule_sends_singly_waits_and_its_sender_is_told():
    world = World(
        policy=SPLITTING, settings=CheckpointSettings(undo_split=timedelta(seconds=90))
    )
    hold_id = world.held(mail(FORTY))

    own = [c for c in world.spool.outgoing() if c.kind is OutgoingKind.NOTICE]

    assert world.spool.get(hold_id).state is HoldState.SPLIT
    assert {c.not_before for c in world.spool.copies_of(hold_id)} == {
        world.clock() + timedelta(seconds=90)
    }
    (notice,) = own
    assert notice.envelope.rcpt_tos == (OLIVE,)
    assert "leaves in 90 seconds" in text_of(notice.content)


def test_without_an_undo_window_nobody_is_told_of_what_a_rule_sends_singly():
    world = World(policy=SPLITTING)
    world.held(mail(FORTY))

    assert not [c for c in world.spool.outgoing() if c.kind is OutgoingKind.NOTICE]


def test_accepted_mail_waits_where_the_policy_wants_it_and_is_shown_when_it_leaves():
    world, hop = with_undo(undo_accepted=TWO), ScriptedHop()
    decision, hold_id = world.take(mail(people(range(2))))

    waiting = world.memory.state(decision.reservation)
    world.clock.advance(TWO)
    deliver(world, hop)

    assert decision.verdict.action is Action.ACCEPT
    assert world.spool.get(hold_id).state is HoldState.ACCEPTED
    assert waiting is WaveState.HELD
    assert world.memory.state(decision.reservation) is WaveState.SHOWN
    ((envelope, content),) = hop.sent
    assert envelope.rcpt_tos == people(range(2))
    assert content == mail(people(range(2))).content


def test_accepted_mail_that_is_withdrawn_was_never_shown():
    world, hop = with_undo(undo_accepted=TWO), ScriptedHop()
    decision, hold_id = world.take(mail(people(range(2))))

    world.desk(desk.withdraw, hold_id, SENDER)
    world.clock.advance(DAY)
    deliver(world, hop)

    assert not hop.sent
    assert world.memory.state(decision.reservation) is WaveState.CANCELLED


def test_a_retry_of_delayed_mail_is_not_doubled():
    world = with_undo(undo_accepted=TWO)
    _, first = world.take(mail([person(1)]))
    _, again = world.take(mail([person(1)]))

    assert first == again
    assert len(world.spool.copies_of(first)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"mail_from": None}, id="null sender"),
        pytest.param({"more": "Auto-Submitted: auto-replied\r\n"}, id="automatic"),
        pytest.param({"mail_from": person(9)}, id="a sender outside"),
        pytest.param({"author": person(9)}, id="written elsewhere"),
    ],
)
def test_accepted_mail_that_nobody_could_take_back_does_not_wait(changed):
    world = with_undo(undo_accepted=TWO)

    decision = world.decide(mail([person(1)], **changed))

    assert decision.action is Action.ACCEPT
    assert not decision.is_delayed


def test_observed_mail_never_waits():
    settings = CheckpointSettings(observe=True, undo_accepted=TWO)
    world = World(settings=settings)

    assert world.decide(mail([person(1)])).action is Action.ACCEPT


def test_the_hour_of_an_only_approver_cannot_be_cut_short_but_withdrawn():
    world, hop = World(), ScriptedHop()
    hold_id = world.held(mail(FORTY))
    decision = world.spool.get(hold_id).reservation_id
    world.desk(desk.release, hold_id, ALONE, reason="They know one another.")

    hurried = world.desk(desk.send_now, hold_id, ALONE)
    waiting = world.memory.state(decision)
    taken_back = world.desk(desk.withdraw, hold_id, SENDER)
    world.clock.advance(HOUR + MINUTE)
    deliver(world, hop)

    assert not hurried.is_new
    assert waiting is WaveState.HELD
    assert taken_back.state is HoldState.WITHDRAWN
    assert world.memory.state(decision) is WaveState.CANCELLED
    assert not left(hop)


def test_a_release_that_waited_is_shown_when_it_leaves():
    world, hop = World(), ScriptedHop({person(0).person: OK})
    hold_id = world.held(mail(FORTY))
    world.desk(desk.release, hold_id, ALONE, reason="They know one another.")
    world.clock.advance(HOUR)

    deliver(world, hop)

    place = world.spool.get(hold_id).reservation_id
    assert world.memory.state(place) is WaveState.SHOWN


def test_memory_away_when_a_mail_leaves_costs_nothing():
    world, hop = with_undo(undo_accepted=TWO), ScriptedHop()
    decision, hold_id = world.take(mail(people(range(2))))
    world.clock.advance(TWO)
    world.memory.is_away = True

    deliver(world, hop)

    world.memory.is_away = False
    assert states(world, hold_id) == [CopyState.SENT]
    assert world.memory.state(decision.reservation) is WaveState.HELD
