# SPDX-License-Identifier: Apache-2.0
"""What a report returns is cut to the fields by which its recipient knows the mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from undisclosed.core.address import Address
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.core.returned import cut_returned

ANN = Address("ann", "a.example")
POLICY = Policy(own_domains=frozenset({"council.example"}))


def report(returned, *, encoding="", boundary="=_b", end="--=_b--\r\n"):
    """A delivery report that returns these bytes of a mail."""
    return (
        f"From: <postmaster@council.example>\r\nTo: <ann@a.example>\r\n"
        "Subject: Undeliverable\r\n"
        "Content-Type: multipart/report; report-type=delivery-status;"
        f' boundary="{boundary}"\r\n\r\n'
        "--=_b\r\n\r\nYour mail could not be delivered.\r\n"
        "--=_b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; council.example\r\n\r\n"
        "Final-Recipient: rfc822; bob@council.example\r\nAction: failed\r\n"
        f"--=_b\r\nContent-Type: message/rfc822\r\n{encoding}\r\n"
        f"{returned}\r\n{end}"
    ).encode()


RETURNED = (
    "From: Ann <ann@a.example>\r\n"
    "To: p1@one.example, p2@two.example,\r\n p3@three.example\r\n"
    "Cc: p4@four.example\r\n"
    "Subject: To p1@one.example and all\r\n"
    "Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n"
    "Message-ID: <7@a.example>\r\n"
    "\r\nDear all, write to p5@five.example.\r\n"
)


def shown(content):
    return {one.spelled_out() for one in read_content(content, POLICY).shown}


def test_a_returned_mail_keeps_what_its_writer_knows_it_by():
    content = report(RETURNED)

    cut = cut_returned(content, ANN).apply(content)

    assert b"Your mail could not be delivered." in cut
    assert b"Final-Recipient: rfc822; bob@council.example" in cut
    assert b"From: Ann <ann@a.example>\r\n" in cut
    assert b"Message-ID: <7@a.example>\r\n" in cut
    assert b"Date: Mon, 2 Mar 2026" in cut
    assert b"five.example" not in cut
    assert b"To: p1" not in cut
    assert b"Subject: To p1" not in cut
    assert cut.endswith(b"\r\n--=_b--\r\n")
    assert {one for one in shown(cut) if one.startswith("p")} <= {
        "postmaster@council.example"
    }


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(report(RETURNED).replace(b"report;", b"mixed;"), id="no report"),
        pytest.param(
            report(RETURNED, encoding="Content-Transfer-Encoding: base64\r\n"),
            id="encoded",
        ),
        pytest.param(report(RETURNED, boundary="other"), id="another boundary"),
        pytest.param(
            report(RETURNED).replace(b"message/rfc822", b"text/plain"),
            id="returns nothing",
        ),
        pytest.param(b"", id="nothing"),
    ],
)
def test_what_cannot_be_cut_is_said(content):
    assert cut_returned(content, ANN) is None


def test_a_report_that_ends_without_its_last_delimiter_is_cut_to_its_end():
    content = report(RETURNED, end="")

    cut = cut_returned(content, ANN).apply(content)

    assert b"five.example" not in cut


def test_a_returned_header_alone_is_cut_as_well():
    content = report(RETURNED.partition("\r\n\r\n")[0]).replace(
        b"message/rfc822", b"text/rfc822-headers"
    )

    assert b"p2@two.example" not in cut_returned(content, ANN).apply(content)


@given(strategies.address_lists, st.binary(max_size=200))
def test_nobody_of_the_returned_fields_is_left(people, body):
    listed = ", ".join(people)
    content = report(f"To: {listed}\r\nCc: {listed}\r\n\r\nx").replace(b"x\r\n", body)

    patch = cut_returned(content, ANN)

    if patch is not None:
        assert not {one.lower() for one in people} & shown(patch.apply(content))


@given(st.binary(max_size=300))
def test_it_never_raises(junk):
    for content in (junk, report("To: a@b.example\r\n\r\n").replace(b"failed", junk)):
        cut_returned(content, ANN)
