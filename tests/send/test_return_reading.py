# SPDX-License-Identifier: Apache-2.0
"""What came back is told apart: reports, odd ones, complaints, replies, letters."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.core.returns import Cause, ReturnKind
from undisclosed.send.causes import cause_of
from undisclosed.send.return_reading import read_return, token_of
from undisclosed.send.tokens import Purpose

CORPUS = Path(__file__).parents[3] / "shared" / "corpora" / "bounces"
STAFF = "From: staff" + "@" + "hotmail.com"
TOKEN, OTHER = "a2" * 13, "b3" * 13

QMAIL = b"""From: MAILER-DAEMON@mx.test
To: b@bounces.c.test
Subject: failure notice

Hi. This is the qmail-send program at mx.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<ann@a.example>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

"""


def mail(*fields, text="Hello"):
    """A message of these fields."""
    return ("\r\n".join(fields) + f"\r\n\r\n{text}\r\n").encode()


@given(st.binary(max_size=3_000))
def test_whatever_comes_back_is_read_without_an_error(content):
    read_return(content)


@given(st.binary(max_size=1_000))
def test_no_odd_report_raises(content):
    read_return(b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" + content)


def test_an_odd_report_is_read_by_its_shape():
    returned = read_return(QMAIL)

    assert (returned.kind, returned.cause) == (ReturnKind.FAILED, Cause.NO_MAILBOX)
    assert returned.people == (Address("ann", "a.example"),)
    assert "ann" not in repr(returned)


@pytest.mark.parametrize(
    ("fields", "text", "kind"),
    [
        (
            ("From: postmaster@mx.test", "Subject: Returned mail"),
            "We got: 550 5.1.1 unknown user",
            ReturnKind.FAILED,
        ),
        (
            ("From: postmaster@mx.test", "Subject: Warning"),
            "451 4.4.1 no answer. We will continue to try.",
            ReturnKind.DELAYED,
        ),
        (
            ("From: ann@a.example", "Auto-Submitted: auto-replied"),
            "I left the company; ask bob. 550 of us stay.",
            ReturnKind.AUTO_REPLY,
        ),
        (
            ("From: ann@a.example", "Subject: Automatic reply: Bins"),
            "Away",
            ReturnKind.AUTO_REPLY,
        ),
        (
            ("From: ann@a.example", "Subject: Abwesenheitsnotiz"),
            "Weg",
            ReturnKind.AUTO_REPLY,
        ),
        (
            ("From: ann@a.example", "Precedence: auto_reply", "Subject: Bins"),
            "Away",
            ReturnKind.AUTO_REPLY,
        ),
        (
            ("From: ann@a.example", "Subject: Re: Bins"),
            "Somebody told me 550 5.1.1 user unknown. What is that?",
            ReturnKind.UNKNOWN,
        ),
        (
            ("From: MAILER-DAEMON@mx.test", "Subject: Hello"),
            "Nothing to see",
            ReturnKind.UNKNOWN,
        ),
        (
            (STAFF, "Subject: complaint about message from x"),
            "No message is attached",
            ReturnKind.UNKNOWN,
        ),
        (
            (
                "From: ann@a.example",
                "Content-Type: message/disposition-notification",
            ),
            "Disposition: automatic-action/MDN-sent-automatically; displayed",
            ReturnKind.AUTO_REPLY,
        ),
    ],
)
def test_words_and_fields_say_what_it_is(fields, text, kind):
    assert read_return(mail(*fields, text=text)).kind is kind


def test_microsofts_own_complaint_is_one():
    attached = "Content-Type: message/rfc822"
    content = mail(
        STAFF,
        "Subject: complaint about message from 192.0.2.1",
        attached,
        text=f"Message-ID: <{TOKEN}@c.test>\r\n\r\nDear Ann",
    )

    returned = read_return(content, hostname="c.test")

    assert returned.kind is ReturnKind.COMPLAINT
    assert returned.tokens == ((Purpose.MESSAGE_ID, TOKEN),)


@pytest.mark.parametrize(
    ("groups", "kind"),
    [
        (["failed 5.1.1", "delivered 2.0.0"], ReturnKind.FAILED),
        (["delayed 4.4.1", "delivered 2.0.0"], ReturnKind.DELIVERED),
        (["relayed 2.0.0"], ReturnKind.RELAYED),
        (["expanded 2.0.0"], ReturnKind.EXPANDED),
        (["relayed 2.0.0", "delivered 2.0.0"], ReturnKind.DELIVERED),
        (["relayed 2.0.0", "expanded 2.0.0"], ReturnKind.EXPANDED),
        (["relayed 2.0.0", "failed 5.1.1"], ReturnKind.FAILED),
        (["nonsense 5.0.0"], ReturnKind.FAILED),
        (["nonsense 4.0.0"], ReturnKind.DELAYED),
    ],
)
def test_a_report_of_several_says_what_became_of_our_message(groups, kind):
    written = []
    for number, group in enumerate(groups):
        action, status = group.split()
        who = f"Final-Recipient: rfc822;p{number}@a.example"
        written.append(f"{who}\r\nAction: {action}\r\nStatus: {status}\r\n")
    content = (
        'Content-Type: multipart/report; boundary="b"\r\n\r\n--b\r\n'
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;x\r\n\r\n"
        + "\r\n".join(written)
        + "--b--\r\n"
    )

    assert read_return(content.encode()).kind is kind


def test_the_envelope_says_it_before_the_content_does():
    content = mail(f"To: b-{OTHER}@bounces.c.test", text=f"<{OTHER}@c.test>")
    envelope = [Address(f"B-{TOKEN.upper()}", "bounces.c.test")]

    assert read_return(content, envelope).tokens == ((Purpose.RETURN_PATH, TOKEN),)


@pytest.mark.parametrize(
    ("content", "purpose"),
    [
        (mail(f"Delivered-To: b-{TOKEN}@bounces.c.test"), Purpose.RETURN_PATH),
        (mail(f"To: <b-{TOKEN}@bounces.c.test>"), Purpose.RETURN_PATH),
        (
            mail("To: x@y.test", text=f"Message-ID:\r\n <{TOKEN}@C.test>"),
            Purpose.MESSAGE_ID,
        ),
        (
            mail("To: x@y.test", text=f"https://c.test/unsubscribe/{TOKEN}/"),
            Purpose.UNSUBSCRIBE,
        ),
        (
            mail(
                "Content-Transfer-Encoding: quoted-printable",
                text=f"Message-ID: <{TOKEN[:9]}=\r\n{TOKEN[9:]}@c.test>",
            ),
            Purpose.MESSAGE_ID,
        ),
    ],
)
def test_a_token_is_found_wherever_it_stands(content, purpose):
    assert read_return(content, hostname="c.test").tokens == ((purpose, TOKEN),)


@pytest.mark.parametrize(
    "content",
    [
        mail(f"Message-ID: <{TOKEN}@c.test>"),
        mail(f"In-Reply-To: <{TOKEN}@c.test>"),
        mail("To: x@y.test", text=f"References: <{TOKEN}@c.test>"),
        mail("To: x@y.test", text=f"Message-ID: <{TOKEN}@evil.example>"),
        mail("To: x@y.test", text=f"Message-ID: x <{TOKEN}@c.test>"),
        mail("To: x@y.test", text=f"<{TOKEN}@c.test>"),
    ],
    ids=["its own", "a reply", "references", "another host", "not alone", "in words"],
)
def test_a_message_id_counts_as_the_returned_message_s_own_alone(content):
    assert read_return(content, hostname="c.test").tokens == ()


def test_without_a_host_of_ours_no_message_id_is_ours():
    assert (
        read_return(mail("To: x@y.test", text=f"Message-ID: <{TOKEN}@>")).tokens == ()
    )


@pytest.mark.parametrize("local_part", ["b-", "b-short", f"c-{TOKEN}", f"b-{TOKEN}x"])
def test_what_is_no_return_path_has_no_token(local_part):
    assert token_of(Address(local_part, "bounces.c.test")) is None


@pytest.mark.parametrize(
    ("status", "text", "cause"),
    [
        ("5.1.1", "", Cause.NO_MAILBOX),
        ("5.1.1", "552 over quota temporarily (#5.1.1)", Cause.FULL),
        ("5.2.0", "550 5.2.0 Mail rejected", Cause.OTHER),
        ("5.2.0", "550 : User unknown", Cause.NO_MAILBOX),
        ("5.2.1", "", Cause.NO_MAILBOX),
        (
            "5.4.1",
            "550 5.4.1 [x@y.test]: Recipient address rejected: Access denied",
            Cause.NO_MAILBOX,
        ),
        ("5.7.1", "554 5.7.1 Recipient address rejected: Access denied", Cause.REFUSED),
        (
            "5.0.0",
            "but my name was rejected. 501 Invalid domain name",
            Cause.REFUSED,
        ),
        ("", "an MX or SRV record indicated no SMTP service", Cause.NO_DOMAIN),
        ("5.0.0", "Recipient address rejected: User unknown", Cause.NO_MAILBOX),
        ("5.7.1", "550 5.7.1 Recipient address rejected: blocked", Cause.REFUSED),
        ("5.0.0", "Recipient address rejected: policy", Cause.OTHER),
        ("5.1.8", "Domain of sender address does not exist", Cause.REFUSED),
        ("5.0.0", "Domain of sender address x does not exist", Cause.REFUSED),
        ("5.4.4", "", Cause.NO_DOMAIN),
        ("5.0.0", "Host or domain name not found", Cause.NO_DOMAIN),
        ("5.0.0", "The mailbox is full", Cause.FULL),
        ("5.2.2", "", Cause.FULL),
        ("5.3.4", "", Cause.TOO_LARGE),
        ("5.7.26", "user unknown", Cause.REFUSED),
        ("4.4.1", "connection timed out", Cause.UNREACHABLE),
        ("5.0.0", "Ann has moved to Spain", Cause.MOVED),
        ("", "", Cause.OTHER),
    ],
)
def test_the_cause_is_told_by_words_where_the_status_is_vague(status, text, cause):
    assert cause_of(status, text) is cause


def test_a_failure_lasts_where_nobody_is_there():
    lasting = {cause for cause in Cause if cause.is_lasting}

    assert lasting == {Cause.NO_MAILBOX, Cause.NO_DOMAIN, Cause.MOVED}


@pytest.mark.skipif(
    not CORPUS.is_dir(), reason="the corpora are not beside the checkout"
)
def test_most_of_what_mail_servers_really_write_is_understood():
    sections = json.loads((CORPUS / "expected.json").read_text("utf-8"))
    (expected,) = (v for name, v in sections.items() if name.startswith("sisimai ("))
    no_bounces = ("feedback", "vacation", "delivered")
    right = asked = 0
    for name, wanted in expected.items():
        kind = read_return((CORPUS / "sisimai" / "bsd" / name).read_bytes()).kind
        is_bounce = kind in (ReturnKind.FAILED, ReturnKind.DELAYED)
        asked += 1
        right += is_bounce is (wanted[0]["reason"] not in no_bounces)

    assert asked > 200
    assert right >= 0.97 * asked


@pytest.mark.parametrize(
    ("told", "kind", "cause"),
    [
        ('{"notificationType":"Complaint"}', ReturnKind.COMPLAINT, Cause.OTHER),
        ('{"notificationType":"Delivery"}', ReturnKind.DELIVERED, Cause.OTHER),
        ('{"notificationType":"Bounce"}', ReturnKind.FAILED, Cause.OTHER),
        (
            '{"notificationType":"Bounce","bounce":{"bouncedRecipients":[{'
            '"emailAddress":"ann@a.example","status":"5.1.1"}]}}',
            ReturnKind.FAILED,
            Cause.NO_MAILBOX,
        ),
    ],
)
def test_amazons_notices_are_read(told, kind, cause):
    found = read_return(mail("From: no-reply@sns.provider.example", text=told))

    assert (found.kind, found.cause) == (kind, cause)
