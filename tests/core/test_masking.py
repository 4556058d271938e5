# SPDX-License-Identifier: Apache-2.0
"""A masked value says that there is one, and nothing else."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, Draft, Row
from undisclosed.core.masking import masked
from undisclosed.send.merge import compile_draft
from undisclosed.send.message import Marks

ALLOWED = set("▇@ ") | set("https://mailto:tel:")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
COLUMNS = ("Email", "Name", "Ward", "Letter")
TEXT = (
    "Dear {{ name }},\n\n"
    '{% if ward == "North" %}Monday{% else %}Friday{% endif %} it is.\n\n'
    '{{ letter | default("Kind regards") }}\n'
)


@given(st.text())
def test_no_sign_of_a_value_is_left(value):
    found = masked(value)

    assert set(found) <= ALLOWED
    assert bool(found) == bool(value.strip())


@given(st.text(alphabet="abcdefgh", min_size=1, max_size=60))
def test_a_word_has_one_of_three_lengths(word):
    assert len(masked(word)) in (3, 6, 9)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Y", "▇▇▇"),
        ("positive", "▇▇▇▇▇▇▇▇▇"),
        ("12 High Street", "▇▇▇ ▇▇▇▇▇▇ ▇▇▇▇▇▇"),
        ("ann@a.example", "▇▇▇@▇▇▇"),
        ("HTTPS://a.example/?ann", "https://▇▇▇"),
        ("", ""),
    ],
)
def test_what_kind_of_value_it_is_can_be_told(value, shown):
    assert masked(value) == shown


def template(*files):
    author = Address("bins", "council.example")
    draft = Draft("For {{ name }}", TEXT, author, attachments=files)
    return compile_draft(draft, COLUMNS)


def row(name, ward, letter=""):
    values = ("ann@a.example", name, ward, letter)
    return Row(1, Address("ann", "a.example"), dict(zip(COLUMNS, values, strict=True)))


@pytest.mark.parametrize(("ward", "day"), [("North", "Monday"), ("South", "Friday")])
def test_the_wording_is_the_rows_own_and_its_values_are_not(ward, day):
    seen = template().preview(row("Ann", ward), Marks("x", NOW), mask=masked)

    assert seen.subject == "For ▇▇▇"
    assert f"{day} it is." in seen.text
    assert "Kind regards" in seen.text
    assert "Dear ▇▇▇," in seen.text
    assert "Ann" not in seen.text + seen.html + seen.raw.decode()


def test_one_persons_own_file_is_there_without_name_and_content():
    own = Attached("ann.pdf", "application/pdf", b"private", "Letter")
    everybodys = Attached("map.pdf", "application/pdf", b"for all")
    one = row("Ann", "North", "ann.pdf")

    seen = template(own, everybodys).preview(one, Marks("x", NOW), mask=masked).raw

    assert seen.count(b"Content-Disposition: attachment") == 2
    assert b"map.pdf" in seen
    assert b"ann.pdf" not in seen
    assert b"cHJpdmF0ZQ" not in seen
