# SPDX-License-Identifier: Apache-2.0
"""Delivery reports of others: what a careful one says is read, and a careless one's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.formats.test_dsn import ANN, BOB, LETTER
from undisclosed.formats.dsn import (
    DeliveryAction,
    DeliveryReport,
    RecipientStatus,
    write_dsn,
)
from undisclosed.formats.dsn_reading import (
    MOST_RECIPIENTS,
    ReplyInText,
    exact_status,
    read_delivery_status,
    reply_in,
)

ATOMS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=12)
RECIPIENTS = st.builds(
    RecipientStatus,
    st.builds("{}@{}.example".format, ATOMS, ATOMS),
    st.sampled_from(DeliveryAction),
    st.sampled_from(["2.0.0", "4.4.1", "4.4.7", "5.1.1", "5.7.26"]),
    st.sampled_from(["", "550 5.1.1 No such user", "a; b: c"]),
)


def status_part(*recipients, **more):
    """The second part of a report of ours."""
    report = DeliveryReport("mx.test", recipients, **more)
    return write_dsn(LETTER, report, b"", "=_b").split(b"--=_b")[2]


@given(st.lists(RECIPIENTS, min_size=1, max_size=5))
def test_what_we_write_is_read_again(recipients):
    read = read_delivery_status(status_part(*recipients)).recipients

    assert [(one.final, one.action, one.status) for one in read] == [
        (one.final_recipient, one.action, one.status) for one in recipients
    ]
    assert [one.diagnostic for one in read] == [one.reply for one in recipients]


@given(st.binary(max_size=2_000))
def test_whatever_stands_there_is_read_without_an_error(content):
    read = read_delivery_status(b"Final-Recipient: rfc822; " + content)

    assert len(read.recipients) >= 1


@given(st.text(max_size=500))
def test_no_text_is_too_odd_to_look_for_a_reply(text):
    found = reply_in(text)

    assert found is None or found.code or found.status


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_line_ends_of_any_kind_are_the_same(line_end):
    content = status_part(ANN, BOB).replace(b"\r\n", line_end)

    first, second = read_delivery_status(content).recipients

    assert (first.final, second.final) == ("ann@a.example", "bob@b.example")
    assert first.original == "ann@home@a.example"


def test_groups_that_no_empty_line_parts_are_two():
    content = (
        b"Final-Recipient: rfc822;ann@a.example\nAction: failed\nStatus: 5.1.1\n"
        b"Final-Recipient: rfc822;bob@b.example\nAction: delayed\nStatus: 4.0.0\n"
    )

    read = read_delivery_status(content).recipients

    assert [one.status for one in read] == ["5.1.1", "4.0.0"]


@pytest.mark.parametrize(
    ("body", "address"),
    [
        ("rfc822; ann@a.example", "ann@a.example"),
        ("rfc822;<ann@a.example>", "ann@a.example"),
        ("RFC822; ann@a.example (Ann)", "ann@a.example"),
        ("ann@a.example", "ann@a.example"),
        ("utf-8; j\\x{F6}rg@a.example", "jörg@a.example"),
        ("utf-8; j\\x{110000}rg@a.example", "j\\x{110000}rg@a.example"),
        ("rfc822; ann+2B1+40a.example", "ann+1@a.example"),
        ("rfc822; ann+40@a.example", "ann+40@a.example"),
        ("rfc822;", ""),
    ],
)
def test_an_address_is_read_however_it_is_written(body, address):
    (read,) = read_delivery_status(f"Final-Recipient: {body}".encode()).recipients

    assert read.final == address


@pytest.mark.parametrize(
    ("body", "action"),
    [
        ("failed", DeliveryAction.FAILED),
        ("Failed (bounced)", DeliveryAction.FAILED),
        ("failure", DeliveryAction.FAILED),
        ("expired", DeliveryAction.FAILED),
        ("delayed;", DeliveryAction.DELAYED),
        ("deliverable", None),
        ("", None),
    ],
)
def test_an_action_is_a_word_of_the_standard_or_one_that_means_it(body, action):
    (read,) = read_delivery_status(f"Action: {body}".encode()).recipients

    assert read.action is action


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("said: 550 5.1.1 <x> unknown", ReplyInText(550, "5.1.1")),
        ("421 later, then 550-5.7.26 no", ReplyInText(550, "5.7.26")),
        ("452 later", ReplyInText(452, "")),
        ("#5.2.2 full", ReplyInText(None, "5.2.2")),
        ("550 no, because 5.2.1", ReplyInText(550, "5.2.1")),
        ("at 192.0.2.25 on 10.5.1.1", None),
        ("1550 messages", None),
    ],
)
def test_a_reply_in_a_text_is_found(text, reply):
    assert reply_in(text) == reply


@pytest.mark.parametrize(
    ("status", "diagnostic", "exact"),
    [
        ("5.1.1", "550 5.7.1 no", "5.1.1"),
        ("5.0.0", "550 5.1.1 no", "5.1.1"),
        ("5.0.0", "550 no", "5.0.0"),
        ("", "452 no", "4.0.0"),
        ("", "no", ""),
        ("5.0.0", "no", "5.0.0"),
    ],
)
def test_the_status_is_the_one_that_says_more(status, diagnostic, exact):
    assert exact_status(status, diagnostic) == exact


def test_the_envelope_id_is_read():
    report = read_delivery_status(status_part(ANN, envelope_id="QQ+2B1"))

    assert report.envelope_id == "QQ+1"


def test_a_report_of_very_many_is_read_in_part():
    content = b"Final-Recipient: rfc822;a@a.example\n\n" * (MOST_RECIPIENTS + 5)

    assert len(read_delivery_status(content).recipients) == MOST_RECIPIENTS
