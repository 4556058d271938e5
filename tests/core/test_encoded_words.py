# SPDX-License-Identifier: Apache-2.0
"""Encoded words are read as mail readers show them."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.encoded_words import field_text


@given(st.binary(max_size=200))
def test_any_bytes_have_a_text(body):
    field_text(body)


@given(st.text(min_size=1, max_size=60).filter(lambda text: text.isprintable()))
def test_what_was_encoded_is_read(text):
    encoded = base64.b64encode(text.encode()).decode()

    assert field_text(f"=?UTF-8?b?{encoded}?=".encode()) == text.strip()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b" plain ", "plain"),
        (b"folded\r\n text", "folded text"),
        (b"=?iso-8859-1?q?J=F6rg_Doe?=", "Jörg Doe"),
        (b"=?utf-8*en?q?a?=", "a"),
        (b"=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        (b"=?utf-8?q?a?=\r\n =?iso-8859-1?q?=F6?=", "aö"),
        (b"=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"),
        (b"=?utf-8?b?w7?= =?utf-8?b?Yg==?=", "Ãb"),
        (b"=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?unknown-charset?q?=C3=B6?=", "ö"),
        (b"=?utf-8?q?a b?=", "a b"),
        (b"=?utf-8?x?a?=", "=?utf-8?x?a?="),
        (b"=?utf-8?b?ann@a.example?=", "=?utf-8?b?ann@a.example?="),
        (b'"=?utf-8?q?a?=" (=?utf-8?q?b?=)', '"a" (b)'),
        ("Zoë".encode(), "Zoë"),
        (b"Zo\xeb", "Zoë"),
    ],
)
def test_words_are_decoded(body, expected):
    assert field_text(body) == expected


def test_a_character_cut_by_two_words_is_whole_again():
    assert field_text(b"=?utf-8?q?=C3?= =?utf-8?q?=B6?=") == "ö"
