# SPDX-License-Identifier: Apache-2.0
"""What is hashed is written in one form (RFC 8785); trees are those of RFC 6962."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.store.verifier import NoExport, Tree, canonical, read

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), inner)
    ),
    max_leaves=12,
)


@given(JSON_VALUES)
def test_the_canonical_form_means_the_same_value(value):
    assert json.loads(canonical(value), parse_int=float) == value


@given(st.dictionaries(st.text(st.characters(exclude_categories=("Cs",))), st.none()))
def test_members_are_sorted_as_utf_16(value):
    keys = list(json.loads(canonical(value)))

    assert keys == sorted(value, key=lambda key: key.encode("utf-16-be"))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, b"0"),
        (-0.0, b"0"),
        (5e-324, b"5e-324"),
        (1.7976931348623157e308, b"1.7976931348623157e+308"),
        (295147905179352830000.0, b"295147905179352830000"),
        (1e21, b"1e+21"),
        (1e-7, b"1e-7"),
        (0.000001, b"0.000001"),
        (333333333.3333332, b"333333333.3333332"),
        (-0.0000033333333333333333, b"-0.0000033333333333333333"),
        ('\u20ac$\x0f\nA\'B"\\\\"/', b'"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        ({"b": [True, None], "a": 1}, b'{"a":1,"b":[true,null]}'),
    ],
)
def test_numbers_and_texts_are_written_as_rfc_8785_asks(value, written):
    assert canonical(value) == written


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_a_tree_that_grows_has_the_root_of_the_whole(leaves):
    tree = Tree()
    for leaf in leaves:
        tree.add(leaf)

    assert tree.root() == root_of(leaves)


def root_of(leaves):
    """The definition of RFC 6962 §2.1, word by word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(
        b"\x01" + root_of(leaves[:half]) + root_of(leaves[half:])
    ).digest()


@pytest.mark.parametrize("number", [2**53, -(2**53), 2**53 + 1, 10**400])
def test_whole_numbers_that_json_does_not_tell_apart_have_no_form(number):
    with pytest.raises(ValueError, match="no canonical form"):
        canonical({"people": number})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud83d", {"\udc00": 1}])
def test_what_is_no_json_has_no_form(value):
    with pytest.raises(ValueError):
        canonical(value)


def test_what_is_nested_without_end_has_no_form():
    value = []
    for _ in range(5_000):
        value = [value]

    with pytest.raises(ValueError, match="too deep"):
        canonical(value)


HEADER = '{"format": "undisclosed-journal-1"}'


@pytest.mark.parametrize(
    "lines", [[], ["{}"], ["[1]"], ["x"], [HEADER[:-1] + ', "by": ""}']]
)
def test_what_is_no_export_is_refused(lines):
    with pytest.raises(NoExport):
        list(read(lines))
