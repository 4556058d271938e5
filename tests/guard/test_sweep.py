# SPDX-License-Identifier: Apache-2.0
"""What time does to held mail: reminders, the way back, reports of failures."""

import re
from dataclasses import replace

import pytest

from tests.guard.test_notices import addresses_in, text_of
from tests.guard.worlds import (
    DAY,
    HOUR,
    NAME,
    NOTICES,
    NOW,
    OLIVE,
    SAM,
    SENDER,
    World,
    mail,
    people,
    person,
)
from undisclosed.core.address import Address
from undisclosed.core.held import (
    CopyEvent,
    Failure,
    HoldEvent,
    HoldState,
    NoSuchHold,
    OutgoingKind,
)
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.guard import desk
from undisclosed.guard.ports import WaveState
from undisclosed.guard.reports import dsn_of, returned_header
from undisclosed.guard.sweep import SweepSettings, Swept, sweep

TEN = people(range(10))
DEPUTY = Address("deputy", "council.example")
DESK = Address("desk", "council.example")
SETTINGS = SweepSettings((SAM, DEPUTY, DESK))


def swept(world: World, settings: SweepSettings = SETTINGS) -> Swept:
    return sweep(
        world.spool,
        world.memory,
        settings,
        world.clock(),
        notices=world.notices,
        name=NAME,
    )


def told(world: World) -> list[Address]:
    """Who was reminded, in order."""
    return [
        copy.envelope.rcpt_tos[0]
        for copy in world.spool.outgoing()
        if copy.kind is OutgoingKind.NOTICE and copy.envelope.rcpt_tos != (OLIVE,)
    ]


def test_an_untouched_hold_escalates_to_approver_deputy_and_desk():
    world = World()
    world.held(mail(TEN))

    for at, contacts in (
        (3 * HOUR, []),
        (4 * HOUR, [SAM]),
        (23 * HOUR, [SAM]),
        (DAY, [SAM, DEPUTY]),
        (2 * DAY, [SAM, DEPUTY, DESK]),
        (3 * DAY - HOUR, [SAM, DEPUTY, DESK]),
    ):
        world.clock.now = NOW + at
        swept(world)
        assert told(world) == contacts


def test_instead_of_who_is_away_the_next_in_line_is_told():
    world = World()
    world.held(mail(TEN))
    without_sam = replace(SETTINGS, away=frozenset({SAM}))
    world.clock.advance(4 * HOUR)

    swept(world, without_sam)

    assert told(world) == [DEPUTY]


def test_where_everybody_is_away_the_desk_is_told():
    world = World()
    world.held(mail(TEN))
    nobody = replace(SETTINGS, away=frozenset({SAM, DEPUTY, DESK}))
    world.clock.advance(4 * HOUR)

    swept(world, nobody)

    assert told(world) == [DESK]


def test_who_is_back_is_told_again():
    world = World()
    world.held(mail(TEN))
    world.clock.advance(4 * HOUR)
    swept(world, replace(SETTINGS, away=frozenset({DEPUTY})))
    world.clock.advance(DAY)

    swept(world)

    assert told(world) == [SAM, DEPUTY]


def test_a_mailing_reminds_once_per_step():
    world = World()
    for number in range(3):
        world.held(mail(people(range(10 * number, 10 * number + 10))))
    world.clock.advance(4 * HOUR)

    assert swept(world).escalated == 3
    assert told(world) == [SAM]


def test_without_contacts_an_escalation_is_only_recorded():
    world = World()
    hold_id = world.held(mail(TEN))
    world.clock.advance(4 * HOUR)

    assert swept(world, SweepSettings()) == Swept(escalated=1)
    assert world.spool.get(hold_id).escalations == 1
    assert told(world) == []


def test_a_decided_hold_is_left_alone():
    world = World()
    world.desk(desk.withdraw, world.held(mail(TEN)), SENDER)
    world.clock.advance(9 * DAY)

    assert swept(world) == Swept()


def test_an_expired_hold_goes_back_to_its_sender():
    world = World()
    of = mail(TEN)
    hold_id = world.held(of)
    world.clock.advance(3 * DAY)

    assert swept(world).expired == 1
    assert swept(world).expired == 0

    assert world.spool.get(hold_id).state is HoldState.RETURNED
    (way_back,) = (c for c in world.spool.outgoing() if c.kind is OutgoingKind.RETURN)
    assert way_back.envelope.rcpt_tos == (OLIVE,)
    assert way_back.envelope.mail_from is None
    assert of.content in world.bytes_of(way_back)
    assert world.memory.states() == [WaveState.CANCELLED]


def test_a_hold_of_the_null_sender_stays_and_the_desk_is_told():
    world = World()
    hold_id = world.held(mail(TEN, mail_from=None))

    for _ in range(9):
        world.clock.advance(DAY)
        swept(world)

    assert world.spool.get(hold_id).state is HoldState.HELD
    assert told(world) == [DESK] * 3
    assert {copy.kind for copy in world.spool.outgoing()} == {OutgoingKind.NOTICE}


def test_somebody_who_decides_while_it_is_swept_is_quicker():
    world = World()
    world.held(mail(TEN))
    world.held(mail(people(range(20, 30)), subject="Other", mail_from=None))
    world.clock.advance(3 * DAY)
    due = world.spool.due

    class Quicker:
        """A spool where people decide between reading and writing."""

        def __getattr__(self, name):
            return getattr(world.spool, name)

        def due(self, **more):
            found = due(**more)
            for hold in found:
                world.spool.decide(
                    hold.id, HoldEvent.WITHDRAW, by="olive", now=world.clock()
                )
            return found

    for content in (None, b"content"):
        spool = Quicker()
        if content is not None:
            spool.content = lambda hold_id: b"content"
        done = sweep(
            spool,
            world.memory,
            SETTINGS,
            world.clock(),
            notices=world.notices,
            name=NAME,
        )
        assert done == Swept()
        world.held(mail(people(range(40, 50)), subject="Third"))
        world.clock.advance(3 * DAY)


# Reports of failures.


def fail(world: World, names: dict[Address, str]) -> None:
    """Claim everything and fail these with their replies; the rest is sent."""
    claim = {"by": "w", "limit": 99, "lease": HOUR}
    for copy in world.spool.claim(now=world.clock(), **claim):
        reply = names.get(copy.envelope.rcpt_tos[0])
        event = CopyEvent.REPLY_2XX if reply is None else CopyEvent.REPLY_5XX
        world.spool.mark(copy.id, event, reply or "250 OK", now=world.clock())


def dsns(world: World) -> list[bytes]:
    return [
        copy.content or b""
        for copy in world.spool.outgoing()
        if copy.kind is OutgoingKind.DSN
    ]


def test_failures_come_back_as_one_report():
    world = World()
    hold_id = world.held(mail(TEN, parameters=("ENVID=QQ7",)))
    world.desk(desk.send_singly, hold_id, SENDER)
    fail(
        world,
        {
            person(3): "550 5.1.1 <p3@home3.example> unknown",
            person(5): "554 5.7.1 p5 is now other@private.example",
        },
    )

    assert swept(world).reported == 2
    assert swept(world).reported == 0

    (dsn,) = dsns(world)
    text = text_of(dsn)
    assert "Final-Recipient: rfc822; p3@home3.example" in text
    assert "Final-Recipient: rfc822; p5@home5.example" in text
    assert "Original-Envelope-Id: QQ7" in text
    assert "Status: 5.1.1" in text
    assert "private.example" not in text
    (outgoing,) = (c for c in world.spool.outgoing() if c.kind is OutgoingKind.DSN)
    assert outgoing.envelope.rcpt_tos == (OLIVE,)
    assert outgoing.envelope.mail_from is None


def test_a_report_names_failed_recipients_and_its_sender_only():
    world = World()
    hold_id = world.held(mail(TEN, more="Sender: <x@other.example>\r\n"))
    world.desk(desk.send_singly, hold_id, SENDER)
    fail(world, {person(3): "550 5.1.1 No such user"})
    swept(world)

    (dsn,) = dsns(world)
    named = addresses_in(text_of(dsn)) - {"1@council.example"}  # its Message-ID
    own = {named_id for named_id in named if named_id.endswith("@guard.example")}
    assert named - own == {
        "p3@home3.example",
        OLIVE.spelled_out(),
        NOTICES.author.spelled_out(),
    }


def test_a_report_is_sent_once_per_interval():
    world = World()
    hold_id = world.held(mail(TEN))
    world.desk(desk.send_singly, hold_id, SENDER)
    claim = {"by": "w", "limit": 99, "lease": HOUR}
    copies = [
        copy
        for copy in world.spool.claim(now=NOW, **claim)
        if copy.kind is OutgoingKind.PRIVATE_COPY
    ]
    for number, copy in enumerate(copies):
        world.clock.now = NOW + number * HOUR / 6
        world.spool.mark(copy.id, CopyEvent.GIVEN_UP, "451 x", now=world.clock())
        swept(world)

    assert len(dsns(world)) == 2  # at once, and an hour later


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient_parameters": ("NOTIFY=NEVER",)},
        {"recipient_parameters": ("NOTIFY=SUCCESS,DELAY",)},
        {"mail_from": None},
    ],
    ids=["never", "success only", "null sender"],
)
def test_nobody_is_told_who_did_not_want_to_know(changes):
    world = World()
    hold_id = world.held(mail(TEN, **changes))
    by = replace(SENDER, roles=frozenset({"manager"}))
    world.desk(desk.send_singly, hold_id, by)
    fail(world, {person(3): "550 5.1.1 No such user"})

    assert swept(world).reported == 1
    assert dsns(world) == []


def test_a_report_of_mail_that_is_gone_returns_no_header():
    world = World()
    hold_id = world.held(mail(TEN))
    world.desk(desk.send_singly, hold_id, SENDER)
    fail(world, {person(3): "550 No"})
    with pytest.raises(NoSuchHold):
        world.spool.content(hold_id)  # its last copy left
    swept(world)

    (dsn,) = dsns(world)
    assert b"Subject: Newsletter" not in dsn
    assert b"Status: 5.0.0" in dsn


def test_a_notice_that_fails_is_reported_to_nobody():
    world = World()
    world.held(mail(TEN))
    fail(world, {OLIVE: "550 No"})

    assert swept(world).reported == 1
    assert dsns(world) == []


def test_our_own_mail_with_a_sender_can_be_reported():
    envelope = Envelope(OLIVE, (Recipient(person(1)),))
    failure = Failure("copy-1", None, envelope, "550 5.1.1 No", NOW)

    dsn = dsn_of([failure], OLIVE, b"", NOTICES, NAME, NOW)

    assert dsn is not None
    assert dsn.hold_id is None


def test_the_returned_header_is_cut_to_what_its_sender_wrote():
    of = mail(TEN, subject="From =?x?= to p3@home3.example", more="Received: x\r\n")

    header = returned_header(of.content, OLIVE)

    assert re.findall(rb"^([^:]+):", header, re.MULTILINE) == [
        b"From",
        b"Date",
        b"Message-ID",
    ]


def test_the_original_recipient_is_named_as_its_sender_gave_it():
    recipient = Recipient(
        person(1), ("NOTIFY=FAILURE", "ORCPT=rfc822;p1+2Bx@h.example")
    )
    failure = Failure("c", "h", Envelope(OLIVE, (recipient,)), "550 No", NOW)

    dsn = dsn_of([failure], OLIVE, b"", NOTICES, NAME, NOW)

    assert dsn is not None
    assert b"Original-Recipient: rfc822; p1+x@h.example" in (dsn.content or b"")
