# SPDX-License-Identifier: Apache-2.0
"""An exit code says what the reply says, and 75 on any doubt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.verdict import Action
from undisclosed.guard.exit_codes import (
    BY_STATUS,
    DONE,
    REFUSED,
    TRY_AGAIN,
    exit_code_of,
)
from undisclosed.guard.replies import REPLIES, TROUBLE
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.replies import Reply


@given(st.integers(0, 999), st.text(max_size=20))
def test_only_a_refusal_for_good_is_anything_but_done_or_try_again(code, text):
    found = exit_code_of(Reply(code, (text,)))

    if 200 <= code < 300:
        assert found == DONE
    elif 500 <= code < 600:
        assert found not in (DONE, TRY_AGAIN)
    else:
        assert found == TRY_AGAIN


@pytest.mark.parametrize(
    ("action", "code"),
    [(Action.ACCEPT, 0), (Action.SPLIT, 0), (Action.HOLD, 0), (Action.REJECT, 77)],
    ids=lambda value: str(getattr(value, "value", value)),
)
def test_every_action_has_its_exit_code(action, code):
    assert exit_code_of(REPLIES[action]) == code


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (TROUBLE, 75),
        (replies.HOP_AWAY, 75),
        (replies.TOO_BIG, 69),
        (replies.BARE_LINE_END, 65),
        (replies.BAD_SENDER, 65),
        (replies.BAD_RECIPIENT, 67),
        (replies.BAD_ARGUMENTS, 70),
        (replies.NOT_YOURS, REFUSED),
        (Reply(550, ("5.1.1 Nobody of this name",)), 67),
        (Reply(554, ("No status",)), 69),
        (Reply(421, ("4.3.2 Later",)), 75),
    ],
    ids=lambda value: value.lines[0] if isinstance(value, Reply) else str(value),
)
def test_what_a_reply_becomes(reply, code):
    assert exit_code_of(reply) == code


def test_the_longest_beginning_of_a_status_counts():
    assert {BY_STATUS["5.1."], BY_STATUS["5.1.7"]} == {67, 65}
