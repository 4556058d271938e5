# SPDX-License-Identifier: Apache-2.0
"""Every byte of the header block belongs to exactly one field."""

import pytest
from hypothesis import given

from tests.strategies import hostile_bytes
from undisclosed.core.header import NO_FIELD, split_content


@given(hostile_bytes)
def test_the_fields_cover_the_header_block_without_a_gap(content):
    header = split_content(content)

    position = 0
    for each in header.fields:
        assert each.start == position
        assert each.end > each.start
        position = each.end
    assert position <= header.body_start <= len(content)
    assert content[position : header.body_start].strip(b"\r\n") == b""


@given(hostile_bytes)
def test_a_part_of_a_content_is_split_as_if_it_stood_alone(content):
    alone = split_content(content)

    within = split_content(b"xx" + content + b"\n\nyy", start=2, end=2 + len(content))

    assert within.fields == alone.fields
    assert within.body_start == alone.body_start + 2


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"To: a\r\nCc: b\r\n\r\nx", ["to", "cc"]),
        (b"To : a\nCc\t: b\n\nx", ["to", "cc"]),
        (b"Subject: x\rTo: a\r\n\r\n", ["subject", "to"]),
        (b"Subject: x\ry\r\n\r\n", ["subject"]),
        (b" odd\r\nTo: a\r\n\r\n", [NO_FIELD, "to"]),
        (b"no field\r\nTo: a\r\n\r\n", [NO_FIELD, "to"]),
        (b"no field: here\r\nTo: a\r\n\r\n", [NO_FIELD, "to"]),
        (b"To\xa0: a\r\n\r\n", ["to"]),
        (b"T\xc3\xb6o: a\r\n\r\n", ["to"]),
        (b"To: a,\r\n \r\n b\r\nCc: c\r\n\r\n", ["to", "cc"]),
        (b"To: a\r\n", ["to"]),
        (b"To: a", ["to"]),
        (b"\r\nTo: a", []),
        (b"\nTo: a", []),
        (b"", []),
        (b":a\r\n", [NO_FIELD]),
    ],
)
def test_fields_are_found_as_readers_see_them(content, names):
    assert [each.name for each in split_content(content).fields] == names


def test_a_field_keeps_its_bytes():
    content = b"From: x\r\nTO : a,\r\n\tb\r\n\r\nbody"

    each = split_content(content).fields[1]

    assert (each.raw_name, each.body) == (b"TO ", b" a,\r\n\tb")
    assert content[each.start : each.end] == b"TO : a,\r\n\tb\r\n"


@pytest.mark.parametrize("blank", [b"\r\n\r\n", b"\n\n", b"\n\r\n"])
def test_the_body_starts_after_the_first_blank_line(blank):
    content = b"To: a" + blank + b"body\r\n\r\nmore"

    assert content[split_content(content).body_start :].startswith(b"body")


def test_a_header_block_with_a_line_that_is_no_field_is_broken():
    assert split_content(b"junk\r\nTo: a\r\n\r\n").is_broken
    assert not split_content(b"To: a\r\n\r\n").is_broken
