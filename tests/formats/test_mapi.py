# SPDX-License-Identifier: Apache-2.0
"""MAPI properties as plain values."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats import mapi


@given(st.integers())
def test_every_code_page_has_a_name_that_python_knows(number):
    codecs.lookup(mapi.code_page_name(number))


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (65001, "utf-8"),
        (1252, "cp1252"),
        (28592, "iso8859-2"),
        (20127, "ascii"),
        (4711, "latin-1"),
    ],
)
def test_a_code_page_is_named(number, name):
    assert mapi.code_page_name(number) == name


def test_values_are_found_by_number_and_kind():
    message = mapi.MapiMessage({1: [b"x", "text"], 2: ["no number", 7], 3: [b"y"]})

    assert message.text(1) == "text"
    assert message.text(3) == ""
    assert message.text(9) == ""
    assert message.number(2) == 7
    assert message.number(3, 5) == 5
    assert mapi.texts(message.properties) == [(1, "text"), (2, "no number")]
