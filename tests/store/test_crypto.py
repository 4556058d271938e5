# SPDX-License-Identifier: Apache-2.0
"""What is sealed opens only whole, in its place, under its key."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto
from undisclosed.store.crypto import CHUNK, DataKey, Keys, SealBroken

KEYS = Keys(b"k" * 32)
KEY = DataKey(b"d" * 32)
CONTENT = bytes(range(256)) * (CHUNK // 256) * 2 + b"the end"


@given(st.binary(max_size=500), st.text(max_size=50))
def test_what_is_sealed_opens_again(plain, context):
    sealed = KEY.seal(plain, context)

    assert KEY.open(sealed, context) == plain
    assert len(sealed) == len(plain) + 29


@given(st.binary(max_size=40), st.data())
def test_one_changed_bit_is_noticed(plain, data):
    sealed = bytearray(KEY.seal(plain, "c"))
    place = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[place // 8] ^= 1 << place % 8

    with pytest.raises(SealBroken):
        KEY.open(bytes(sealed), "c")


@given(st.binary(max_size=40), st.integers(0, 60))
def test_a_shortened_value_is_noticed(plain, length):
    sealed = KEY.seal(plain, "c")[:length]

    if len(sealed) < len(plain) + 29:
        with pytest.raises(SealBroken):
            KEY.open(sealed, "c")


def test_a_value_moved_to_another_place_does_not_open():
    sealed = KEY.seal(b"plain", "envelope/1")

    with pytest.raises(SealBroken) as caught:
        KEY.open(sealed, "envelope/2")

    assert "plain" not in str(caught.value)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_chunks_make_the_content_again(size):
    content = CONTENT * 2
    chunks = list(KEY.seal_chunks(content[:size], "content/1"))

    assert len(chunks) == max(1, -(-size // CHUNK))
    assert KEY.open_chunks(chunks, "content/1") == content[:size]


@pytest.mark.parametrize(
    "change",
    [
        lambda a, b, c: [a, c, b],
        lambda a, b, c: [b, a, c],
        lambda a, b, c: [a, b],
        lambda a, b, c: [a, c],
        lambda a, b, c: [b, c],
        lambda a, b, c: [a, b, c, c],
        lambda a, b, c: [a, b[:-1] + b"x", c],
        lambda a, b, c: [],
    ],
    ids=[
        "last two exchanged",
        "first two exchanged",
        "the last left out",
        "the middle left out",
        "the first left out",
        "one twice",
        "one changed",
        "none at all",
    ],
)
def test_chunks_out_of_place_do_not_open(change):
    chunks = change(*KEY.seal_chunks(CONTENT, "content/1"))

    with pytest.raises(SealBroken):
        KEY.open_chunks(chunks, "content/1")


def test_chunks_of_another_mail_do_not_open():
    chunks = list(KEY.seal_chunks(CONTENT, "content/1"))

    with pytest.raises(SealBroken):
        KEY.open_chunks(chunks, "content/2")


def test_a_wrapped_key_opens_for_its_owner_only():
    key, wrapped = KEYS.new_data_key("hold-1")
    sealed = key.seal(b"plain", "c")

    assert KEYS.unwrap(wrapped, "hold-1").open(sealed, "c") == b"plain"
    with pytest.raises(SealBroken):
        KEYS.unwrap(wrapped, "hold-2")
    with pytest.raises(SealBroken):
        Keys(b"o" * 32).unwrap(wrapped, "hold-1")


def test_each_purpose_and_master_key_has_keys_of_its_own():
    made = {
        KEYS.derive("a"),
        KEYS.derive("b"),
        KEYS.derive("seal a"),
        Keys(b"o" * 32).derive("a"),
    }

    assert len(made) == 4
    assert KEYS.derive("a") == Keys(b"k" * 32).derive("a")
    assert KEYS.id != Keys(b"o" * 32).id


def test_hashes_are_keyed_and_short_ones_fit_a_bigint():
    short = KEYS.hasher("address")(b"ann@a.example")

    assert KEYS.hash("address", b"x") != Keys(b"o" * 32).hash("address", b"x")
    assert -(2**63) <= short < 2**63
    assert short == int.from_bytes(
        KEYS.hash("address", b"ann@a.example")[:8], "big", signed=True
    )


def test_two_spellings_of_an_address_have_one_hash(database):
    one = crypto.address_hash(Address("Ann", "A.example"))

    assert one == crypto.address_hash_of_text(" ann@a.EXAMPLE ")
    assert one != crypto.address_hash_of_text("bob@a.example")
    assert crypto.address_hash_of_text("no address") != one


def test_a_sealed_address_comes_back_as_it_was_written(database):
    address = Address("Ann", "A.example")

    opened = crypto.open_address(crypto.seal_address(address))

    assert opened.spelled_out() == "Ann@A.example"


def test_keys_and_errors_print_no_secret():
    with pytest.raises(UndisclosedError, match="32 bytes"):
        Keys(b"short")
    assert repr(KEYS) == f"<Keys {KEYS.id}>"
    assert KEYS.id not in (b"k" * 32).hex()
