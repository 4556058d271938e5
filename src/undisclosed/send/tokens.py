# SPDX-License-Identifier: Apache-2.0
"""Opaque tokens: which delivery a message, a bounce or an unsubscribe belongs to.

A token is one AES block (FIPS 197): six bytes of the campaign's serial, four of the
row, six of zeros, which prove that we made it. Every purpose has a key of its own, so
two fields of one message, or of two messages to one person, have nothing in common
that anybody without the key could join them by; and no table is needed to open one.
"""

import base64
import binascii
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

LENGTH: Final = 26
"""Characters of a token: lower-case Base32 (RFC 4648 §6) without padding."""

_SERIAL: Final = 6
_ROW: Final = 4
_PROOF: Final = bytes(6)


class Purpose(StrEnum):
    """What a token is for. Each has its own key."""

    MESSAGE_ID = "message id"
    RETURN_PATH = "return path"
    UNSUBSCRIBE = "unsubscribe"
    FEEDBACK = "feedback"


class Tokens:
    """Makes and opens tokens. ``key_of`` gives the 32-byte key of a purpose."""

    __slots__ = ("_keys",)

    def __init__(self, keys: "dict[Purpose, bytes]") -> None:
        self._keys = dict(keys)

    def make(self, purpose: Purpose, serial: int, row: int) -> str:
        """The token of one row of one campaign. Raises OverflowError."""
        plain = serial.to_bytes(_SERIAL, "big") + row.to_bytes(_ROW, "big") + _PROOF
        encryptor = self._cipher(purpose).encryptor()
        block = encryptor.update(plain) + encryptor.finalize()
        return base64.b32encode(block).decode("ascii").rstrip("=").lower()

    def open(self, purpose: Purpose, token: str) -> tuple[int, int] | None:
        """Campaign serial and row; None for what we did not make for this purpose."""
        if len(token) != LENGTH:
            return None
        try:
            block = base64.b32decode(token.upper() + "======")
        except (binascii.Error, ValueError):
            return None
        decryptor = self._cipher(purpose).decryptor()
        plain = decryptor.update(block) + decryptor.finalize()
        if plain[_SERIAL + _ROW :] != _PROOF:
            return None
        serial, row = plain[:_SERIAL], plain[_SERIAL : _SERIAL + _ROW]
        return int.from_bytes(serial, "big"), int.from_bytes(row, "big")

    def _cipher(self, purpose: Purpose) -> "Cipher[modes.ECB]":
        # One block that never repeats within a key: a permutation is all that is
        # asked of the cipher, and the zeros authenticate it.
        return Cipher(algorithms.AES(self._keys[purpose]), modes.ECB())  # noqa: S305
