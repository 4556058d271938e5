# SPDX-License-Identifier: Apache-2.0
"""Every action has its words, and every line fits into a reply."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.verdict import Action, Finding, Verdict
from undisclosed.guard.replies import (
    MAX_FINDINGS,
    OUTCOMES,
    REPLIES,
    TROUBLE,
    reply_to,
)
from undisclosed.transport.milter.responses import Outcome

TEXT = "37 people would see each other's addresses (To)."


def verdict(action: Action, *texts: str) -> Verdict:
    return Verdict(action, tuple(Finding("rule", action, 37, text) for text in texts))


def test_every_action_has_its_words():
    assert set(REPLIES) == set(Action)
    assert set(OUTCOMES) == set(Action)


@pytest.mark.parametrize("action", Action, ids=lambda action: action.value)
def test_an_mta_and_an_smtp_client_hear_the_same_of_an_action(action):
    refuses = OUTCOMES[action] in (Outcome.REJECT, Outcome.TEMPFAIL)

    assert refuses != REPLIES[action].is_positive


@pytest.mark.parametrize("action", Action, ids=lambda action: action.value)
def test_a_reply_has_its_status_on_every_line(action):
    reply = reply_to(verdict(action, TEXT, TEXT))

    assert all(line.startswith(f"{reply.code // 100}.") for line in reply.lines)
    assert reply.code == (550 if action is Action.REJECT else 250)


def test_a_hold_says_under_which_id_it_is_kept():
    reply = reply_to(verdict(Action.HOLD, TEXT), "h1")

    assert reply.wire == b"250 2.0.0 Held for confirmation as h1\r\n"


def test_a_refusal_says_why_line_by_line():
    reply = reply_to(verdict(Action.REJECT, TEXT, "A recall takes nothing back."))

    assert reply.wire == (
        b"550-5.7.1 Refused, nobody has received it\r\n"
        b"550-5.7.1 37 people would see each other's addresses (To).\r\n"
        b"550 5.7.1 A recall takes nothing back.\r\n"
    )


def test_our_fault_asks_to_try_again():
    assert TROUBLE.is_transient
    assert TROUBLE.lines[0].startswith("4.3.0 ")


@given(st.lists(st.text(max_size=2000), max_size=20))
def test_whatever_a_finding_says_the_reply_is_legal(texts):
    reply = reply_to(verdict(Action.REJECT, *texts))

    assert reply.wire.isascii()
    assert all(len(line) <= 510 for line in reply.wire.split(b"\r\n"))
    assert reply.wire.count(b"\r") == len(reply.lines)
    assert len(reply.lines) <= 1 + MAX_FINDINGS * 20
