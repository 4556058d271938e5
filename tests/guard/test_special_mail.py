# SPDX-License-Identifier: Apache-2.0
"""Mail without a person behind it, and mail that others wrote: each has its way.

No backscatter, no notice to an outsider, no edit of foreign mail.
"""

import asyncio
from dataclasses import replace

import pytest

from tests.core.test_returned import RETURNED, report
from tests.guard.worlds import (
    APPROVER,
    DAY,
    NAME,
    POLICY,
    SENDER,
    ScriptedHop,
    World,
    mail,
    people,
    person,
)
from undisclosed.core.address import Address
from undisclosed.core.held import HoldState, OutgoingKind
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.verdict import Action
from undisclosed.guard import desk
from undisclosed.guard.copies import ELSEWHERE, CannotSendSingly
from undisclosed.guard.deliver import deliver_due
from undisclosed.guard.sweep import SweepSettings, sweep

DESK = Address("desk", "council.example")
ANN = Address("ann", "a.example")
FORTY = people(range(40))
LIST_BOUNCES = Address("news-bounces", "council.example")
REWRITTEN = Address("SRS0=x=y=home7.example=p7", "council.example")


def swept(world, after):
    """A sweep so much later; whom its mail goes to."""
    world.clock.advance(after)
    before = len(world.spool.outgoing())
    settings = SweepSettings(contacts=(DESK,))
    sweep(
        world.spool,
        world.memory,
        settings,
        world.clock(),
        notices=world.notices,
        name=NAME,
    )
    return [
        address
        for copy in world.spool.outgoing()[before:]
        for address in copy.envelope.rcpt_tos
    ]


def told(world):
    """Everybody whom mail of our own goes to."""
    own = (OutgoingKind.NOTICE, OutgoingKind.DSN, OutgoingKind.RETURN)
    return {
        address
        for copy in world.spool.outgoing()
        if copy.kind in own
        for address in copy.envelope.rcpt_tos
    }


NULL_SENDER = {"mail_from": None}
AUTOMATIC = {"more": "Auto-Submitted: auto-replied\r\n"}
FORWARDED = {"author": person(7), "mail_from": person(7)}
REWRITTEN_FORWARD = {"author": person(7), "mail_from": REWRITTEN}
OF_A_LIST = {
    "author": person(7),
    "mail_from": LIST_BOUNCES,
    "more": "List-Id: News <news.council.example>\r\n",
}
STRANGE_SENDER = {"mail_from": person(9)}
CASES = [
    pytest.param(NULL_SENDER, id="null sender"),
    pytest.param(AUTOMATIC, id="automatic answer"),
    pytest.param(FORWARDED, id="forwarded"),
    pytest.param(REWRITTEN_FORWARD, id="forwarded with a rewritten sender"),
    pytest.param(OF_A_LIST, id="mailing list"),
    pytest.param(STRANGE_SENDER, id="a sender outside"),
]
OWNERLESS = [case for case in CASES if case.id != "automatic answer"]


@pytest.mark.parametrize("case", CASES)
def test_nobody_is_written_to_when_it_is_held(case):
    world = World()

    hold_id = world.held(mail(FORTY, **case))

    assert world.spool.get(hold_id).state is HoldState.HELD
    assert not told(world)


@pytest.mark.parametrize("case", CASES)
def test_to_one_recipient_it_passes(case):
    assert World().decide(mail([person(1)], **case)).action is Action.ACCEPT


@pytest.mark.parametrize("case", OWNERLESS)
def test_what_nobody_inside_sent_belongs_to_the_desk_and_goes_back_to_nobody(case):
    world = World()
    hold_id = world.held(mail(FORTY, **case))

    reminded = swept(world, 4 * DAY)
    later = swept(world, 30 * DAY)

    assert set(reminded) == {DESK}
    assert world.spool.get(hold_id).state is HoldState.HELD
    assert world.spool.get(hold_id).is_ownerless
    assert set(later) <= {DESK}
    assert told(world) == {DESK}


ELSEWHERE_CASES = [
    pytest.param(FORWARDED, id="forwarded"),
    pytest.param(REWRITTEN_FORWARD, id="forwarded with a rewritten sender"),
    pytest.param(OF_A_LIST, id="mailing list"),
]


@pytest.mark.parametrize("case", ELSEWHERE_CASES)
def test_mail_that_others_wrote_is_never_edited(case):
    world = World()
    more = case.get("more", "") + "Bcc: <p30@home30.example>\r\n"
    passing = world.decide(mail([person(1)], **{**case, "more": more}))
    hold_id = world.held(mail(FORTY, **case))

    assert not passing.verdict.removals
    assert world.spool.get(hold_id).singly_refused == ELSEWHERE
    with pytest.raises(CannotSendSingly):
        world.desk(desk.send_singly, hold_id, APPROVER)


@pytest.mark.parametrize("case", ELSEWHERE_CASES)
def test_mail_that_others_wrote_is_held_only_as_the_policy_says(case):
    lenient = replace(POLICY, authored_elsewhere=Action.ACCEPT)
    decision = World(policy=lenient).decide(mail(FORTY, **case))

    assert World().decide(mail(FORTY, **case)).action is Action.HOLD
    assert decision.action is Action.ACCEPT
    assert decision.verdict.findings


def test_what_the_policy_says_of_others_mail_changes_nothing_for_our_own():
    lenient = replace(POLICY, authored_elsewhere=Action.ACCEPT)

    assert World(policy=lenient).decide(mail(FORTY)).action is Action.HOLD


def test_an_unchanged_release_of_a_forwarded_mail_keeps_every_byte():
    world = World()
    held = mail(FORTY, **FORWARDED)
    hold_id = world.held(held)

    world.desk(desk.release, hold_id, APPROVER, reason="They agreed.")

    (copy,) = world.spool.copies_of(hold_id)
    assert world.bytes_of(copy) == held.content


def bounce(returned=RETURNED, *recipients):
    people_ = recipients or (ANN,)
    many = ", ".join(f"p{n}@home{n}.example" for n in range(40))
    content = report(returned.replace("Cc: p4@four.example", f"Cc: {many}"))
    return Mail(Envelope(None, tuple(map(Recipient, people_))), content)


def test_a_bounce_that_returns_a_crowd_goes_on_cut_to_what_its_recipient_wrote():
    world, hop = World(), ScriptedHop()
    hold_id = world.held(bounce())

    asyncio.run(deliver_due(world.spool, hop, "worker", world.clock, name=NAME))

    ((envelope, content),) = hop.sent
    assert (envelope.mail_from, envelope.rcpt_tos) == (None, (ANN,))
    assert b"home3.example" not in content
    assert b"Your mail could not be delivered." in content
    assert world.spool.get(hold_id).state is HoldState.SPLIT
    assert not told(world)


def test_a_bounce_that_cannot_be_cut_stays_with_the_desk():
    world = World()
    hold_id = world.held(bounce(RETURNED, ANN, person(1)))

    assert world.spool.get(hold_id).state is HoldState.HELD
    assert swept(world, DAY) == [DESK]


def test_a_bounce_whose_own_text_names_a_crowd_is_not_cured_by_cutting():
    crowd = "\r\n".join(one.spelled_out() for one in FORTY)
    mail_ = bounce()
    loud = mail_.content.replace(b"Your mail could not be", crowd.encode())
    world = World()

    hold_id = world.held(replace(mail_, content=loud))

    assert world.spool.get(hold_id).state is HoldState.HELD


def test_a_report_that_an_insider_sends_is_theirs_to_decide():
    world = World()
    own = replace(bounce(), envelope=Envelope(SENDER_ADDRESS, (Recipient(ANN),)))

    hold_id = world.held(own)

    assert world.spool.get(hold_id).state is HoldState.HELD
    assert world.desk(desk.withdraw, hold_id, SENDER).is_new


SENDER_ADDRESS = Address("olive", "council.example")


def test_a_receipt_to_one_person_passes():
    receipt = (
        "From: <olive@council.example>\r\nTo: <ann@a.example>\r\n"
        "Subject: Read: News\r\n"
        "Content-Type: multipart/report; report-type=disposition-notification;"
        ' boundary="b"\r\n\r\n--b\r\n\r\nRead.\r\n'
        "--b\r\nContent-Type: message/disposition-notification\r\n\r\n"
        "Final-Recipient: rfc822; olive@council.example\r\n"
        "Original-Message-ID: <7@a.example>\r\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\r\n--b--\r\n"
    )
    receipt_mail = Mail(Envelope(None, (Recipient(ANN),)), receipt.encode())

    assert World().decide(receipt_mail).action is Action.ACCEPT
