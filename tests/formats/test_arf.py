# SPDX-License-Identifier: Apache-2.0
"""Complaints are read as mailbox providers write them (RFC 5965)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.arf import FeedbackReport, read_feedback_report

FULL = (
    b"Feedback-Type: abuse\r\nUser-Agent: SomeGenerator/1.0\r\nVersion: 1\r\n"
    b"Original-Mail-From: <bulk@c.example>\r\n"
    b"Original-Rcpt-To: <ann@a.example>\r\nOriginal-Rcpt-To:\r\n bob@b.example\r\n"
)


def test_the_fields_of_the_standard_are_read():
    report = read_feedback_report(FULL)

    assert report == FeedbackReport(
        "abuse", "bulk@c.example", ("ann@a.example", "bob@b.example")
    )
    assert "example" not in repr(report)


@pytest.mark.parametrize(
    ("kind", "is_complaint"),
    [
        ("abuse", True),
        ("Fraud", True),
        ("opt-out", True),
        ("other", True),
        ("not-spam", False),
        ("virus", False),
        ("auth-failure", False),
    ],
)
def test_not_every_report_is_a_complaint(kind, is_complaint):
    report = read_feedback_report(f"Feedback-Type: {kind}\n".encode())

    assert report is not None
    assert report.is_complaint is is_complaint


def test_what_has_no_kind_is_no_report():
    assert read_feedback_report(b"Version: 1\r\n") is None


@given(st.binary(max_size=1_000))
def test_whatever_stands_there_is_read_without_an_error(content):
    assert read_feedback_report(b"Feedback-Type: abuse\r\n" + content) is not None
