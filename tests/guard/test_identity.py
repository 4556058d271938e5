# SPDX-License-Identifier: Apache-2.0
"""Ids of the same parts are the same, and of others are not."""

from hypothesis import given
from hypothesis import strategies as st

from undisclosed.guard.identity import ID_LENGTH, KeyedIds

NAME = KeyedIds(b"k" * 32)
PARTS = st.lists(st.text(st.characters(exclude_categories=()), max_size=8), max_size=4)


@given(PARTS)
def test_the_same_parts_make_the_same_id(parts):
    identifier = NAME(*parts)

    assert identifier == KeyedIds(b"k" * 32)(*parts)
    assert len(identifier) == ID_LENGTH
    assert identifier.isalnum()


@given(PARTS, PARTS)
def test_other_parts_make_another_id(one, other):
    assert (NAME(*one) == NAME(*other)) is (one == other)


def test_parts_do_not_run_into_one_another():
    assert len({NAME("ab", "c"), NAME("a", "bc"), NAME("abc"), NAME("abc", "")}) == 4


def test_without_the_key_the_id_is_another():
    assert NAME("hold", "ann@a.example") != KeyedIds(b"x" * 32)("hold", "ann@a.example")
