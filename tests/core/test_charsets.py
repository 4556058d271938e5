# SPDX-License-Identifier: Apache-2.0
"""No byte is lost and no charset fails."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.charsets import codec_of, decode, is_transparent, readings

CHARSETS = [
    "", "utf-8", "us-ascii", "iso-8859-1", "windows-1252", "shift_jis", "utf-7",
    "utf-16", "iso-2022-jp", "gb18030", "idna", "punycode", "rot13", "zlib", "hex",
    "undefined", "unicode_escape", "x-unknown", "\x00", "ü", "a" * 999,
]  # fmt: skip


@given(
    st.binary(max_size=80), st.one_of(st.sampled_from(CHARSETS), st.text(max_size=9))
)
def test_any_bytes_have_a_text_in_any_charset(data, charset):
    assert isinstance(decode(data, charset), str)


@pytest.mark.parametrize("charset", [each for each in CHARSETS if "16" not in each])
def test_an_ascii_address_is_read_in_every_charset(charset):
    assert "ann@a.example" in decode(b"ann@a.example", charset)


@pytest.mark.parametrize(
    "name",
    [
        "idna", "punycode", "undefined", "rot13", "hex",
        "unicode_escape", "unicode-escape", "raw_unicode_escape",
    ],
)  # fmt: skip
def test_codecs_that_are_no_charsets_are_refused(name):
    assert codec_of(name) is None


def test_a_wrong_charset_is_read_another_way():
    assert decode("ö".encode(), "us-ascii") == "ö"
    assert decode(b"\xf6", "utf-8") == "ö"
    assert decode(b"\xf6\xff", "utf-16-le") == "\ufff6"


@pytest.mark.parametrize(
    "charset", ["utf-16", "UTF-16LE", "utf-7", "cp037", "iso-2022-jp", "hz-gb-2312"]
)
def test_some_charsets_hide_the_at_sign(charset):
    codec = codec_of(charset)

    assert codec
    assert not is_transparent(codec)


@pytest.mark.parametrize(
    "charset",
    ["us-ascii", "utf-8", "iso-8859-15", "windows-1252", "shift_jis", "koi8-r"],
)
def test_ascii_is_itself_in_most_charsets(charset):
    codec = codec_of(charset)

    assert codec
    assert is_transparent(codec)


@pytest.mark.parametrize(
    ("data", "charset"),
    [
        (b"ann@a.example", "cp037"),
        (b"ann@a.example", "utf-16le"),
        ("ann@a.example".encode("utf-16le") + b"x", "utf-16le"),
        (b"ann+AEA-a.example \xff", "utf-7"),
        ("ann\uff20a.example".encode() + b"\xff", "utf-8"),
    ],
    ids=["EBCDIC that is none", "UTF-16 that is none", "odd UTF-16", "broken UTF-7",
         "broken UTF-8"],
)  # fmt: skip
def test_an_address_is_read_whether_or_not_the_charset_is_true(data, charset):
    texts = [text.replace("\uff20", "@") for text in readings(data, charset)]

    assert any("ann@a.example" in text for text in texts)
