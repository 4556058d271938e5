# SPDX-License-Identifier: Apache-2.0
"""What people decide about held mail, who may, and what leaves then."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.guard.worlds import (
    APPROVER,
    DAY,
    HOUR,
    NAME,
    NOW,
    OLIVE,
    POLICY,
    SAM,
    SENDER,
    SIGNER,
    World,
    mail,
    people,
    person,
)
from undisclosed.core.address import Address
from undisclosed.core.disclosure import read
from undisclosed.core.held import HoldEvent, HoldState, OutgoingKind
from undisclosed.core.mail import Mail
from undisclosed.core.policy import DistributionList
from undisclosed.errors import TransientError
from undisclosed.guard import copies, desk
from undisclosed.guard.copies import CannotSendSingly
from undisclosed.guard.desk import (
    ALONE,
    Actor,
    NotAnApprover,
    NotYours,
    OwnMail,
    ReasonMissing,
)
from undisclosed.guard.notices import person_ref
from undisclosed.guard.ports import NoSuchHold, WaveState

FORTY = people(range(40))
ANNE = Address("anne", "council.example")
EVE = Actor("account-eve", frozenset({Address("eve", "council.example")}))
OTHER_APPROVER = Actor(
    "account-mo", frozenset({Address("mo", "council.example")}), frozenset({"manager"})
)
ONLY = replace(APPROVER, is_only_approver=True)


def linked(mailing_id: str, to: Address = OLIVE) -> Actor:
    """Whoever opened the link of a notice."""
    token = SIGNER.sign(mailing_id, person_ref(NAME, to), NOW + DAY)
    return Actor("link", link=SIGNER.open(token, NOW))


def bytes_by_person(world: World) -> dict[Address, bytes]:
    return {
        address: world.bytes_of(copy)
        for copy in world.spool.outgoing()
        if copy.kind in (OutgoingKind.PRIVATE_COPY, OutgoingKind.INSIDERS_COPY)
        for address in copy.envelope.rcpt_tos
    }


# Send singly.


def test_everybody_gets_a_copy_that_shows_nobody_else():
    world = World()
    hold_id = world.held(mail(FORTY))

    outcome = world.desk(desk.send_singly, hold_id, SENDER)

    assert (outcome.state, outcome.is_new, outcome.copies) == (
        HoldState.SPLIT,
        True,
        40,
    )
    left = bytes_by_person(world)
    assert set(left) == set(FORTY)
    for address, content in left.items():
        others = [other for other in FORTY if other != address]
        assert address.spelled_out().encode() in content
        assert not any(o.spelled_out().encode() in content for o in others)
    assert world.memory.states() == [WaveState.CANCELLED]


def test_insiders_share_one_copy_that_only_misses_what_must_not_travel():
    world = World()
    of = mail((*FORTY, SAM, ANNE), more="Bcc: <p77@home77.example>\r\n")
    hold_id = world.held(of)

    world.desk(desk.send_singly, hold_id, SENDER)

    (shared,) = (
        c for c in world.spool.outgoing() if c.kind is OutgoingKind.INSIDERS_COPY
    )
    assert shared.envelope.rcpt_tos == (SAM, ANNE)
    bcc = b"Bcc: <p77@home77.example>\r\n"
    assert world.bytes_of(shared) == of.content.replace(bcc, b"")


def test_dsn_parameters_stay_with_each_copy():
    world = World()
    of = mail(
        FORTY,
        parameters=("BODY=8BITMIME", "SIZE=1234", "RET=HDRS", "ENVID=7"),
        recipient_parameters=("NOTIFY=FAILURE", "ORCPT=rfc822;x@a.example"),
    )
    hold_id = world.held(of)

    world.desk(desk.send_singly, hold_id, SENDER)

    copies_ = [c for c in world.spool.outgoing() if c.hold_id == hold_id]
    assert {c.envelope.parameters for c in copies_} == {
        ("BODY=8BITMIME", "RET=HDRS", "ENVID=7")
    }
    assert {c.envelope.recipients[0].parameters for c in copies_} == {
        ("NOTIFY=FAILURE", "ORCPT=rfc822;x@a.example")
    }
    assert {c.envelope.mail_from for c in copies_} == {OLIVE}


def test_a_recipient_named_twice_gets_one_copy():
    world = World()
    twice = Address("P1", "HOME1.example")
    hold_id = world.held(mail(FORTY, viewers=(*FORTY, twice)))

    assert world.desk(desk.send_singly, hold_id, SENDER).copies == 40


def test_the_same_copies_have_the_same_ids_again():
    ids = []
    for _ in range(2):
        world = World()
        world.desk(desk.send_singly, world.held(mail(FORTY)), SENDER)
        ids.append([copy.id for copy in world.spool.outgoing()])

    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 41  # forty copies, one notice


def test_a_second_click_changes_nothing():
    world = World()
    hold_id = world.held(mail(FORTY))
    world.desk(desk.send_singly, hold_id, SENDER)
    before = world.spool.outgoing()

    again = [
        world.desk(desk.send_singly, hold_id, SENDER),
        world.desk(desk.release, hold_id, APPROVER, reason="x"),
    ]

    assert {(o.state, o.is_new, o.copies) for o in again} == {
        (HoldState.SPLIT, False, 0)
    }
    assert world.spool.outgoing() == before


def test_two_clicks_at_once_are_one():
    world = World()
    hold_id = world.held(mail(FORTY))
    decide = world.spool.decide

    def slower(*args, **kwargs):
        world.spool.decide = decide
        world.desk(desk.withdraw, hold_id, SENDER)
        return decide(*args, **kwargs)

    world.spool = SlowerSpool(world.spool, slower)
    outcome = world.desk(desk.send_singly, hold_id, SENDER)

    assert (outcome.state, outcome.is_new) == (HoldState.WITHDRAWN, False)
    assert not [c for c in world.spool.outgoing() if c.hold_id]


class SlowerSpool:
    """A spool where somebody else decides just before."""

    def __init__(self, spool, decide):
        self._spool = spool
        self.decide = decide

    def __getattr__(self, name):
        return getattr(self._spool, name)


def test_a_list_in_the_text_is_not_cured_by_splitting():
    text = "\r\n".join(address.spelled_out() for address in people(range(100, 140)))
    world = World()
    hold_id = world.held(mail(FORTY, text=text + "\r\n"))

    with pytest.raises(CannotSendSingly) as refused:
        world.desk(desk.send_singly, hold_id, SENDER)

    assert "text" in str(refused.value)
    assert world.spool.get(hold_id).singly_refused == str(refused.value)
    assert world.spool.get(hold_id).state is HoldState.HELD


def test_a_list_with_members_outside_cannot_be_separated():
    friends = Address("friends", "council.example")
    lists = {friends: DistributionList(people(range(9)))}
    world = World(policy=replace(POLICY, lists=lists))
    hold_id = world.held(mail([friends]))

    with pytest.raises(CannotSendSingly):
        world.desk(desk.send_singly, hold_id, SENDER)


def test_copies_that_break_are_refused_without_quoting(monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError("p1@home1.example")

    world = World()
    hold_id = world.held(mail(FORTY))
    for name in ("private_copy", "why_not_singly"):
        with monkeypatch.context() as patch:
            patch.setattr(copies, name, broken)
            with pytest.raises(CannotSendSingly) as refused:
                world.desk(desk.send_singly, hold_id, SENDER)
        assert str(refused.value) == copies.BROKEN

    monkeypatch.setattr(desk, "read", broken)
    with pytest.raises(CannotSendSingly) as refused:
        world.desk(desk.send_singly, hold_id, SENDER)
    assert "@" not in str(refused.value)


@settings(max_examples=40, deadline=None)
@given(
    outside=st.lists(st.integers(0, 30), min_size=6, max_size=14, unique=True),
    inside=st.integers(0, 3),
    hidden=st.lists(st.integers(40, 60), max_size=4, unique=True),
    where=st.sampled_from(["To", "Cc", "CC", "to"]),
    to_insider=st.booleans(),
)
def test_whoever_was_to_get_it_gets_it_once_and_sees_nobody(
    outside, inside, hidden, where, to_insider
):
    world = World()
    insiders = tuple(Address(f"i{n}", "council.example") for n in range(inside))
    shown = (*people(outside), *insiders)
    of = mail(
        shown,
        viewers=(*shown, *people(hidden)),
        field_name=where,
        more="Resent-To: <i9@council.example>\r\n" if to_insider else "",
    )
    hold_id = world.held(of)

    world.desk(desk.send_singly, hold_id, SENDER)

    left = [c for c in world.spool.outgoing() if c.hold_id == hold_id]
    reached = [address for copy in left for address in copy.envelope.rcpt_tos]
    assert sorted(reached) == sorted(of.envelope.rcpt_tos)
    outsiders = {*people(outside), *people(hidden)}
    for copy in left:
        content = world.bytes_of(copy)
        if copy.kind is OutgoingKind.INSIDERS_COPY:
            assert content == of.content
            continue
        reading = read(Mail(copy.envelope, content), POLICY)
        assert reading.shown & outsiders <= set(copy.envelope.rcpt_tos)
        assert content.partition(b"\r\n\r\n")[2] == of.content.partition(b"\r\n\r\n")[2]


# Who may.


def test_a_stranger_may_nothing():
    world = World()
    hold_id = world.held(mail(FORTY))

    for act in (desk.send_singly, desk.withdraw):
        with pytest.raises(NotYours):
            world.desk(act, hold_id, EVE)
    with pytest.raises(NotAnApprover):
        world.desk(desk.release, hold_id, EVE, reason="x")

    assert world.spool.get(hold_id).state is HoldState.HELD


def test_a_link_lets_its_person_decide_their_mail():
    world = World()
    hold_id = world.held(mail(FORTY))
    mailing_id = world.spool.get(hold_id).mailing_id

    for wrong in (linked("another"), linked(mailing_id, SAM)):
        with pytest.raises(NotYours):
            world.desk(desk.withdraw, hold_id, wrong)

    assert world.desk(desk.withdraw, hold_id, linked(mailing_id)).is_new


def test_a_link_never_releases():
    world = World()
    hold_id = world.held(mail(FORTY))
    mailing_id = world.spool.get(hold_id).mailing_id

    with pytest.raises(NotAnApprover):
        world.desk(desk.release, hold_id, linked(mailing_id), reason="x")


@pytest.mark.parametrize(
    "own",
    [
        {"mail_from": SAM},
        {"author": SAM},
        {"more": "Sender: <sam@council.example>\r\n"},
    ],
    ids=["envelope", "From", "Sender"],
)
def test_nobody_releases_their_own_mail(own):
    world = World()
    hold_id = world.held(mail(FORTY, **own))

    with pytest.raises(OwnMail):
        world.desk(desk.release, hold_id, APPROVER, reason="They know each other")

    assert world.desk(desk.release, hold_id, OTHER_APPROVER, reason="Yes").is_new


def test_everybody_of_a_shared_mailbox_is_excluded_from_approving():
    shared = Address("library", "council.example")
    member = replace(APPROVER, addresses=frozenset({SAM, shared}))
    world = World()
    hold_id = world.held(mail(FORTY, author=shared))

    with pytest.raises(OwnMail):
        world.desk(desk.release, hold_id, member, reason="x")


def test_an_approver_sends_singly_but_does_not_withdraw_for_others():
    world = World()
    hold_id = world.held(mail(FORTY))

    with pytest.raises(NotYours):
        world.desk(desk.withdraw, hold_id, APPROVER)
    assert world.desk(desk.send_singly, hold_id, APPROVER).is_new


def test_an_approver_withdraws_mail_that_has_no_sender():
    world = World()
    hold_id = world.held(mail(FORTY, mail_from=None))

    assert world.desk(desk.withdraw, hold_id, APPROVER).state is HoldState.WITHDRAWN


# Withdraw.


def test_nothing_of_a_withdrawn_mail_leaves():
    world = World()
    hold_id = world.held(mail(FORTY))

    outcome = world.desk(desk.withdraw, hold_id, SENDER)

    assert (outcome.state, outcome.copies) == (HoldState.WITHDRAWN, 0)
    assert not [copy for copy in world.spool.outgoing() if copy.hold_id]
    assert world.memory.states() == [WaveState.CANCELLED]


def test_a_mail_that_cannot_be_read_can_be_withdrawn_and_released(monkeypatch):
    def broken(*args, **kwargs):
        raise ValueError

    world = World()
    first, second = world.held(mail(FORTY)), world.held(mail(people(range(9))))
    monkeypatch.setattr(desk, "read_content", broken)

    assert world.desk(desk.withdraw, first, SENDER).is_new
    assert world.desk(desk.release, second, APPROVER, reason="x").is_new


# Release.


def test_a_released_mail_leaves_unchanged_to_everybody_at_once():
    world = World()
    of = mail((*FORTY, SAM), more="Bcc: <p77@home77.example>\r\n")
    hold_id = world.held(of)

    outcome = world.desk(
        desk.release, hold_id, OTHER_APPROVER, reason=" A club, ann@a.example says "
    )

    (copy,) = (c for c in world.spool.outgoing() if c.hold_id)
    assert copy.kind is OutgoingKind.RELEASE
    assert copy.envelope == of.envelope
    bcc = b"Bcc: <p77@home77.example>\r\n"
    assert world.bytes_of(copy) == of.content.replace(bcc, b"")
    assert outcome.effective_at == NOW
    (decided,) = world.spool.decisions
    assert (decided.by, decided.reason) == ("account-mo", "A club, … says")
    assert world.memory.states() == [WaveState.SHOWN]


def test_a_release_needs_a_reason():
    world = World()
    hold_id = world.held(mail(FORTY))

    with pytest.raises(ReasonMissing):
        world.desk(desk.release, hold_id, APPROVER, reason="  ")


@pytest.mark.parametrize("own", [{}, {"mail_from": SAM}], ids=["of others", "own"])
def test_the_only_approver_approves_by_waiting(own):
    world = World()
    hold_id = world.held(mail(FORTY, **own))

    outcome = world.desk(desk.release, hold_id, ONLY, reason="Club")

    assert outcome.effective_at == NOW + ALONE
    assert "only approver" in world.spool.decisions[-1].reason
    claim = {"by": "w", "limit": 99, "lease": HOUR}
    early = world.spool.claim(now=NOW + ALONE - HOUR / 60, **claim)
    late = world.spool.claim(now=NOW + ALONE, **claim)
    assert OutgoingKind.RELEASE not in {copy.kind for copy in early}
    assert [copy.kind for copy in late] == [OutgoingKind.RELEASE]


def test_a_release_can_be_put_off():
    world = World()
    hold_id = world.held(mail(FORTY))

    outcome = world.desk(
        desk.release, hold_id, APPROVER, reason="x", delayed_until=NOW + DAY
    )

    assert outcome.effective_at == NOW + DAY


def test_nothing_is_sent_singly_while_memory_cannot_remember_who_is_hidden():
    world = World()
    hold_id = world.held(mail(FORTY))
    world.memory.is_away = True

    with pytest.raises(TransientError):
        world.desk(desk.send_singly, hold_id, SENDER)

    assert world.spool.get(hold_id).state is HoldState.HELD
    world.memory.is_away = False
    assert world.desk(desk.send_singly, hold_id, SENDER).is_new
    assert world.memory.hidden() == [frozenset(FORTY)]


def test_memory_away_does_not_undo_a_decision():
    world = World()
    hold_id = world.held(mail(FORTY))
    world.memory.is_away = True

    outcome = world.desk(desk.withdraw, hold_id, SENDER)

    assert outcome.state is HoldState.WITHDRAWN
    assert world.memory.states() == [WaveState.HELD]  # counts on: holds more, not less


def test_a_hold_without_a_place_in_memory_can_be_decided():
    world = World()
    hold_id = world.held(mail([person(1)], more="References: one@\r\n" * 9))

    assert world.desk(desk.withdraw, hold_id, SENDER).is_new


def test_the_spool_away_is_a_passing_trouble():
    world = World()
    hold_id = world.held(mail(FORTY))
    world.spool.is_away = True

    with pytest.raises(TransientError):
        world.desk(desk.send_singly, hold_id, SENDER)


def test_an_unknown_hold_is_named_so():
    with pytest.raises(NoSuchHold):
        World().desk(desk.withdraw, "nothing", SENDER)


# A whole mailing.


def seven_batches(world: World) -> str:
    for number in range(7):
        world.held(mail(people(range(number * 20, number * 20 + 20))))
    (mailing_id,) = {
        world.spool.get(f"hold-{number}").mailing_id for number in range(1, 8)
    }
    return mailing_id


def test_one_click_sends_every_batch_singly():
    world = World()
    mailing_id = seven_batches(world)

    outcomes = world.desk(desk.send_mailing_singly, mailing_id, SENDER)

    assert [outcome.copies for outcome in outcomes] == [20] * 7
    left = [c for c in world.spool.outgoing() if c.kind is OutgoingKind.PRIVATE_COPY]
    assert len({c.envelope.rcpt_tos for c in left}) == 140
    assert set(world.memory.states()) == {WaveState.CANCELLED}
    assert world.desk(desk.send_mailing_singly, mailing_id, SENDER) == ()


def test_one_batch_that_cannot_be_sent_singly_stops_them_all():
    world = World()
    text = "the library is open on Monday, says everybody in this long letter\r\n" * 9
    world.held(mail(people(range(20)), text=text))
    signed = "DKIM-Signature: v=1; d=council.example; h=from:to; b=x\r\n"
    world.held(mail(people(range(20, 40)), text=text, more=signed))
    mailing_id = world.spool.get("hold-1").mailing_id

    with pytest.raises(CannotSendSingly):
        world.desk(desk.send_mailing_singly, mailing_id, SENDER)

    assert {h.state for h in world.spool.of_mailing(mailing_id)} == {HoldState.HELD}


def test_a_mailing_is_withdrawn_and_released_as_one():
    for act, by, more in (
        (desk.withdraw_mailing, SENDER, {}),
        (desk.release_mailing, APPROVER, {"reason": "x"}),
    ):
        world = World()
        mailing_id = seven_batches(world)

        outcomes = world.desk(act, mailing_id, by, **more)

        assert [outcome.is_new for outcome in outcomes] == [True] * 7


def test_a_stranger_sends_no_mailing():
    world = World()
    mailing_id = seven_batches(world)

    with pytest.raises(NotYours):
        world.desk(desk.send_mailing_singly, mailing_id, EVE)


def test_a_rule_can_send_singly_only_once():
    world = World()
    hold_id = world.held(mail(FORTY))

    first, second = (
        desk.split(world.spool, world.memory, hold_id, POLICY, NOW, name=NAME)
        for _ in range(2)
    )

    assert (first.is_new, second.is_new) == (True, False)


def test_an_expired_hold_can_no_longer_be_sent():
    world = World()
    hold_id = world.held(mail(FORTY))
    world.spool.decide(hold_id, HoldEvent.EXPIRE, by="sweep", now=NOW)

    assert world.desk(desk.send_singly, hold_id, SENDER).state is HoldState.RETURNED
