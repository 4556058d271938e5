# SPDX-License-Identifier: Apache-2.0
"""Clearances: honoured for exactly the mail that was asked about, and for no other."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.guard.clearing import (
    FORTY,
    LIFETIME,
    TEXT,
    ClearingWorld,
    attached,
    carrying,
    to_all,
    with_parts,
    with_viewers,
    written,
)
from tests.guard.worlds import APPROVER, NOW, OLIVE, SAM, mail, people, person
from undisclosed.core.disclosure import read
from undisclosed.core.mail import Mail
from undisclosed.core.verdict import Action
from undisclosed.errors import TransientError
from undisclosed.guard.bound import bound_of
from undisclosed.guard.clearance import Clearances
from undisclosed.guard.origin import UNKNOWN

ASKED = to_all()


def decided(world: ClearingWorld, sent: Mail) -> Action:
    """What the gateway does with the mail."""
    return world.decide(sent).action


@pytest.fixture
def world() -> ClearingWorld:
    return ClearingWorld()


class TestHonoured:
    """The mail that was asked about is not asked about again."""

    def test_without_a_clearance_the_mail_is_held(self, world) -> None:
        assert decided(world, ASKED) is Action.HOLD

    def test_the_sender_chose_to_send_singly(self, world) -> None:
        issued = world.cleared(ASKED)

        decision, hold_id = world.take(carrying(ASKED, issued.token))

        assert decision.action is Action.SPLIT
        assert hold_id is not None
        assert world.kinds_used() == ["send singly"]

    def test_an_approver_released_it(self, world) -> None:
        issued = world.released(ASKED, APPROVER)

        assert decided(world, carrying(ASKED, issued.token)) is Action.ACCEPT
        assert world.kinds_used() == ["release"]

    def test_the_field_never_leaves(self, world) -> None:
        issued = world.released(ASKED, APPROVER)

        decision = world.decide(carrying(ASKED, issued.token))

        assert [one.field for one in decision.verdict.removals] == [
            "X-Undisclosed-Clearance"
        ]

    def test_the_mail_is_judged_all_the_same(self, world) -> None:
        issued = world.released(ASKED, APPROVER)

        decision = world.decide(carrying(ASKED, issued.token))

        assert decision.verdict.findings[0].people == 40

    def test_a_client_that_did_not_hear_the_answer_comes_again(self, world) -> None:
        sent = carrying(ASKED, world.cleared(ASKED).token)

        assert decided(world, sent) is decided(world, sent) is Action.SPLIT

    def test_what_servers_add_on_the_way_is_no_other_mail(self, world) -> None:
        issued = world.cleared(ASKED)
        added = (
            b"Received: from desk by mta.council.example; Mon, 2 Mar 2026\r\n"
            b"X-Mailer: Any\r\n"
        )
        sent = carrying(ASKED, issued.token)

        assert (
            decided(world, replace(sent, content=added + sent.content)) is Action.SPLIT
        )

    @pytest.mark.parametrize(
        "text",
        [
            "Dear all,\r\n\r\nthe library\r\nis open on\r\nMonday.\r\n",
            "Dear  all,\r\n\r\nthe library is open on Monday. \r\n\r\n",
            "Dear all,\n\nthe library is open on Monday.\n",
            "DEAR ALL,\r\n\r\n* the library is open on Monday\r\n",
        ],
        ids=["wrapped", "flowed", "other-line-ends", "bullets-and-capitals"],
    )
    def test_how_lines_are_wrapped_is_no_other_text(self, world, text) -> None:
        issued = world.cleared(ASKED)

        assert decided(world, carrying(to_all(text=text), issued.token)) is Action.SPLIT

    def test_whoever_is_in_bcc_when_asked_may_be_in_the_envelope_alone(
        self, world
    ) -> None:
        hidden = person(99)
        asked = with_viewers(ASKED, (*FORTY, hidden))
        sent = carrying(with_viewers(ASKED, (hidden, *FORTY)), "")

        issued = world.cleared(asked)

        assert decided(world, carrying(sent, issued.token)) is Action.SPLIT, (
            "the order of recipients and an empty field make no difference"
        )

    def test_of_several_fields_one_that_holds_is_enough(self, world) -> None:
        other = world.cleared(to_all(subject="Another"))
        issued = world.cleared(ASKED)

        sent = carrying(ASKED, "forged", other.token, issued.token)

        assert decided(world, sent) is Action.SPLIT

    def test_a_token_that_a_server_folded_is_read(self, world) -> None:
        token = world.cleared(ASKED).token

        sent = carrying(ASKED, f"{token[:40]}\r\n {token[40:]}")

        assert decided(world, sent) is Action.SPLIT

    def test_html_and_text_are_two_ways_of_writing_one_mail(self, world) -> None:
        html = "<p>Dear all,</p><p>the <b>library</b> is open on Monday.</p>"
        asked = with_parts(ASKED, written("Dear all: Monday."), written(html, "html"))
        alone = replace(
            ASKED,
            content=ASKED.content.replace(
                b"\r\n\r\nDear all",
                b"\r\nContent-Type: text/html; charset=utf-8\r\n\r\nDear all",
                1,
            ).replace(TEXT.encode(), html.encode()),
        )

        issued = world.cleared(asked)

        assert decided(world, carrying(alone, issued.token)) is Action.SPLIT


ADDED = person(77)
CHANGED = {
    "changed text": to_all(text=TEXT.replace("Monday", "Tuesday")),
    "added text": to_all(text=TEXT + "Yours, Olive\r\n"),
    "no text": to_all(text=""),
    "other subject": to_all(subject="Newsletters"),
    "other author": to_all(author=SAM, mail_from=SAM),
    "other envelope sender": to_all(mail_from=SAM),
    "null sender": to_all(mail_from=None),
    "added hidden recipient": with_viewers(ASKED, (*FORTY, ADDED)),
    "added recipient": mail((*FORTY, ADDED)),
    "exchanged recipient": mail((*FORTY[:39], ADDED)),
    "left-out recipient": mail(FORTY[:39]),
    "second text": with_parts(ASKED, written(), written("Call 0123.\r\n")),
    "attached file": with_parts(ASKED, written(), attached(b"a,b\r\n")),
    "hidden text around the parts": with_parts(
        ASKED, written(), preamble="Call 0123. " * 30
    ),
    "a part with two types": with_parts(
        ASKED, "Content-Type: text/html\r\n" + written()
    ),
}


class TestRefused:
    """Anything else is judged as if nothing had been decided."""

    @pytest.mark.parametrize("sent", CHANGED.values(), ids=CHANGED)
    def test_another_mail_is_not_cleared_to_be_sent_singly(self, world, sent) -> None:
        issued = world.cleared(ASKED)

        assert decided(world, carrying(sent, issued.token)) is Action.HOLD
        assert world.kinds_used() == []

    @pytest.mark.parametrize("sent", CHANGED.values(), ids=CHANGED)
    def test_another_mail_is_not_released(self, world, sent) -> None:
        issued = world.released(ASKED, APPROVER)

        assert decided(world, carrying(sent, issued.token)) is Action.HOLD

    def test_a_release_is_for_those_who_are_shown(self, world) -> None:
        """Hidden when the approver saw it, shown when it was sent."""
        asked = with_viewers(to_all(10), FORTY)
        sent = mail(FORTY[:11], viewers=FORTY)
        issued = world.released(asked, APPROVER)

        assert decided(world, carrying(sent, issued.token)) is Action.HOLD

    def test_a_release_is_for_those_whom_the_text_shows(self, world) -> None:
        """Letters are compared, and a new address in a hidden place has none."""
        html = "<p>Dear all</p>"
        asked = with_parts(ASKED, written(html, "html"))
        hidden = html + "<!-- ann@a.example -->"
        sent = with_parts(ASKED, written(hidden, "html"))
        issued = world.released(asked, APPROVER)

        assert decided(world, carrying(asked, issued.token)) is Action.ACCEPT
        assert decided(world, carrying(sent, issued.token)) is Action.HOLD

    def test_another_file_is_another_mail(self, world) -> None:
        asked = with_parts(ASKED, written(), attached(b"day,hours\r\nMonday,9\r\n"))
        other = with_parts(ASKED, written(), attached(b"day,hours\r\nMonday,8\r\n"))
        two = with_parts(
            ASKED, written(), *[attached(b"day,hours\r\nMonday,9\r\n")] * 2
        )
        issued = world.cleared(asked)

        assert decided(world, carrying(other, issued.token)) is Action.HOLD
        assert decided(world, carrying(two, issued.token)) is Action.HOLD
        assert decided(world, carrying(asked, issued.token)) is Action.SPLIT

    def test_a_second_mail_finds_the_clearance_used(self, world) -> None:
        token = world.cleared(ASKED).token
        first = carrying(ASKED, token)
        second = replace(first, content=b"X-Mailer: Any\r\n" + first.content)

        assert decided(world, first) is Action.SPLIT
        assert decided(world, second) is Action.HOLD
        assert decided(world, first) is Action.SPLIT

    def test_a_clearance_expires(self, world) -> None:
        sent = carrying(ASKED, world.cleared(ASKED).token)

        world.clock.advance(LIFETIME - timedelta(seconds=1))
        assert decided(world, sent) is Action.SPLIT
        world.clock.advance(timedelta(seconds=1))
        assert decided(world, sent) is Action.HOLD

    def test_another_guard_s_clearance_is_worth_nothing(self, world) -> None:
        other = ClearingWorld(key=b"another key".ljust(32))

        sent = carrying(ASKED, other.cleared(ASKED).token)

        assert decided(world, sent) is Action.HOLD

    def test_a_choice_is_not_made_a_release(self, world) -> None:
        token = world.cleared(ASKED).token
        whole = bytearray(base64.urlsafe_b64decode(token + "=="))
        assert whole[1:2] == b"S"
        whole[1:2] = b"R"

        forged = base64.urlsafe_b64encode(whole).decode().rstrip("=")

        assert decided(world, carrying(ASKED, forged)) is Action.HOLD

    @given(st.integers(min_value=0), st.integers(1, 255))
    def test_no_changed_token_is_worth_anything(self, place: int, change: int) -> None:
        world = ClearingWorld()
        token = world.cleared(ASKED).token
        whole = bytearray(base64.urlsafe_b64decode(token + "=="))
        whole[place % len(whole)] ^= change

        forged = base64.urlsafe_b64encode(whole).decode()

        assert decided(world, carrying(ASKED, forged)) is Action.HOLD

    @given(st.text(st.characters(codec="latin-1", exclude_characters="\r\n")))
    def test_no_text_opens_anything(self, text: str) -> None:
        world = ClearingWorld()

        assert decided(world, carrying(ASKED, text)) is Action.HOLD

    def test_where_used_tokens_are_away_the_mail_waits(self, world) -> None:
        sent = carrying(ASKED, world.cleared(ASKED).token)
        world.once.is_away = True

        with pytest.raises(TransientError):
            world.checkpoint.decide(sent)

    def test_a_rejected_mail_stays_rejected(self, world) -> None:
        world.take(mail(people(range(3)), subject="News"))
        recall = mail(people(range(3)), subject="Recall: News")
        issued = world.clearances.issue(
            _release(), _bound(recall, world), world.clock()
        )

        assert decided(world, carrying(recall, issued.token)) is Action.REJECT


def _release():
    from undisclosed.core.known import Clearance

    return Clearance.RELEASE


def _bound(sent: Mail, world: ClearingWorld):
    bound = bound_of(sent, read(sent, world.policy))
    assert bound is not None
    return bound


def test_the_journal_names_the_clearance_and_nobody(world) -> None:
    issued = world.cleared(ASKED)
    world.decide(carrying(ASKED, issued.token))

    facts = dict(world.journal.entries)["clearance used"]

    assert facts["clearance"] == issued.id
    assert issued.token not in str(facts)
    assert "@" not in str(facts)


def test_neither_tokens_nor_people_can_be_read_in_a_representation(world) -> None:
    issued = world.cleared(ASKED)

    said = repr(issued) + repr(_bound(ASKED, world)) + repr(world.advise(ASKED))

    assert issued.token not in said
    assert OLIVE.spelled_out() not in said
    assert FORTY[0].spelled_out() not in said


def test_mail_without_a_token_asks_nobody() -> None:
    world = ClearingWorld()
    world.once.is_away = True
    reading = read(ASKED, world.policy)

    assert world.clearances.of(ASKED, reading, UNKNOWN, NOW) is None


def test_a_token_fits_a_field_without_a_fold(world) -> None:
    html = with_parts(ASKED, written(), written("<p>x</p>", "html"))

    token = world.cleared(html).token

    assert len(token) < 250
    assert isinstance(world.clearances, Clearances)


def test_a_clearance_of_an_earlier_key_is_honoured_until_that_key_is_gone() -> None:
    old, new = b"old".ljust(32), b"new".ljust(32)
    issued = ClearingWorld(key=old).released(ASKED, APPROVER)

    both = ClearingWorld(key=new, earlier=(old,))
    assert decided(both, carrying(ASKED, issued.token)) is Action.ACCEPT
    alone = ClearingWorld(key=new)
    assert decided(alone, carrying(ASKED, issued.token)) is Action.HOLD
