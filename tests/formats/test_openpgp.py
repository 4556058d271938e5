# SPDX-License-Identifier: Apache-2.0
"""OpenPGP packets name keys and people; those of others can be left out."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from undisclosed.formats.openpgp import (
    armored,
    packets,
    rearmored,
    recipient_ids,
    user_ids,
    without_recipients,
)

ANN, BOB = "00112233445566AA", "FFEEDDCCBBAA0011"


def packet(tag: int, body: bytes, *, old: bool = False, size: int = 1) -> bytes:
    """One packet, with a length of one, two or five (old: four) octets."""
    if old:
        kind = {1: 0, 2: 1, 4: 2}[size]
        return bytes((0x80 | tag << 2 | kind,)) + len(body).to_bytes(size, "big") + body
    if size == 1:
        return bytes((0xC0 | tag, len(body))) + body
    if size == 2:
        length = len(body) - 192
        return bytes((0xC0 | tag, 192 + (length >> 8), length & 0xFF)) + body
    return bytes((0xC0 | tag, 255)) + len(body).to_bytes(4, "big") + body


def session_key(key_id: str, rest: bytes = b"\x01\x00\x08x", **form: int) -> bytes:
    """A packet for one key (version 3)."""
    return packet(1, b"\x03" + bytes.fromhex(key_id) + rest, **form)  # type: ignore[arg-type]


DATA = b"\xd2\xff" + (9).to_bytes(4, "big") + b"encrypted"
MESSAGE = session_key(ANN) + session_key(BOB) + session_key("0" * 16) + DATA


def test_a_message_names_its_keys_but_the_hidden_ones() -> None:
    assert recipient_ids(MESSAGE) == {ANN, BOB}


@pytest.mark.parametrize(
    "form",
    [{"size": 1}, {"size": 5}, {"old": 1, "size": 1}, {"old": 1, "size": 2},
     {"old": 1, "size": 4}],
)  # fmt: skip
def test_every_form_of_a_length_is_read(form: dict[str, int]) -> None:
    assert recipient_ids(session_key(ANN, **form) + DATA) == {ANN}


def test_long_packets_are_read() -> None:
    assert recipient_ids(session_key(ANN, bytes(300), size=2) + DATA) == {ANN}


def test_newer_packets_name_a_fingerprint() -> None:
    fingerprint = bytes(range(32))
    body = b"\x06\x21\x06" + fingerprint + b"\x19rest"

    assert recipient_ids(packet(1, body) + DATA) == {fingerprint.hex().upper()}


def test_the_packets_of_others_are_left_out() -> None:
    pruned = without_recipients(MESSAGE, {ANN})

    assert pruned == session_key(BOB) + session_key("0" * 16) + DATA


def test_what_is_encrypted_is_not_searched() -> None:
    message = DATA + session_key(ANN)

    assert recipient_ids(message) == frozenset()
    assert without_recipients(message, {ANN}) == message


def test_a_key_says_whose_it_is() -> None:
    key = packet(6, b"key") + packet(13, b"Ann <ann@a.example>") + packet(2, b"x")

    assert user_ids(key) == ["Ann <ann@a.example>"]


@pytest.mark.parametrize("newline", ["\r\n", "\n"])
@pytest.mark.parametrize("checksum", ["=njUN", ""])
def test_an_armored_block_keeps_its_form(newline: str, checksum: str) -> None:
    lines = ["Dear Ann,", "-----BEGIN PGP MESSAGE-----", "Version: x", ""]
    coded = base64.b64encode(MESSAGE).decode()
    lines += [coded[:64], coded[64:]] + ([checksum] if checksum else [])
    text = newline.join([*lines, "-----END PGP MESSAGE-----", ""]).encode()

    (block,) = armored(text)
    again = text[: block.start] + rearmored(text, block, MESSAGE) + text[block.end :]

    assert block.data == MESSAGE
    assert len(again) == len(text)
    assert (b"\n=" in again) is bool(checksum)
    assert armored(again)[0].data == MESSAGE


@given(st.binary(max_size=300))
def test_reading_never_raises(data: bytes) -> None:
    position = 0
    for one in packets(data):
        assert one.start == position
        assert one.start < one.body <= one.end <= len(data)
        position = one.end
    user_ids(data)
    assert without_recipients(data, recipient_ids(data)) is not None


@given(st.binary(max_size=60))
def test_blocks_in_any_text_never_raise(noise: bytes) -> None:
    text = b"-----BEGIN PGP MESSAGE-----\n" + noise + b"\n-----END PGP MESSAGE-----"

    for block in armored(text):
        assert block.end <= len(text)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "piece",
    [b"-----BEGIN PGP MESSAGE-----\n", b"A: b: c: ", b"A: b\n", b"AAAA\n", b"-"],
)
def test_a_million_bytes_are_read_in_linear_time(piece: bytes) -> None:
    text = b"-----BEGIN PGP MESSAGE-----\n" + piece * (1_000_000 // len(piece))

    assert armored(text) == []
