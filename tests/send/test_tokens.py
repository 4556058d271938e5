# SPDX-License-Identifier: Apache-2.0
"""Tokens say nothing to anybody, and to us which delivery they belong to."""

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.send.tokens import LENGTH, Purpose, Tokens

TOKENS = Tokens({purpose: secrets.token_bytes(32) for purpose in Purpose})
serials, rows = st.integers(0, 2**48 - 1), st.integers(0, 2**32 - 1)


@given(st.sampled_from(Purpose), serials, rows)
def test_a_token_opens_to_what_it_was_made_of(purpose, serial, row):
    token = TOKENS.make(purpose, serial, row)

    assert len(token) == LENGTH
    assert token == token.lower()
    assert TOKENS.open(purpose, token) == (serial, row)


@given(serials, rows)
def test_tokens_of_two_purposes_have_nothing_in_common(serial, row):
    made = {TOKENS.make(purpose, serial, row) for purpose in Purpose}

    assert len(made) == len(Purpose)
    for token in made:
        opened = [TOKENS.open(purpose, token) for purpose in Purpose]
        assert opened.count(None) == len(Purpose) - 1


@given(st.text(max_size=40) | st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26))
def test_what_we_did_not_make_opens_to_nothing(token):
    assert TOKENS.open(Purpose.UNSUBSCRIBE, token) is None


@pytest.mark.parametrize("place", [0, 5, 12, 25])
def test_a_changed_token_opens_to_nothing(place):
    token = TOKENS.make(Purpose.RETURN_PATH, 7, 9)
    other = "a" if token[place] != "a" else "q"

    opened = TOKENS.open(
        Purpose.RETURN_PATH, token[:place] + other + token[place + 1 :]
    )

    # The last sign of Base32 carries two bits that are not part of the block.
    assert opened is None or (place == 25 and opened == (7, 9))


def test_without_the_key_a_token_opens_to_nothing():
    others = Tokens({purpose: secrets.token_bytes(32) for purpose in Purpose})

    token = TOKENS.make(Purpose.MESSAGE_ID, 1, 1)

    assert others.open(Purpose.MESSAGE_ID, token) is None


def test_an_earlier_key_opens_what_it_made_and_makes_nothing_more():
    old, newer, newest = (
        {purpose: secrets.token_bytes(32) for purpose in Purpose} for _ in range(3)
    )
    before = Tokens(old).make(Purpose.RETURN_PATH, 5, 6)
    every = Tokens(newest, newer, old)

    made = every.make(Purpose.RETURN_PATH, 7, 8)

    assert every.open(Purpose.RETURN_PATH, before) == (5, 6)
    assert every.open(Purpose.RETURN_PATH, made) == (7, 8)
    assert every.open(Purpose.MESSAGE_ID, before) is None
    assert Tokens(newest).open(Purpose.RETURN_PATH, made) == (7, 8)
    assert Tokens(newest, newer).open(Purpose.RETURN_PATH, before) is None


@given(st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=26, max_size=26))
def test_several_keys_take_nothing_that_none_of_them_made(token):
    keys = ({one: secrets.token_bytes(32) for one in Purpose} for _ in range(3))

    assert Tokens(*keys).open(Purpose.UNSUBSCRIBE, token) is None
