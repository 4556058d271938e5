# SPDX-License-Identifier: Apache-2.0
"""The page of a scan: it escapes, it shortens, it says what is missing."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scan.archive import people, scanned, written
from undisclosed.scan.picture import bar, spans_of
from undisclosed.scan.report import Page, render_report, without_addresses
from undisclosed.scan.scan import Result
from undisclosed.transport.mailbox import Unreadable

PAGE = Page(datetime(2024, 2, 1, tzinfo=UTC), ("sent.mbox",))
NOTHING = scanned([])


class Tags(HTMLParser):
    """The elements of a page, and whether each is closed where it was opened."""

    void = frozenset({"meta", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def rendered(result: Result, page: Page = PAGE) -> str:
    html = render_report(result, page)
    tags = Tags()
    tags.feed(html)
    assert tags.open == []
    assert "script" not in tags.seen
    return html


def test_the_page_holds_the_numbers_of_the_scan() -> None:
    html = rendered(scanned([written(people(200 * n, 40), days=n) for n in range(3)]))

    assert "1 mailing showed 120 people’s addresses to other recipients." in html
    assert "<dd>4,680</dd>" in html
    assert "8 Jan 2024 to 10 Jan 2024" in html


@pytest.mark.parametrize(
    "subject",
    ["<script>alert(1)</script>", "\x1b[2J&amp;\"'", "=?utf-8?q?=ED=A0=80?="],
    ids=["markup", "control", "surrogate"],
)
def test_a_subject_cannot_change_the_page(subject: str) -> None:
    html = rendered(scanned([written(people(0, 9), subject=subject)]))

    assert "<script" not in html
    assert "\x1b" not in html
    html.encode("utf-8")


def test_addresses_are_whole_only_where_somebody_asked() -> None:
    result = scanned([written(people(0, 9), subject="for ann@home.example")])

    shortened = rendered(result)
    whole = rendered(result, replace(PAGE, is_spelled_out=True))

    assert "person3@place3.example" in whole
    assert "for ann@home.example" in whole
    assert not re.search(r"(person\d|ann|team)@", shortened)
    assert "a…@home.example" in shortened


def test_an_archive_without_disclosures_says_so() -> None:
    html = rendered(NOTHING)

    assert "No mail was found that shows people to each other." in html
    assert "When it happened" not in html


def test_what_was_not_read_is_named() -> None:
    result = replace(
        NOTHING,
        problems=(Unreadable("<old>.pst", "is an Outlook file"),),
        uncertain=(("a.eml", "A part could not be decoded."),),
        uncertain_count=1,
        passed_over=2,
        is_complete=False,
    )

    html = rendered(result)

    assert "&lt;old&gt;.pst" in html
    assert "A part could not be decoded." in html
    assert "2 files" in html
    assert "stopped before its end" in html


def test_mail_without_a_date_is_counted_and_not_drawn() -> None:
    undated = written(people(0, 9)).replace(b"Date:", b"X-Date:")

    html = rendered(scanned([undated, written(people(20, 9), text="Another one.")]))

    assert "1 mailing without a date left out" in html
    assert "Undated" in html


@given(
    st.lists(
        st.tuples(
            st.datetimes(datetime(1980, 1, 1), datetime(2060, 1, 1)),
            st.integers(1, 999),
        ),
        max_size=30,
    )
)
def test_every_person_stands_in_one_bar_and_the_bars_are_few(
    people_at: list[tuple[datetime, int]],
) -> None:
    spans = spans_of(people_at)

    assert sum(span.people for span in spans) == sum(count for _, count in people_at)
    assert sum(span.mailings for span in spans) == len(people_at)
    assert len(spans) <= 61


def test_a_bar_with_anybody_in_it_can_be_seen() -> None:
    assert 'class="is-seen" width="3.00"' in bar(1, 1_000_000)
    assert 'class="is-seen" width="0.00"' in bar(0, 0)


@given(st.text())
def test_shortening_leaves_no_local_part(text: str) -> None:
    shown = without_addresses(f"{text} somebody@there.example {text}")

    assert "somebody" not in shown.replace(text, "")


def test_mail_of_one_day_is_dated_once() -> None:
    one_day = rendered(scanned([written(people(0, 40))]))
    two_days = rendered(scanned([written(people(0, 40), days=n) for n in range(2)]))

    assert "Sent on 8 Jan 2024. " in one_day
    assert "Sent between 8 Jan 2024 and 9 Jan 2024. " in two_days
