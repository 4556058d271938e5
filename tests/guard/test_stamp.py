# SPDX-License-Identifier: Apache-2.0
"""Stamps: what our own copies show to the next guard, and what nobody else can."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.guard.worlds import (
    APPROVER,
    MINUTE,
    NAME,
    NOW,
    OLIVE,
    POLICY,
    SAM,
    SENDER,
    ScriptedHop,
    World,
    mail,
    people,
    person,
)
from undisclosed.core.disclosure import read
from undisclosed.core.held import Outgoing, OutgoingKind
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN, Clearance
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.own_fields import STAMP_FIELD
from undisclosed.core.patch import Patch
from undisclosed.core.verdict import Action
from undisclosed.guard import desk
from undisclosed.guard.deliver import DeliverySettings, deliver_due
from undisclosed.guard.origin import UNKNOWN
from undisclosed.guard.ports import Passed
from undisclosed.guard.stamp import VALID_FOR, StampPass, StampWriter
from undisclosed.guard.testing import ForgetfulOnce

KEY = b"stamp key" * 4
WRITER = StampWriter(KEY, POLICY)
EVERYBODY = people(range(9))
RELEASED = Passed(Clearance.RELEASE, is_counted=True)
COUNTED = Passed(None, is_counted=True)


def outgoing(
    held: Mail, kind: OutgoingKind = OutgoingKind.RELEASE, *, attempts: int = 0
) -> Outgoing:
    return Outgoing("copy1", "hold1", kind, held.envelope, Patch(), attempts=attempts)


def stamped(held: Mail, copy: Outgoing, now: datetime = NOW) -> Mail:
    """The mail as it leaves."""
    content = WRITER.finished(copy, held.content, held.content, now)
    return Mail(copy.envelope, content)


def opened(
    came: Mail, once: ForgetfulOnce | None = None, now: datetime = NOW
) -> Passed | None:
    """What the next guard makes of it."""
    reading = read(came, POLICY)
    return StampPass(KEY, once or ForgetfulOnce()).of(came, reading, UNKNOWN, now)


RELEASE = stamped(mail(EVERYBODY), outgoing(mail(EVERYBODY)))


def test_a_release_is_not_held_again() -> None:
    passed = opened(RELEASE)

    assert passed == RELEASED
    verdict = judge(
        read(RELEASE, POLICY),
        replace(NOTHING_KNOWN, clearance=passed.clearance),
        POLICY,
    )
    assert verdict.action is Action.ACCEPT
    assert verdict.findings  # it was judged all the same


def test_the_stamp_is_cut_out_of_what_is_relayed() -> None:
    removals = read(RELEASE, POLICY).content.removals

    (stamp,) = removals
    assert stamp.field == "X-Undisclosed-Stamp"
    assert RELEASE.content[stamp.end :] == mail(EVERYBODY).content


@pytest.mark.parametrize(
    "kind", [OutgoingKind.PRIVATE_COPY, OutgoingKind.INSIDERS_COPY]
)
def test_a_copy_is_not_counted_again_and_released_by_nothing(
    kind: OutgoingKind,
) -> None:
    held = mail([person(1)])

    assert opened(stamped(held, outgoing(held, kind))) == COUNTED


@pytest.mark.parametrize(
    "kind", [OutgoingKind.NOTICE, OutgoingKind.DSN, OutgoingKind.RETURN]
)
def test_mail_of_our_own_gets_no_stamp(kind: OutgoingKind) -> None:
    held = mail([person(1)])

    assert stamped(held, outgoing(held, kind)).content == held.content


def _with_recipient(came: Mail) -> Mail:
    recipients = (*came.envelope.recipients, Recipient(person(99)))
    return replace(came, envelope=replace(came.envelope, recipients=recipients))


def _without_recipient(came: Mail) -> Mail:
    recipients = came.envelope.recipients[1:]
    return replace(came, envelope=replace(came.envelope, recipients=recipients))


def _from_another(came: Mail) -> Mail:
    return replace(came, envelope=replace(came.envelope, mail_from=SAM))


def _shows_another(came: Mail) -> Mail:
    other = person(99).spelled_out().encode()
    return replace(came, content=came.content.replace(b"To: ", b"To: " + other + b", "))


Change = Callable[[Mail], Mail]


def _changed(pattern: bytes, by: bytes) -> Change:
    def change(came: Mail) -> Mail:
        content, count = re.subn(pattern, by, came.content, count=1)
        assert count
        return replace(came, content=content)

    return change


@pytest.mark.parametrize(
    "change",
    [
        _with_recipient,
        _without_recipient,
        _from_another,
        _shows_another,
        _changed(rb"k=release", b"k=copy"),
        _changed(rb"i=copy1\.0", b"i=copy2.0"),
        _changed(rb"x=(\d)", rb"x=9\1"),
        _changed(rb"b=....", b"b=AAAA"),
        _changed(rb"b=[^\r]*", b"b="),
        _changed(rb"v=1;", b"v=2;"),
        _changed(rb"v=1; k=release; i=[^;]*;\r\n x=\d+; b=\S+", b"released"),
    ],
    ids=[
        "a recipient more",
        "a recipient less",
        "another sender",
        "another person shown",
        "another kind",
        "another copy",
        "another end",
        "another signature",
        "no signature",
        "another version",
        "nonsense",
    ],
)
def test_a_stamp_on_anything_else_says_nothing(change: Change) -> None:
    assert opened(RELEASE) == RELEASED

    assert opened(change(RELEASE)) is None


def test_a_stamp_of_another_key_says_nothing() -> None:
    held = mail(EVERYBODY)
    forger = StampWriter(b"another key" * 3, POLICY)
    content = forger.finished(outgoing(held), held.content, held.content, NOW)

    assert opened(Mail(held.envelope, content)) is None


def test_a_stamp_is_good_for_one_mail_and_for_its_retry() -> None:
    once = ForgetfulOnce()

    assert opened(RELEASE, once) == RELEASED
    assert opened(RELEASE, once, NOW + MINUTE) == RELEASED
    replayed = replace(RELEASE, content=RELEASE.content + b"A second text.\r\n")
    assert opened(replayed, once) is None


def test_another_try_of_the_same_copy_has_a_stamp_of_its_own() -> None:
    once, held = ForgetfulOnce(), mail(EVERYBODY)
    later = stamped(held, outgoing(held, attempts=1), NOW + MINUTE)

    assert opened(RELEASE, once) == RELEASED
    assert opened(later, once, NOW + MINUTE) == RELEASED


def test_an_expired_stamp_says_nothing() -> None:
    end = NOW + VALID_FOR

    assert opened(RELEASE, now=end - timedelta(seconds=1)) == RELEASED
    assert opened(RELEASE, now=end) is None


def test_a_trace_field_that_a_server_adds_does_not_break_it() -> None:
    held = mail([person(1)])
    came = stamped(held, outgoing(held, OutgoingKind.PRIVATE_COPY))
    trace = f"Received: from guard by mx for <{person(1).spelled_out()}>; today\r\n"

    assert opened(replace(came, content=trace.encode() + came.content)) == COUNTED


def test_a_forged_stamp_before_the_real_one_does_not_hide_it() -> None:
    forged = b"X-Undisclosed-Stamp: v=1; k=release; i=x; x=1; b=" + b"A" * 43 + b"\r\n"

    assert opened(replace(RELEASE, content=forged + RELEASE.content)) == RELEASED


def test_of_many_stamps_only_a_few_are_looked_at() -> None:
    forged = b"X-Undisclosed-Stamp: v=1; k=release; i=x; x=1; b=" + b"A" * 43 + b"\r\n"

    came = replace(RELEASE, content=forged * 5 + RELEASE.content)

    assert opened(came) is None


def test_a_mail_without_a_stamp_proves_nothing() -> None:
    assert opened(mail(EVERYBODY)) is None


def test_a_stamp_names_nobody() -> None:
    header = RELEASE.content[: -len(mail(EVERYBODY).content)].decode()

    assert "@" not in header
    assert OLIVE.domain not in header
    assert all(len(line) <= 78 for line in header.splitlines())


def test_the_null_sender_is_bound_too() -> None:
    held = mail(EVERYBODY)
    nobody = Mail(Envelope(None, held.envelope.recipients), held.content)
    came = stamped(nobody, outgoing(nobody))

    assert opened(came) == RELEASED
    assert opened(replace(came, envelope=held.envelope)) is None


# Two guards, one behind the other.


def behind() -> World:
    """The second guard."""
    return World(passes=(StampPass(KEY, ForgetfulOnce()),))


def relay_all(first: World) -> list[Mail]:
    """What leaves the first guard."""
    hop = ScriptedHop()
    settings = DeliverySettings(finishes=(WRITER,))
    asyncio.run(
        deliver_due(
            first.spool, hop, "worker", first.clock, name=NAME, settings=settings
        )
    )
    return [Mail(envelope, content) for envelope, content in hop.sent]


def test_released_mail_passes_a_second_guard_once_and_is_not_counted_there() -> None:
    first, second = World(), behind()
    hold_id = first.held(mail(EVERYBODY))
    first.desk(desk.release, hold_id, APPROVER, reason="They know one another.")
    (released,) = [one for one in relay_all(first) if len(one.envelope.recipients) > 1]

    decision = second.decide(released)

    assert decision.action is Action.ACCEPT
    assert decision.reservation is None
    again = replace(released, content=released.content + b"A second text.\r\n")
    assert second.decide(again).action is Action.HOLD


def test_private_copies_pass_a_second_guard_without_their_stamps() -> None:
    first, second = World(), behind()
    hold_id = first.held(mail(EVERYBODY))
    first.desk(desk.send_singly, hold_id, SENDER)
    copies = [one for one in relay_all(first) if one.envelope.mail_from == OLIVE]

    assert len(copies) == len(EVERYBODY)
    for copy in copies:
        decision = second.decide(copy)
        assert decision.action is Action.ACCEPT
        assert [one.field for one in decision.verdict.removals] == [STAMP_FIELD]


def test_without_the_first_guards_key_a_release_is_held_by_the_second() -> None:
    first = World()
    second = World(passes=(StampPass(b"another key" * 3, ForgetfulOnce()),))
    hold_id = first.held(mail(EVERYBODY))
    first.desk(desk.release, hold_id, APPROVER, reason="They know one another.")
    (released,) = [one for one in relay_all(first) if len(one.envelope.recipients) > 1]

    assert second.decide(released).action is Action.HOLD
