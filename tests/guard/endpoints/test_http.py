# SPDX-License-Identifier: Apache-2.0
"""The HTTP endpoint's part of the guard: advice, and who may have a clearance."""

from dataclasses import replace

import pytest

from tests.guard.clearing import (
    FORTY,
    ClearingWorld,
    attached,
    to_all,
    with_parts,
    written,
)
from tests.guard.worlds import APPROVER, OLIVE, SENDER, mail, people, person
from undisclosed.core.documents import Document, DocumentText
from undisclosed.core.verdict import Action
from undisclosed.guard.desk import (
    Actor,
    NotAnApprover,
    NotYours,
    OwnMail,
    ReasonMissing,
)
from undisclosed.guard.endpoints.http import ALONE, CannotClear, HttpEndpoint

PROGRAM = Actor("outlook")
OTHER = Actor("other", frozenset({person(3)}), frozenset({"sender"}))
BOTH = Actor("olive", SENDER.addresses, frozenset({"supervisor"}))


@pytest.fixture
def world() -> ClearingWorld:
    return ClearingWorld()


def test_the_advice_says_who_would_see_whom(world) -> None:
    advice = world.advise(to_all(40))

    assert advice.action is Action.HOLD
    assert (advice.viewers, advice.people, advice.new_disclosures) == (40, 40, 1560)
    assert {one.address for one in advice.shown} == set(FORTY)
    assert {one.channels for one in advice.shown} == {("To",)}
    assert advice.singly_refused is None


@pytest.mark.parametrize("number", [1, 5])
def test_mail_that_the_guard_would_accept_is_advised_to_be_sent(world, number) -> None:
    advice = world.advise(to_all(number))

    assert advice.action is Action.ACCEPT
    assert advice.findings == ()


def test_asking_leaves_nothing_behind(world) -> None:
    world.memory.is_away = world.spool.is_away = world.once.is_away = True

    assert world.advise(to_all(40)).action is Action.HOLD
    assert world.journal.entries == []


def test_what_memory_knows_is_not_told(world) -> None:
    """Six batches of five were sent; a seventh is five people to whoever asks."""
    batches = [mail(people(range(5 * n, 5 * n + 5))) for n in range(7)]
    before = world.advise(batches[6])
    for batch in batches[:6]:
        world.take(batch)

    after = world.advise(batches[6])

    assert world.decide(batches[6]).action is Action.HOLD
    assert (before.action, before.findings) == (after.action, after.findings)
    assert after.action is Action.ACCEPT


def test_documents_are_read_with_the_guard_s_reader(world) -> None:
    class Telling:
        def read(self, kind: str, content: bytes) -> Document:
            named = " ".join(one.spelled_out() for one in FORTY)
            return Document((DocumentText("attached PDF", named),))

    endpoint = HttpEndpoint(world.policy, world.clearances, reader=Telling())
    asked = with_parts(mail([person(99)]), written(), attached(b"%PDF-1.7", "a.pdf"))

    channels = {one.channels for one in endpoint.advise(asked).shown}

    assert ("attached PDF",) in channels


class TestSendSingly:
    """Whose choice it is."""

    def test_a_program_asks_for_everybody(self, world) -> None:
        assert world.cleared(to_all(), PROGRAM).kind.value == "send singly"

    @pytest.mark.parametrize("who", [SENDER, APPROVER], ids=["sender", "approver"])
    def test_the_sender_and_approvers_may(self, world, who) -> None:
        assert world.cleared(to_all(), who).token

    def test_nobody_else_may(self, world) -> None:
        with pytest.raises(NotYours):
            world.cleared(to_all(), OTHER)

    def test_not_where_it_would_not_help(self, world) -> None:
        named = " ".join(one.spelled_out() for one in FORTY)

        with pytest.raises(CannotClear, match="copy would still"):
            world.cleared(to_all(text=f"{named}\r\n"))

    def test_not_for_a_mail_that_could_be_read_in_two_ways(self, world) -> None:
        asked = to_all(more="Content-Type: text/plain\r\nContent-Type: text/html\r\n")

        with pytest.raises(CannotClear):
            world.cleared(asked)


class TestRelease:
    """An approver's decision, never about their own mail, never without a reason."""

    def test_an_approver_may(self, world) -> None:
        assert world.released(to_all(), APPROVER).kind.value == "release"

    def test_a_program_may_not(self, world) -> None:
        with pytest.raises(NotAnApprover):
            world.released(to_all(), PROGRAM)

    def test_a_sender_may_not(self, world) -> None:
        with pytest.raises(NotAnApprover):
            world.released(to_all(), SENDER)

    @pytest.mark.parametrize(
        "own",
        [
            to_all(),
            to_all(author=person(1)),
            to_all(
                mail_from=person(1),
                author=person(1),
                more=(f"Sender: <{OLIVE.spelled_out()}>\r\n"),
            ),
        ],
        ids=["author", "envelope-sender", "sender-field"],
    )
    def test_nobody_releases_their_own(self, world, own) -> None:
        with pytest.raises(OwnMail):
            world.released(own, BOTH)

    def test_the_only_approver_needs_the_held_mail(self, world) -> None:
        with pytest.raises(CannotClear) as refused:
            world.released(to_all(), replace(APPROVER, is_only_approver=True))

        assert refused.value.message == ALONE

    @pytest.mark.parametrize("reason", ["", "  ", "\r\n"])
    def test_a_reason_is_needed(self, world, reason) -> None:
        advice = world.advise(to_all())

        with pytest.raises(ReasonMissing):
            world.endpoint.release(advice, APPROVER, world.clock(), reason=reason)
