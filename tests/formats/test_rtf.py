# SPDX-License-Identifier: Apache-2.0
"""RTF as text, compressed or not, whatever the bytes are."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.rtf import COMPRESSED, UNCOMPRESSED, decompress, read_rtf

CONTROL = st.sampled_from(
    [b"{", b"}", b"\\par ", b"\\'40", b"\\u64 ?", b"\\uc2 ", b"\\bin3 ", b"\\*",
     b"\\objdata ", b"\\pict ", b"\\ansicpg1251 ", b"\\ansicpg99999 ", b"ann@a.example"]
)  # fmt: skip


@given(st.lists(CONTROL | st.binary(max_size=20)).map(b"".join))
def test_any_bytes_are_read(noise):
    read_rtf(noise)
    decompress(noise)
    decompress(struct.pack("<IIII", len(noise) + 12, 5000, COMPRESSED, 0) + noise)


@given(st.text(st.characters(codec="ascii", exclude_characters="\\{}\r\n\0")))
def test_plain_text_is_given_as_it_stands(text):
    assert read_rtf(b"{\\rtf1 " + text.encode() + b"}").text == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (rb"{\rtf1 a\par b\tab c}", "a\nb\nc"),
        (rb"{\rtf1 ann\'40a.example}", "ann@a.example"),
        (rb"{\rtf1 ann\u64?a.example}", "ann@a.example"),
        (rb"{\rtf1\uc0 ann\u64 a.example}", "ann@a.example"),
        (rb"{\rtf1\uc2 x\u64 ??y}", "x@y"),
        (rb"{\rtf1\ansicpg1251 \'c0}", "А"),
        (rb"{\rtf1 \{a\}\~b\-c\\}", "{a} bc\\"),
        (rb"{\rtf1 a" + b"\\\n" + rb"b\emdash c}", "a\nb–c"),
        (rb"{\rtf1{\fonttbl{\f0 Arial;}}{\pict 00ff}x}", "x"),
        (rb"{\rtf1{\*\htmltag64 <a href=}mail}", "<a href=mail"),
        (rb"{\rtf1 a\bin3 {}{b}", "ab"),
        (rb"{\rtf1{\pict\u64?}x}}}}", "x"),
        (b"{\\rtf1 x\\", "x"),
    ],
)
def test_text_is_read_with_its_escapes(source, text):
    assert read_rtf(source).text.strip("\n") == text


def test_objects_are_given_as_bytes():
    rtf = read_rtf(rb"{\rtf1{\object\objw1{\*\objdata 0105 00f" + b"\n" + rb"0a}}x}")

    assert rtf.objects == (b"\x01\x05\x00\xf0",)
    assert rtf.text == "x"


def test_objects_of_plain_bytes_are_given():
    assert read_rtf(rb"{\rtf1{\objdata\bin4 a{}b}}").objects == (b"a{}b",)


def test_an_object_that_is_not_closed_is_given():
    assert read_rtf(rb"{\rtf1{\objdata 0a0b").objects == (b"\n\x0b",)


def test_groups_are_followed_to_a_depth():
    assert read_rtf(b"{" * 20_000 + b"ann@a.example").text == "ann@a.example"


# The example of MS-OXRTFCP §4.2: what it refers to is still being written.
REPEATED = bytes.fromhex("1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0")


def test_a_compressed_text_is_what_its_specification_says():
    assert decompress(REPEATED) == rb"{\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def test_an_uncompressed_text_is_given_as_it_stands():
    head = struct.pack("<IIII", 3 + 12, 3, UNCOMPRESSED, 0)

    assert decompress(head + b"abcdef") == b"abc"


def test_what_is_neither_is_nothing():
    assert decompress(b"short") == b""
    assert decompress(bytes(40)) == b""
