# SPDX-License-Identifier: Apache-2.0
"""Copies leave at least once, whatever the next hop answers and whenever we stop."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.guard.worlds import (
    APPROVER,
    AWAY,
    DAY,
    HOUR,
    LATER,
    MINUTE,
    NAME,
    NEVER,
    NOW,
    OK,
    SENDER,
    ScriptedHop,
    World,
    mail,
    people,
    rcpt,
)
from undisclosed.core.held import (
    CopyEvent,
    CopyState,
    HoldEvent,
    NoSuchHold,
    OutgoingKind,
)
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.guard import desk
from undisclosed.guard.deliver import AWAY as AWAY_REPLY
from undisclosed.guard.deliver import BROKEN, GONE, DeliverySettings, deliver_due
from undisclosed.guard.schedule import KEEP_TRYING
from undisclosed.transport.smtp.client import HopReply

TEN = people(range(10))


async def no_wait(seconds: float) -> None:
    """Wait for nothing."""


SETTINGS = DeliverySettings(sleep=no_wait)


def deliver(world: World, hop, **more) -> int:
    """One round, as a worker does it."""
    more.setdefault("settings", SETTINGS)
    return asyncio.run(
        deliver_due(
            world.spool,
            hop,
            "worker-1",
            world.clock,
            name=NAME,
            metrics=world.metrics,
            **more,
        )
    )


def split(world: World, of=None) -> str:
    """A mail to ten, sent singly; nobody is noticed."""
    hold_id = world.held(of or mail(TEN))
    world.desk(desk.send_singly, hold_id, SENDER)
    return hold_id


def released(world: World, numbers=range(10)) -> str:
    """A mail released unchanged: one copy of many recipients."""
    hold_id = world.held(mail(people(numbers)))
    world.desk(desk.release, hold_id, APPROVER, reason="x")
    return hold_id


def states(world: World) -> dict[str, CopyState]:
    """The state of each copy by its recipients; notices left out."""
    return {
        ", ".join(address.person for address in copy.envelope.rcpt_tos): copy.state
        for copy in world.spool.outgoing()
        if copy.hold_id is not None
    }


def reached(hop: ScriptedHop) -> list[str]:
    return sorted(a.person for envelope, _ in hop.sent for a in envelope.rcpt_tos)


def everybody(numbers=range(10)) -> list[str]:
    return sorted(address.person for address in people(numbers))


def test_every_copy_leaves_once():
    world, hop = World(), ScriptedHop()
    split(world)

    assert deliver(world, hop) == 11  # ten copies and the notice
    assert deliver(world, hop) == 0

    sent = [person for person in reached(hop) if person != "olive@council.example"]
    assert sent == everybody()
    assert set(states(world).values()) == {CopyState.SENT}
    assert b'copies_total{answer="2xx"} 11.0' in world.metrics.exposition()


def test_each_recipient_gets_their_own_bytes():
    world, hop = World(), ScriptedHop()
    split(world)

    deliver(world, hop)

    for envelope, content in hop.sent:
        (to,) = envelope.rcpt_tos
        assert to.spelled_out().encode() in content
        assert sum(other.spelled_out().encode() in content for other in TEN) <= 1


def test_a_round_takes_no_more_than_its_limit():
    world, hop = World(), ScriptedHop()
    split(world)

    assert deliver(world, hop, limit=4) == 4
    assert len(hop.sent) == 4


def test_a_refused_copy_has_failed_and_others_have_not():
    world = World()
    hop = ScriptedHop({"p3@home3.example": NEVER})
    split(world)

    deliver(world, hop)

    assert states(world).pop("p3@home3.example") is CopyState.FAILED
    assert list(states(world).values()).count(CopyState.SENT) == 9
    (failed,) = (c for c in world.spool.outgoing() if c.state is CopyState.FAILED)
    assert world.spool.reply(failed.id) == "550 5.1.1 No such user"


def test_a_delayed_copy_is_tried_again_by_the_schedule():
    world = World()
    split(world)
    late = {address.person: LATER for address in TEN}
    deliver(world, ScriptedHop(late))

    for wait in (1, 5, 15, 30, 60, 60):
        world.clock.advance(timedelta(minutes=wait) - timedelta(seconds=1))
        assert deliver(world, ScriptedHop(late)) == 0
        world.clock.advance(timedelta(seconds=1))
        assert deliver(world, ScriptedHop(late)) == 10
    hop = ScriptedHop()
    world.clock.advance(HOUR)
    deliver(world, hop)

    assert reached(hop) == everybody()


def test_a_copy_is_given_up_after_five_days():
    world = World()
    split(world)
    late = {address.person: LATER for address in TEN}
    world.clock.advance(KEEP_TRYING - MINUTE)
    deliver(world, ScriptedHop(late))
    assert set(states(world).values()) == {CopyState.DELAYED}

    world.clock.advance(MINUTE)
    deliver(world, ScriptedHop(late))

    assert set(states(world).values()) == {CopyState.FAILED}
    assert b'copies_total{answer="given up"} 10.0' in world.metrics.exposition()


def test_a_copy_that_was_never_tried_in_time_is_tried_once():
    world, hop = World(), ScriptedHop()
    split(world)
    world.clock.advance(KEEP_TRYING + DAY)

    deliver(world, hop)

    assert set(states(world).values()) == {CopyState.SENT}


def test_copies_wait_while_the_hop_is_away():
    world = World()
    split(world)
    hop = ScriptedHop([AWAY])

    deliver(world, hop, settings=replace(SETTINGS, concurrency=1))

    # One try was enough to know; the others did not wait for the same.
    assert hop.sent == []
    assert set(states(world).values()) == {CopyState.DELAYED}
    assert {world.spool.reply(copy.id) for copy in world.spool.outgoing()} == {
        AWAY_REPLY
    }


def test_a_hop_that_closes_at_copy_four_loses_nothing():
    world = World()
    split(world)
    hop = ScriptedHop([OK, OK, OK, AWAY])
    one_by_one = replace(SETTINGS, concurrency=1)

    deliver(world, hop, settings=one_by_one)
    assert len(hop.sent) == 3
    world.clock.advance(MINUTE)
    deliver(world, hop, settings=one_by_one)

    sent = [person for person in reached(hop) if person != "olive@council.example"]
    assert sent == everybody()


def test_a_silent_hop_is_away_after_our_patience():
    class Silent:
        async def send(self, envelope, content):
            await asyncio.sleep(3600)
            raise AssertionError

    world = World()
    split(world)
    impatient = replace(SETTINGS, patience=timedelta(milliseconds=20))

    deliver(world, Silent(), settings=impatient)

    assert set(states(world).values()) == {CopyState.DELAYED}


@pytest.mark.parametrize(
    "error",
    [UndisclosedError("x"), OSError("x"), ValueError("ann@a.example")],
    ids=["ours", "network", "bug"],
)
def test_one_copy_that_breaks_stops_no_other(error, caplog):
    world = World()
    split(world)
    hop = ScriptedHop({"p3@home3.example": error})

    deliver(world, hop)

    assert states(world)["p3@home3.example"] is CopyState.DELAYED
    assert list(states(world).values()).count(CopyState.SENT) == 9
    assert "@" not in caplog.text
    (copy,) = (c for c in world.spool.outgoing() if c.state is CopyState.DELAYED)
    assert world.spool.reply(copy.id) == BROKEN


# One transaction, several recipients.


def test_recipients_of_one_copy_each_have_their_own_answer():
    world = World()
    released(world)
    replies = [rcpt(250)] * 10
    replies[2] = rcpt(550, "5.1.1 No such user")
    replies[5] = rcpt(450, "4.2.1 Later")
    replies[6] = rcpt(452, "4.5.3 Too many")
    hop = ScriptedHop([HopReply(250, "2.0.0 OK", tuple(replies))])

    deliver_release(world, hop)

    by_state = {state: names for names, state in states(world).items()}
    assert by_state[CopyState.FAILED] == "p2@home2.example"
    assert by_state[CopyState.DELAYED] == "p5@home5.example, p6@home6.example"
    assert len(by_state[CopyState.SENT].split(", ")) == 7
    world.clock.advance(MINUTE)
    deliver(world, hop)
    assert states(world)["p5@home5.example, p6@home6.example"] is CopyState.SENT
    assert reached(hop).count("p1@home1.example") == 1


def deliver_release(world: World, hop) -> None:
    """Deliver the notice elsewhere, the release to this hop."""
    for copy in world.spool.outgoing():
        if copy.kind is OutgoingKind.NOTICE:
            world.spool.mark(copy.id, CopyEvent.REPLY_2XX, "250 OK", now=NOW)
    assert deliver(world, hop) == 1


def test_a_content_refused_for_all_fails_for_all():
    world = World()
    released(world)
    hop = ScriptedHop([HopReply(554, "5.7.1 No", (rcpt(250),) * 10)])

    deliver_release(world, hop)

    assert set(states(world).values()) == {CopyState.FAILED}
    assert len(states(world)) == 1


def test_a_content_delayed_and_a_recipient_refused_part():
    world = World()
    released(world)
    replies = (rcpt(550), *(rcpt(250),) * 9)
    hop = ScriptedHop([HopReply(451, "4.3.0 Later", replies)])

    deliver_release(world, hop)

    assert sorted(state.value for state in states(world).values()) == [
        "delayed",
        "failed",
    ]
    assert states(world)["p0@home0.example"] is CopyState.FAILED


FATES = st.lists(st.sampled_from([250, 450, 550]), min_size=6, max_size=9)


@settings(max_examples=60, deadline=None)
@given(rounds=st.lists(FATES, min_size=1, max_size=4), last=st.sampled_from([250, 451]))
def test_nobody_is_lost_and_nobody_gets_it_twice(rounds, last):
    world = World()
    released(world, range(6))
    hop = FatedHop(rounds, last)

    for _ in range(len(rounds) + 2):
        deliver(world, hop)
        world.clock.advance(DAY / 4)

    known = {
        address: copy.state
        for copy in world.spool.outgoing()
        if copy.hold_id is not None
        for address in copy.envelope.rcpt_tos
    }
    assert set(known) == set(people(range(6)))
    got = reached(hop)
    assert len(got) == len(set(got))
    for address, state in known.items():
        assert (address.person in got) is (state is CopyState.SENT)
        assert state in (CopyState.SENT, CopyState.FAILED)


class FatedHop(ScriptedHop):
    """A hop with an answer for each recipient of each transaction."""

    def __init__(self, rounds, last):
        super().__init__()
        self.rounds = list(rounds)
        self.last = last

    def _answer(self, envelope):
        if envelope.mail_from is None or not self.rounds:
            return OK
        fates = self.rounds.pop(0)
        replies = tuple(
            rcpt(fates[number % len(fates)])
            for number in range(len(envelope.recipients))
        )
        if not any(reply.is_positive for reply in replies):
            return HopReply(replies[0].code, "x", replies)
        return HopReply(self.last, f"{self.last // 100}.0.0 x", replies)


# Stopping in the middle.


class Stopped(BaseException):
    """The process is killed here."""


def test_a_crash_before_the_record_repeats_the_copy_and_no_other():
    world, hop = World(), ScriptedHop()
    split(world)
    mark, count = world.spool.mark, 0

    def dying(*args, **kwargs):
        nonlocal count
        count += 1
        if count == 5:
            raise Stopped
        return mark(*args, **kwargs)

    spool = DyingSpool(world.spool, dying)
    with pytest.raises(Stopped):
        asyncio.run(
            deliver_due(
                spool,
                hop,
                "worker-1",
                world.clock,
                name=NAME,
                settings=replace(SETTINGS, concurrency=1),
            )
        )
    world.spool.give_back(by="worker-1")
    deliver(world, hop)

    sent = [person for person in reached(hop) if person != "olive@council.example"]
    assert set(sent) == set(everybody())
    # Twice is what the next hop took and we did not record; one may have been on its
    # way beside it.
    assert 11 <= len(sent) <= 12
    assert set(states(world).values()) == {CopyState.SENT}


class DyingSpool:
    """A spool that the process does not outlive."""

    def __init__(self, spool, mark):
        self._spool = spool
        self.mark = mark

    def __getattr__(self, name):
        return getattr(self._spool, name)


def test_a_lease_that_ends_gives_the_copies_to_another_worker():
    world = World()
    split(world)
    world.spool.claim(by="dead", limit=99, lease=SETTINGS.lease, now=NOW)

    assert deliver(world, ScriptedHop()) == 0
    world.clock.advance(SETTINGS.lease)
    assert deliver(world, ScriptedHop()) == 11


def test_a_copy_that_could_outlast_its_lease_is_left_alone():
    world = World()
    split(world)

    class Slow(ScriptedHop):
        async def send(self, envelope, content):
            world.clock.advance(SETTINGS.lease)
            return await super().send(envelope, content)

    hop = Slow()
    deliver(world, hop, settings=replace(SETTINGS, concurrency=1))

    assert len(hop.sent) == 1


def test_a_spool_that_is_away_for_a_moment_forgets_no_answer():
    world, hop = World(), ScriptedHop()
    split(world)
    mark, count = world.spool.mark, 0

    def flaky(*args, **kwargs):
        nonlocal count
        count += 1
        if count % 3:
            raise TransientError
        return mark(*args, **kwargs)

    asyncio.run(
        deliver_due(
            DyingSpool(world.spool, flaky),
            hop,
            "worker-1",
            world.clock,
            name=NAME,
            settings=replace(SETTINGS, concurrency=1),
        )
    )

    assert set(states(world).values()) == {CopyState.SENT}


def test_an_answer_that_cannot_be_recorded_is_logged_and_tried_again(caplog):
    world, hop = World(), ScriptedHop()
    split(world)

    def away(*args, **kwargs):
        raise TransientError

    asyncio.run(
        deliver_due(
            DyingSpool(world.spool, away),
            hop,
            "worker-1",
            world.clock,
            name=NAME,
            settings=SETTINGS,
        )
    )

    assert "it may be repeated" in caplog.text
    assert set(states(world).values()) == {CopyState.QUEUED}
    world.clock.advance(SETTINGS.lease)
    assert deliver(world, hop) == 11


def test_copies_without_a_content_have_failed():
    world = World()
    split(world)

    class Gone(DyingSpool):
        def content(self, hold_id):
            raise NoSuchHold

    asyncio.run(
        deliver_due(
            Gone(world.spool, world.spool.mark),
            ScriptedHop(),
            "worker-1",
            world.clock,
            name=NAME,
        )
    )

    assert set(states(world).values()) == {CopyState.FAILED}
    assert GONE in {world.spool.reply(copy.id) for copy in world.spool.outgoing()}


def test_copies_whose_content_is_away_wait():
    world, hop = World(), ScriptedHop()
    split(world)

    class Away(DyingSpool):
        def content(self, hold_id):
            raise TransientError

    asyncio.run(
        deliver_due(
            Away(world.spool, world.spool.mark),
            hop,
            "worker-1",
            world.clock,
            name=NAME,
        )
    )

    assert [envelope.mail_from for envelope, _ in hop.sent] == [None]  # the notice
    assert set(states(world).values()) == {CopyState.QUEUED}


def test_a_spool_that_is_away_is_named():
    world = World()
    world.spool.is_away = True

    with pytest.raises(TransientError):
        deliver(world, ScriptedHop())


def test_large_contents_leave_one_at_a_time():
    world = World()
    split(world)
    at_once = most = 0

    class Counting(ScriptedHop):
        async def send(self, envelope, content):
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1
            return await super().send(envelope, content)

    deliver(world, Counting(), settings=replace(SETTINGS, budget=100))

    assert most == 1


def test_a_returned_mail_leaves_with_its_original_inside():
    world, hop = World(), ScriptedHop()
    of = mail(TEN)
    hold_id = world.held(of)
    hold = world.spool.get(hold_id)
    way_back = world.notices.of_return(hold, hold.envelope.mail_from, of.content, NOW)
    world.spool.decide(hold_id, HoldEvent.EXPIRE, [way_back], by="sweep", now=NOW)

    deliver(world, hop)

    assert of.content in hop.sent[-1][1] or of.content in hop.sent[0][1]
