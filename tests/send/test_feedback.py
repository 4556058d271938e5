# SPDX-License-Identifier: Apache-2.0
"""Feedback-ID: Gmail's four words, and nothing in common with any other field."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.send.sending import DRAFT, TOKENS, sent
from tests.send.test_returns import TOKENS as RETURN_TOKENS
from tests.send.test_returns import returns_of, sent_to
from tests.store.campaigns import sending
from undisclosed.core.campaign import MailKind
from undisclosed.core.header import split_content
from undisclosed.core.returns import ReturnKind
from undisclosed.formats.dkim import SIGNED_FIELDS
from undisclosed.send.draft import to_json
from undisclosed.send.feedback import CAMPAIGN, IN_REPORT, feedback_id
from undisclosed.send.return_reading import read_return
from undisclosed.send.tokens import Purpose
from undisclosed.store import campaigns
from undisclosed.store.models import ReturnedMail

SENDER = "council1"
WHERE = {"return_domain": "bounces.c.test", "feedback_sender": SENDER}


def made(serial, row, kind=MailKind.SERVICE):
    return feedback_id(TOKENS, serial, row, kind=kind, sender=SENDER)


def returned(field):
    """A complaint that returns a header with this field and no other of ours."""
    return (
        "From: <feedback@provider.test>\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; boundary="=_a"\r\n\r\n--=_a\r\n'
        "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\n"
        "Version: 1\r\n\r\n--=_a\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        f"Subject: redacted\r\n{field}\r\nTo: redacted\r\n\r\n--=_a--\r\n"
    ).encode()


@given(st.integers(1, 2**48 - 1), st.integers(1, 2**32 - 1))
def test_it_is_four_words_and_says_which_delivery_to_us_alone(serial, row):
    campaign, kind, message, sender = made(serial, row).split(":")

    assert (kind, sender) == ("service", SENDER)
    assert TOKENS.open(Purpose.FEEDBACK, message) == (serial, row)
    assert TOKENS.open(Purpose.FEEDBACK, campaign) == (serial, CAMPAIGN)
    for other in set(Purpose) - {Purpose.FEEDBACK}:
        assert TOKENS.open(other, message) is None
    assert str(row) not in (message, campaign)


def test_all_messages_of_a_campaign_are_counted_together_and_no_others():
    words = [made(serial, row).split(":") for serial in (1, 2) for row in (1, 2)]

    assert len({one[0] for one in words}) == 2
    assert len({one[2] for one in words}) == 4


@pytest.mark.parametrize(
    "field",
    [
        "Feedback-ID: {}",
        "feedback-id:{}",
        "FEEDBACK-ID : {}",
        "Feedback-ID:\r\n {}",
        "Feedback-ID: \t{}",
    ],
)
def test_a_complaint_with_it_is_known_however_the_field_is_written(field):
    body = made(7, 3)

    found = read_return(returned(field.format(body)))

    assert found.kind is ReturnKind.COMPLAINT
    assert found.tokens == ((Purpose.FEEDBACK, body.split(":")[2]),)


@pytest.mark.parametrize(
    "field", ["Feedback-ID: a:b:c:d", "X-Feedback-ID: {}", "Feedback-ID: {}x", ""]
)
def test_what_is_not_ours_names_nobody(field):
    body = made(7, 3).rpartition(":")[0]

    found = read_return(returned(field.format(body)))

    assert found.tokens == ()


def test_it_is_read_in_time_that_grows_with_the_report_only():
    assert IN_REPORT.search(b"Feedback-ID: " + b"a" * 500_000) is None
    assert IN_REPORT.search(b"Feedback-ID:" + b" " * 500_000) is None


def test_a_complaint_by_it_alone_is_recorded_for_its_delivery(database):
    campaign = sent_to(3)
    serial = campaigns.get(campaign).serial
    body = feedback_id(RETURN_TOKENS, serial, 2, kind=MailKind.SERVICE, sender=SENDER)

    taken = returns_of().take(returned(f"Feedback-ID: {body}"))

    assert (taken.kind, taken.is_ours) == (ReturnKind.COMPLAINT, True)
    assert ReturnedMail.objects.get().number == 2


def test_messages_carry_it_where_the_settings_say_so(database):
    campaign = sending(3, to_json(DRAFT))

    hop, _ = sent(**WHERE)

    bodies = [field_of(one.content, "feedback-id") for one in hop.taken]
    serial = campaigns.get(campaign).serial
    opened = {TOKENS.open(Purpose.FEEDBACK, body.split(":")[2]) for body in bodies}
    assert opened == {(serial, number) for number in (1, 2, 3)}
    assert "feedback-id" in SIGNED_FIELDS


def test_without_the_setting_there_is_no_such_field(database):
    sending(1, to_json(DRAFT))

    hop, _ = sent()

    assert b"Feedback-ID" not in hop.taken[0].content


def test_no_word_of_it_stands_anywhere_else_in_the_message(database):
    sending(3, to_json(DRAFT))

    hop, _ = sent(asks_delivered=True, **WHERE)

    for one in hop.taken:
        body = field_of(one.content, "feedback-id")
        campaign, _, message, _ = body.split(":")
        rest = (one.content + one.mail + b"".join(one.rcpts)).replace(
            body.encode(), b""
        )
        assert campaign.encode() not in rest
        assert message.encode() not in rest
        tokens = re.findall(rb"(?<![a-z2-7])[a-z2-7]{26}(?![a-z2-7])", rest)
        # Message-ID, return path (also as ORCPT) and ENVID: three different ones.
        assert len(set(tokens)) == 3


def field_of(content, name):
    (found,) = [one.body for one in split_content(content).fields if one.name == name]
    return found.decode().strip()
