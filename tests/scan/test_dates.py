# SPDX-License-Identifier: Apache-2.0
"""Dates as mail programs of four decades wrote them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.header import split_content
from undisclosed.scan.dates import parse_date, sent_at

NOON = datetime(2002, 8, 22, 12, 5, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "Thu, 22 Aug 2002 12:05:09 +0000",
        "Thu, 22 Aug 2002 14:05:09 +0200 (CEST)",
        "22 Aug 02 12:05:09 GMT",
        "22-Aug-2002 12:05:09 UT",
        "Thu Aug 22 12:05:09 2002",
        "Thu Aug 22 12:05:09 UTC 2002",
        "Thursday, August 22, 2002 12:05:09 PM",
        "2002-08-22T12:05:09Z",
        "2002-08-22 14:05:09 +02:00",
        "Thu, 22 Aug 102 12:05:09 -0000",
        "Thu,\r\n 22 Aug 2002\r\n 12:05:09",
        "22 Aug 2002 07:05:09 EST",
        "Thu, 22 Aug 2002 12.05.09 +0000",
    ],
)
def test_a_date_is_read_however_it_is_written(text: str) -> None:
    assert parse_date(text) == NOON


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "99 Foo 2002 12:00:00", "31 Feb 2002 12:00:00", "1 Jan 2002"],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_date(text) is None


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)).map(
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    )
)
def test_every_date_of_rfc_5322_comes_back(moment: datetime) -> None:
    assert parse_date(f"{moment:%a, %d %b %Y %H:%M:%S +0000}") == moment


@given(st.text(max_size=300))
def test_no_text_raises(text: str) -> None:
    moment = parse_date(text)

    assert moment is None or moment.tzinfo is UTC


def test_without_a_date_the_oldest_received_field_says_it() -> None:
    header = split_content(
        b"Received: from b; Fri, 23 Aug 2002 00:00:00 +0000\r\n"
        b"Received: from a by b; Thu, 22 Aug 2002 12:05:09 +0000\r\n"
        b"Date: some day\r\n\r\n"
    )

    assert sent_at(header.fields) == NOON
