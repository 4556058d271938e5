# SPDX-License-Identifier: Apache-2.0
"""Amazon SES' own notices: read as they come by mail, and never a reason to fail."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.dsn import DeliveryAction
from undisclosed.formats.ses_notice import SesEvent, read_ses_notice

BOUNCE = {
    "notificationType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bouncedRecipients": [
            {
                "emailAddress": "ann@a.example",
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 user unknown",
            }
        ],
    },
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


def test_a_bounce_names_who_failed_and_why():
    notice = read_ses_notice(f"{json.dumps(BOUNCE)}\n\n--\nIf you wish to stop")

    assert notice is not None
    (one,) = notice.recipients
    assert notice.event is SesEvent.BOUNCE
    assert (one.final, one.action) == ("ann@a.example", DeliveryAction.FAILED)
    assert (one.status, one.diagnostic) == ("5.1.1", "550 5.1.1 user unknown")
    assert "ann" not in repr(notice)


@pytest.mark.parametrize("key", ["notificationType", "eventType"])
@pytest.mark.parametrize("event", ["Complaint", "Delivery"])
def test_complaints_and_deliveries_are_told_apart(key, event):
    notice = read_ses_notice(f'{{"{key}":"{event}","mail":{{}}}}')

    assert notice is not None
    assert notice.event.value == event


def test_a_line_break_that_mail_put_into_a_text_is_no_fault():
    folded = json.dumps(BOUNCE).replace("user unknown", "user\r\n unknown")

    assert read_ses_notice(folded) is not None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear Ann",
        "{",
        "{}",
        '{"notificationType":"Other"}',
        '{"notificationType":["Bounce"]}',
        "[1]",
        "{" * 50_000,
        '{"a":' * 20_000,
    ],
)
def test_what_is_no_notice_is_none(text):
    assert read_ses_notice(text) is None


@given(VALUES, VALUES)
def test_whatever_stands_in_it_nothing_is_raised(bounce, group):
    for told in (bounce, {"bouncedRecipients": bounce}, {"bouncedRecipients": [group]}):
        text = json.dumps({"notificationType": "Bounce", "bounce": told})

        assert read_ses_notice(text) is not None
