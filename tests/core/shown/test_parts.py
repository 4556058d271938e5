# SPDX-License-Identifier: Apache-2.0
"""Limits of each kind of part are said, and never silent."""

import base64

import pytest

from undisclosed.core.policy import Policy
from undisclosed.core.reading import Content, read_content

CALENDAR = "BEGIN:VCALENDAR\r\n{}END:VCALENDAR\r\n"
REPORT = "Reporting-MTA: dns; a.example\r\n\r\n{}"
TOO_MANY = "It shows more than 20 addresses: not all were read."


def content_of(media_type: str, body: str, policy: Policy | None = None) -> Content:
    """The reading of a message with this body."""
    head = f"From: own@own.example\r\nContent-Type: {media_type}\r\n\r\n"
    return read_content((head + body).encode(), policy or Policy())


@pytest.mark.parametrize(
    ("media_type", "body", "line"),
    [
        ("text/calendar", CALENDAR, "ATTENDEE:mailto:p{0}@a.example\r\n"),
        ("text/vcard", CALENDAR, "EMAIL:p{0}@a.example\r\n"),
        ("message/delivery-status", REPORT, "Final-Recipient: x; p{0}@a.example\r\n"),
        ("text/html", "<p>{}</p>", "p{0}@a.example "),
    ],
)
@pytest.mark.parametrize("number", [30, 3000])
def test_more_people_than_are_read_is_said(
    media_type: str, body: str, line: str, number: int
) -> None:
    written = "".join(line.format(one) for one in range(number))

    reading = content_of(media_type, body.format(written), Policy(max_shown=20))

    assert reading.uncertain == (TOO_MANY,)


def test_a_calendar_that_is_too_long_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undisclosed.core.shown.parts.LONGEST_LINES", 40)
    lines = "ATTENDEE:mailto:a@a.example\r\n" * 10

    reading = content_of("text/calendar", CALENDAR.format(lines))

    assert reading.uncertain == ("A calendar or a vCard in it is longer than is read.",)


def test_a_calendar_is_the_visible_text_where_there_is_no_other() -> None:
    reading = content_of("text/calendar", CALENDAR.format("SUMMARY:Lunch\r\n"))

    assert "SUMMARY:Lunch" in reading.visible_text


def test_signed_content_in_signed_content_ends() -> None:
    inner = b"Content-Type: text/plain\r\n\r\nAsk ann@a.example.\r\n"
    for _ in range(20):
        coded = base64.encodebytes(_signed(inner))
        inner = b"Content-Type: application/pkcs7-mime\r\n"
        inner += b"Content-Transfer-Encoding: base64\r\n\r\n" + coded

    reading = read_content(b"From: own@own.example\r\n" + inner, Policy())

    assert reading.uncertain == (
        "It has more parts, or parts nested deeper, than are read.",
    )


def _der(tag: int, body: bytes) -> bytes:
    size = len(body).to_bytes(4, "big")
    return bytes((tag, 0x84)) + size + body


def _signed(inner: bytes) -> bytes:
    """Signed content without a signer (RFC 5652 §5.1)."""
    data = bytes.fromhex("06092a864886f70d010701")
    whole = _der(0x30, data + _der(0xA0, _der(4, inner)))
    value = b"\x02\x01\x01" + _der(0x31, b"") + whole + _der(0x31, b"")
    kind = bytes.fromhex("06092a864886f70d010702")
    return _der(0x30, kind + _der(0xA0, _der(0x30, value)))


def test_encrypted_content_is_named_as_unread() -> None:
    packets = b"\xc1\x0d\x03" + bytes(range(1, 9)) + b"\x01\x00\x08x" + b"\xd2\x01x"
    body = base64.encodebytes(packets).decode()
    head = "application/octet-stream; name=a.gpg\r\nContent-Transfer-Encoding: base64"

    reading = content_of(head, body)

    assert reading.recipient_ids == 1
    assert "encrypted content" in reading.unread_parts
