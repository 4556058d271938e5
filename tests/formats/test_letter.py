# SPDX-License-Identifier: Apache-2.0
"""Letters of our own are legal mail whatever they say."""

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.letter import (
    Letter,
    date_time,
    phrase,
    unstructured,
    write_around,
    write_letter,
)

LETTER = Letter(
    author_name="Undisclosed",
    author="guard@council.example",
    to="olive@council.example",
    subject="Held: News",
    written_at=datetime(2026, 3, 2, 9, 5, 7, tzinfo=UTC),
    message_id="abc@guard.example",
    plain="One.\n\nTwo.",
)
TEXT = st.text(st.characters(exclude_categories=()), max_size=300)


def decoded(body: str) -> str:
    """Encoded words as text; the blanks between them do not count (RFC 2047 §6.2)."""
    words = re.findall(r"=\?utf-8\?b\?([A-Za-z0-9+/=]*)\?=", body)
    return b"".join(base64.b64decode(word) for word in words).decode("utf-8")


def test_a_plain_letter_is_what_it_says():
    assert write_letter(LETTER, "=_b") == (
        b'From: "Undisclosed" <guard@council.example>\r\n'
        b"To: <olive@council.example>\r\n"
        b"Subject: Held: News\r\n"
        b"Date: Mon, 2 Mar 2026 09:05:07 +0000\r\n"
        b"Message-ID: <abc@guard.example>\r\n"
        b"Auto-Submitted: auto-generated\r\n"
        b"MIME-Version: 1.0\r\n"
        b"Content-Type: text/plain; charset=us-ascii\r\n"
        b"Content-Transfer-Encoding: 7bit\r\n"
        b"\r\n"
        b"One.\r\n\r\nTwo.\r\n"
    )


def test_text_and_html_are_alternatives():
    content = write_letter(replace(LETTER, html="<p>One · two</p>"), "=_b")

    head, plain, html, tail = content.split(b"\r\n--=_b")
    assert b'multipart/alternative; boundary="=_b"' in head
    assert plain.endswith(b"\r\n\r\nOne.\r\n\r\nTwo.\r\n")
    assert b"charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n" in html
    encoded = html.partition(b"\r\n\r\n")[2]
    assert base64.b64decode(encoded).decode() == "<p>One · two</p>\r\n"
    assert tail == b"--\r\n"


def test_a_mail_is_carried_as_it_is():
    mail = b"Subject: X\r\n\r\nCaf\xe9\r\n"

    before, behind = write_around(LETTER, "=_b", True)

    parts = (before + mail + behind).split(b"\r\n--=_b")
    assert parts[2].endswith(b"8bit\r\nContent-Disposition: attachment\r\n\r\n" + mail)
    assert parts[2].startswith(b"\r\nContent-Type: message/rfc822\r\n")
    assert parts[3] == b"--\r\n"
    assert (
        b"Content-Transfer-Encoding: 7bit\r\nC" in write_around(LETTER, "=_b", False)[0]
    )


@given(subject=TEXT, name=TEXT, plain=TEXT, to=TEXT)
def test_whatever_it_says_it_adds_no_field(subject, name, plain, to):
    letter = replace(
        LETTER, subject=subject, author_name=name, plain=plain, to=f"{to}@a.example"
    )

    content = write_letter(letter, "=_b")

    head = content.partition(b"\r\n\r\n")[0]
    names = re.findall(rb"^([^\s:]+):", head, re.MULTILINE)
    assert names == [
        b"From",
        b"To",
        b"Subject",
        b"Date",
        b"Message-ID",
        b"Auto-Submitted",
        b"MIME-Version",
        b"Content-Type",
        b"Content-Transfer-Encoding",
    ]
    assert not re.search(rb"[^\r]\n|\r[^\n]", content)
    assert all(len(line) <= 998 for line in content.split(b"\r\n")) or len(to) > 200


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), max_size=400))
def test_a_subject_reads_as_it_was_written(subject):
    body = unstructured(subject)

    assert (decoded(body) or body) == subject
    assert body.isascii()
    assert all(len(line) <= 76 for line in body.split("\r\n"))


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Ann", '"Ann"'),
        ('A "B" \\ C', '"A \\"B\\" \\\\ C"'),
        ("Zoë", "=?utf-8?b?Wm/Dqw==?="),
    ],
)
def test_a_display_name_is_quoted_or_encoded(name, written):
    assert phrase(name) == written


def test_a_long_display_name_is_encoded():
    assert decoded(phrase("x" * 100)).strip("\N{NO-BREAK SPACE}") == "x" * 100


def test_a_subject_that_looks_encoded_is_encoded():
    assert unstructured("=?utf-8?q?x?=") != "=?utf-8?q?x?="


def test_dates_are_in_utc():
    there = timezone(timedelta(hours=5, minutes=30))

    assert date_time(datetime(2026, 1, 1, 2, 0, tzinfo=there)) == (
        "Wed, 31 Dec 2025 20:30:00 +0000"
    )


def test_addresses_outside_ascii_need_an_extension():
    assert not LETTER.is_international
    assert replace(LETTER, to="zoë@a.example").is_international


def test_a_long_line_is_encoded():
    content = write_letter(replace(LETTER, plain="x" * 2000), "=_b")

    assert b"Content-Transfer-Encoding: base64" in content
