# SPDX-License-Identifier: Apache-2.0
"""What is written as a DSN is read back as one (RFC 3464)."""

import quopri
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.dsn import (
    DeliveryAction,
    DeliveryReport,
    RecipientStatus,
    write_dsn,
)
from undisclosed.formats.letter import Letter

NOW = datetime(2026, 3, 2, 9, 5, 7, tzinfo=UTC)
LETTER = Letter(
    author_name="Undisclosed",
    author="guard@council.example",
    to="olive@council.example",
    subject="Some of your mail could not be delivered",
    written_at=NOW,
    message_id="abc@guard.example",
    plain="Your mail could not be delivered to 1 recipient.",
)
ANN = RecipientStatus(
    final_recipient="ann@a.example",
    action=DeliveryAction.FAILED,
    status="5.1.1",
    reply="550 5.1.1 No such user",
    original_recipient="rfc822;ann+40home@a.example",
    last_attempt_at=NOW,
)
BOB = RecipientStatus("bob@b.example", DeliveryAction.DELAYED, "4.0.0")


def parts_of(content: bytes) -> list[bytes]:
    """The parts of a multipart, by its own boundary."""
    found = re.search(rb'boundary="([^"]+)"', content)
    assert found
    pieces = content.split(b"\r\n--" + found[1])
    assert pieces[-1] == b"--\r\n"
    return [piece.removeprefix(b"\r\n") for piece in pieces[1:-1]]


def groups_of(part: bytes) -> list[dict[str, str]]:
    """The groups of fields of a message/delivery-status part."""
    head, _, body = part.partition(b"\r\n\r\n")
    assert head == b"Content-Type: message/delivery-status"
    return [
        dict(
            re.fullmatch(r"([^:]+): (.*)", line).groups()  # type: ignore[union-attr]
            for line in group.strip("\r\n").split("\r\n")
        )
        for group in body.decode("ascii").split("\r\n\r\n")
    ]


def test_a_report_reads_back():
    report = DeliveryReport("guard.example", (ANN, BOB), "QQ+3D7", NOW)

    content = write_dsn(LETTER, report, b"Subject: News\r\n", "=_b")

    assert b"multipart/report; report-type=delivery-status; boundary" in content
    words, status, header = parts_of(content)
    assert b"could not be delivered to 1 recipient." in words
    assert groups_of(status) == [
        {
            "Original-Envelope-Id": "QQ=7",
            "Reporting-MTA": "dns; guard.example",
            "Arrival-Date": "Mon, 2 Mar 2026 09:05:07 +0000",
        },
        {
            "Original-Recipient": "rfc822; ann@home@a.example",
            "Final-Recipient": "rfc822; ann@a.example",
            "Action": "failed",
            "Status": "5.1.1",
            "Diagnostic-Code": "smtp; 550 5.1.1 No such user",
            "Last-Attempt-Date": "Mon, 2 Mar 2026 09:05:07 +0000",
        },
        {
            "Final-Recipient": "rfc822; bob@b.example",
            "Action": "delayed",
            "Status": "4.0.0",
        },
    ]
    assert header == (
        b"Content-Type: text/rfc822-headers\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n\r\nSubject: News\r\n"
    )


def test_addresses_outside_ascii_are_written_in_ascii():
    zoe = RecipientStatus("zoë@a.example", DeliveryAction.FAILED, "5.0.0", "550 né")
    report = DeliveryReport("guard.example", (zoe,))

    _, status, _ = parts_of(write_dsn(LETTER, report, b"", "=_b"))

    group = groups_of(status)[1]
    assert group["Final-Recipient"] == r"utf-8; zo\x{EB}@a.example"
    assert group["Diagnostic-Code"] == r"smtp; 550 n\x{E9}"


@pytest.mark.parametrize(
    "header",
    [b"Subject: caf\xe9\r\n", b"Subject: " + b"x" * 2000 + b"\r\n"],
    ids=["8-bit", "long line"],
)
def test_an_illegal_header_is_made_legal(header):
    content = write_dsn(LETTER, DeliveryReport("guard.example", (BOB,)), header, "=_b")

    _, _, part = parts_of(content)
    head, _, body = part.partition(b"\r\n\r\n")
    assert head.endswith(b"Content-Transfer-Encoding: quoted-printable")
    assert quopri.decodestring(body) == header
    assert content.isascii()
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))


@given(
    st.text(st.characters(exclude_categories=()), max_size=200),
    st.text(st.characters(exclude_categories=()), max_size=2000),
)
def test_whatever_a_hop_says_the_report_stays_one(address, reply):
    status = RecipientStatus(
        f"{address}@a.example",
        DeliveryAction.FAILED,
        "5.0.0",
        reply,
        f"rfc822;{address}",
    )

    content = write_dsn(LETTER, DeliveryReport("guard.example", (status,)), b"", "=_b")

    _, part, _ = parts_of(content)
    _, group = groups_of(part)
    assert set(group) >= {"Final-Recipient", "Action", "Status"}
    assert not re.search(rb"[^\r]\n|\r[^\n]", content)
