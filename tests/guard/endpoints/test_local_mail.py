# SPDX-License-Identifier: Apache-2.0
"""What a program writes becomes a mail object: recipients, fields, line ends."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import spellings
from undisclosed.core.address import Address
from undisclosed.core.header import split_content
from undisclosed.core.recipient_list import NoRecipientList
from undisclosed.guard.endpoints.local_mail import (
    Handing,
    NoRecipients,
    made_whole,
)

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
SAM = Address("sam", "council.example")
ANN, BOB = Address("ann", "a.example"), Address("bob", "b.example")


def whole(written: bytes, **said: object):
    """The mail object of what was written, by default to Ann, as of -i."""
    said = {"recipients": (ANN,), "sender": SAM, "has_plain_dots": True, **said}
    handing = Handing(author=SAM, **said)
    return made_whole(
        written, handing, domain="council.example", message_id="1@x.example", now=NOW
    )


def fields_of(content: bytes) -> dict[str, bytes]:
    return {each.name: each.body.strip() for each in split_content(content).fields}


@given(st.binary(max_size=400))
def test_whatever_is_written_becomes_a_message_that_smtp_can_carry(written):
    mail = whole(written)

    lines = mail.content.split(b"\r\n")
    assert not any(b"\n" in line or b"\r" in line for line in lines)
    assert {"from", "date", "message-id"} <= fields_of(mail.content).keys()
    assert "bcc" not in fields_of(mail.content)


@given(
    st.lists(spellings, min_size=1, max_size=4, unique=True),
    st.lists(spellings, max_size=4, unique=True),
)
def test_whoever_stands_in_a_destination_field_gets_the_mail_once(shown, hidden):
    written = f"To: {', '.join(shown)}\nBcc: {', '.join(hidden)}\n\nText\n".encode()

    mail = whole(written, recipients=(), is_read_from_header=True)

    found = [one.spelled_out() for one in mail.envelope.rcpt_tos]
    assert found == list(dict.fromkeys([*shown, *hidden]))
    for one in set(hidden) - set(shown):
        assert one.encode() not in mail.content


def test_a_text_without_a_header_is_a_body():
    mail = whole(b"hello\nworld\n")

    assert mail.content.endswith(b"\r\n\r\nhello\r\nworld\r\n")


def test_a_first_line_that_is_no_field_ends_the_header():
    mail = whole(b"Subject: Hi\nno field\nTo: bob@b.example\n")

    assert b"\r\n\r\nno field\r\nTo: bob@b.example\r\n" in mail.content
    assert "to" not in fields_of(mail.content)


def test_a_message_that_lacks_nothing_stays_as_it_is():
    written = (
        b"From: a@b.example\r\nDate: Mon, 2 Nov 2026 09:00:00 +0000\r\n"
        b"Message-ID: <2@b.example>\r\nTo: ann@a.example\r\n\r\nText\r\n"
    )

    assert whole(written).content == written


def test_missing_fields_are_added_behind_those_that_are_there():
    mail = whole(b"Subject: Hi\n\nText\n", author_name="Sam Lee")

    assert mail.content == (
        b'Subject: Hi\r\nFrom: "Sam Lee" <sam@council.example>\r\n'
        b"Date: Mon, 2 Nov 2026 09:30:00 +0000\r\nMessage-ID: <1@x.example>\r\n"
        b"\r\nText\r\n"
    )


def test_the_null_sender_is_no_author():
    mail = whole(b"\nText\n", sender=None)

    assert mail.envelope.mail_from is None
    assert fields_of(mail.content)["from"] == b"<sam@council.example>"


def test_an_authors_name_cannot_begin_a_field_of_its_own():
    mail = whole(b"\nText\n", author_name="Sam\r\nBcc: bob@b.example")

    assert "bcc" not in fields_of(mail.content)


@pytest.mark.parametrize(
    ("is_plain", "expected"), [(True, b"a\r\n.\r\nb\r\n"), (False, b"a\r\n")]
)
def test_a_lone_dot_ends_the_mail_unless_i_is_given(is_plain, expected):
    mail = whole(b"Subject: Hi\n\na\n.\nb\n", has_plain_dots=is_plain)

    assert mail.content.endswith(b"\r\n\r\n" + expected)


@pytest.mark.parametrize("name", ["Bcc", "BCC", "bcc ", "Resent-Bcc"])
def test_a_bcc_is_removed_whoever_the_recipients_come_from(name):
    mail = whole(
        f"To: ann@a.example\n{name}: bob@b.example,\n eve@e.example\n\nHi\n".encode()
    )

    assert b"bob@" not in mail.content
    assert b"eve@" not in mail.content
    assert b"To: ann@a.example\r\n" in mail.content
    assert mail.envelope.rcpt_tos == (ANN,)


def test_where_it_is_sent_again_only_the_resent_fields_name_recipients():
    written = b"To: bob@b.example\nResent-To: ann@a.example\n\nText\n"

    mail = whole(written, recipients=(), is_read_from_header=True)

    assert mail.envelope.rcpt_tos == (ANN,)


def test_recipients_of_the_command_line_come_first_and_nobody_twice():
    mail = whole(
        b"To: ann@a.example, root\n\nText\n",
        recipients=(BOB, ANN),
        is_read_from_header=True,
    )

    assert mail.envelope.rcpt_tos == (BOB, ANN, Address("root", "council.example"))


def test_the_line_that_mailboxes_put_in_front_is_left_out():
    mail = whole(b"From sam Mon Nov  2 09:00:00 2026\nSubject: Hi\n\nText\n")

    assert mail.content.startswith(b"Subject: Hi\r\n")


@pytest.mark.parametrize("is_read_from_header", [True, False])
def test_a_mail_to_nobody_is_refused(is_read_from_header):
    with pytest.raises(NoRecipients):
        whole(
            b"Subject: Hi\n\nTo: ann@a.example\n",
            recipients=(),
            is_read_from_header=is_read_from_header,
        )


@pytest.mark.parametrize(
    "written",
    [
        b"To: ann smith@a.example\n\nText\n",
        b'To: ann@a.example\nBcc: "bob@b.example\n\nText\n',
        b"To: ann\xff@a.example\n\nText\n",
        b"".join(b"X-%d: x\n" % number for number in range(200_000))
        + b"To: ann@a.example\n\nText\n",
    ],
    ids=["two ways", "an open quote", "no UTF-8", "a header that is not read whole"],
)
def test_recipients_that_cannot_be_told_for_certain_are_refused(written):
    with pytest.raises(NoRecipientList):
        whole(written, recipients=(), is_read_from_header=True)


def test_eight_bits_and_other_alphabets_are_announced():
    plain, eight, utf8 = (
        whole(b"\nText\n"),
        whole("\nTür\n".encode()),
        whole(b"\nText\n", recipients=(Address("tür", "a.example"),)),
    )

    assert plain.envelope.parameters == ()
    assert eight.envelope.parameters == ("BODY=8BITMIME",)
    assert utf8.envelope.parameters == ("SMTPUTF8",)


def test_what_the_options_ask_for_stands_in_the_envelope():
    mail = whole(
        "\nTür\n".encode(),
        parameters=("BODY=7BIT", "RET=HDRS"),
        recipient_parameters=("NOTIFY=NEVER",),
    )

    assert mail.envelope.parameters == ("BODY=7BIT", "RET=HDRS")
    assert mail.envelope.recipients[0].parameters == ("NOTIFY=NEVER",)
