# SPDX-License-Identifier: Apache-2.0
"""TNEF: recipients, properties and attachments, whatever the bytes are."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.reading.making import (
    attribute,
    binary_property,
    number_property,
    properties,
    text_property,
    tnef,
)
from undisclosed.formats import mapi
from undisclosed.formats.tnef import DEEPEST, MOST_VALUES, read_tnef

HEAD = struct.pack("<IH", 0x223E9F78, 1)


@given(st.binary(max_size=400))
def test_any_bytes_are_read(noise):
    read_tnef(noise)
    read_tnef(HEAD + noise)


@given(st.data())
def test_a_damaged_stream_is_read(data):
    stream = bytearray(tnef(inner=tnef()))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(stream) - 1))
        stream[at] = data.draw(st.integers(0, 255))

    read_tnef(bytes(stream))


@given(st.integers(0, 2000))
def test_a_stream_that_is_cut_says_so_or_ends_with_an_attribute(length):
    whole = tnef()
    message = read_tnef(whole[: min(length, len(whole))])

    known = read_tnef(whole)
    assert message.is_cut or len(message.attachments) <= len(known.attachments)


def test_everything_of_a_stream_is_there():
    message = read_tnef(tnef(inner=tnef()))

    assert not message.is_cut
    assert message.text(mapi.MESSAGE_CLASS) == "IPM.Microsoft Mail.Note"
    assert message.text(mapi.BODY) == "body@seen.example"
    assert [mapi.first_text(one, 0x3003) for one in message.recipients] == [
        "to@table.example",
        "cc@table.example",
        "",
    ]
    assert mapi.first_text(message.recipients[2], 0x39FE) == "in@list.example"
    assert [one.name for one in message.attachments] == ["list.csv", ""]
    assert message.attachments[0].content == b"ann,attached@file.example\r\n"
    assert message.attachments[1].message.text(mapi.BODY) == "body@seen.example"


def _with(*values: bytes) -> bytes:
    return HEAD + attribute(1, 0x9003, 6, properties(*values))


NAMED_BY_TEXT = (
    struct.pack("<HH", 0x1F, 0x8001) + bytes(16) + struct.pack("<II", 1, 10)
    + "name\0".encode("utf-16-le") + b"\0\0" + struct.pack("<II", 1, 8)
    + "abc\0".encode("utf-16-le")
)  # fmt: skip
NAMED_BY_NUMBER = (
    struct.pack("<HH", 3, 0x8002) + bytes(16) + struct.pack("<II", 0, 7)
    + struct.pack("<I", 42)
)  # fmt: skip
STRING8 = struct.pack("<HHII", 0x1E, 0x37, 1, 4) + b"\xe4b\0\0"
SEVERAL = struct.pack("<HHIII", 0x1003, 0x0C15, 2, 1, 2)
BOOLEAN = struct.pack("<HHHH", 0x0B, 0x0E1B, 1, 0xFFFF)
GUID = struct.pack("<HH", 0x48, 0x0FF8) + bytes(16)
NULL = struct.pack("<HH", 1, 0x0FF7)


def test_each_type_of_value_is_read():
    message = read_tnef(
        _with(NAMED_BY_TEXT, NAMED_BY_NUMBER, STRING8, SEVERAL, BOOLEAN, GUID, NULL)
    )

    assert message.properties == {
        0x8001: ["abc"],
        0x8002: [42],
        0x37: ["äb"],
        0x0C15: [1, 2],
        0x0E1B: [1],
        0x0FF8: [],
        0x0FF7: [0],
    }
    assert not message.is_cut


def test_texts_are_read_by_the_code_page_that_the_stream_names():
    pages = attribute(1, 0x9007, 6, struct.pack("<II", 1251, 0))
    message = read_tnef(HEAD + pages + attribute(1, 0x8004, 1, b"\xc0\0"))

    assert message.text(mapi.SUBJECT) == "А"


def test_a_value_that_is_longer_than_its_stream_ends_the_reading_of_it():
    too_long = struct.pack("<HHII", 0x1F, 0x37, 1, 10**6)
    message = read_tnef(_with(text_property(0x1000, "kept"), too_long))

    assert message.is_cut
    assert message.text(mapi.BODY) == "kept"


def test_a_type_that_is_none_ends_the_reading():
    assert read_tnef(_with(struct.pack("<HHI", 0x0FFF, 0x37, 1))).is_cut


def test_a_fault_in_one_attribute_leaves_the_others():
    broken = attribute(1, 0x9004, 6, struct.pack("<I", 10**6))
    message = read_tnef(HEAD + broken + attribute(1, 0x800C, 1, b"text\0"))

    assert message.is_cut
    assert message.text(mapi.BODY) == "text"


@pytest.mark.parametrize("tail", [b"\0\0\r\n", b" "], ids=["padding", "space"])
def test_padding_at_the_end_is_no_fault(tail):
    assert not read_tnef(tnef() + tail).is_cut


@pytest.mark.parametrize("tail", [b"noise", bytes((7,)) + bytes(20)])
def test_noise_at_the_end_is_said(tail):
    assert read_tnef(tnef() + tail).is_cut == bool(tail.strip(b"\0"))


def test_what_is_no_stream_is_cut():
    assert read_tnef(b"").is_cut
    assert read_tnef(b"noise and more").is_cut
    assert not read_tnef(HEAD).is_cut


def test_messages_within_messages_are_read_to_a_depth():
    stream = tnef()
    for _ in range(DEEPEST + 2):
        stream = tnef(inner=stream)

    assert read_tnef(stream).is_cut


def test_values_beyond_the_limit_are_not_read():
    rows = struct.pack("<I", MOST_VALUES + 5) + properties() * (MOST_VALUES + 5)

    message = read_tnef(HEAD + attribute(1, 0x9004, 6, rows))

    assert message.is_cut
    assert len(message.recipients) <= MOST_VALUES


def test_an_attachment_is_given_by_its_properties():
    values = properties(
        text_property(mapi.ATTACH_LONG_FILE_NAME, "list.csv"),
        binary_property(mapi.ATTACH_DATA, b"ann@a.example"),
        number_property(mapi.ATTACH_DATA, 3),
    )
    message = read_tnef(HEAD + attribute(2, 0x9005, 6, values))

    assert [(one.name, one.content) for one in message.attachments] == [
        ("list.csv", b"ann@a.example")
    ]


def test_an_attribute_of_no_interest_is_passed_over():
    message = read_tnef(HEAD + attribute(1, 0x8020, 6, b"1234") + tnef()[6:])

    assert not message.is_cut
    assert message.text(mapi.BODY) == "body@seen.example"


def test_a_number_where_a_table_should_be_is_no_table():
    message = read_tnef(_with(number_property(mapi.MESSAGE_RECIPIENTS, 1)))

    assert message.recipients == ()
