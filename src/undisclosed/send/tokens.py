# SPDX-License-Identifier: Apache-2.0
"""Opaque tokens: which delivery a message, a bounce or an unsubscribe belongs to.

A token is one AES block (FIPS 197): six bytes of the campaign's serial, four of the
row, six of zeros, which prove that we made it. Every purpose has a key of its own, so
two fields of one message, or of two messages to one person, have nothing in common
that anybody without the key could join them by; and no table is needed to open one.
"""

import base64
import binascii
import threading
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from cryptography.hazmat.primitives.ciphers import (
    Cipher,
    CipherContext,
    algorithms,
    modes,
)

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
    ENVELOPE = "envelope"  # what a report calls the message (ENVID, RFC 3461 §4.4)


class _Making(threading.local):
    """A thread's own contexts: to make one costs more than to make a token."""

    def __init__(self) -> None:
        self.encryptors: dict[Purpose, CipherContext] = {}


class Tokens:
    """Makes and opens tokens with a 32-byte key for each purpose, from any thread.

    ``earlier`` keys open what they made, and make nothing any more. What a wrong key
    reads in a token is as good as random, and six zeros stand there once in 2^48
    times: with k keys a stranger has to try 2^48/k tokens for one that passes for
    ours, and it then says a campaign and a row at random, which hardly ever are there.
    """

    __slots__ = ("_keys", "_making")

    def __init__(
        self, keys: Mapping[Purpose, bytes], *earlier: Mapping[Purpose, bytes]
    ) -> None:
        self._keys = (dict(keys), *map(dict, earlier))
        self._making = _Making()

    def make(self, purpose: Purpose, serial: int, row: int) -> str:
        """The token of one row of one campaign. Raises OverflowError."""
        plain = serial.to_bytes(_SERIAL, "big") + row.to_bytes(_ROW, "big") + _PROOF
        encryptors = self._making.encryptors
        encryptor = encryptors.get(purpose)
        if encryptor is None:
            # Of ECB each block stands alone: it is never finished, and used again.
            encryptor = encryptors[purpose] = _cipher(
                self._keys[0][purpose]
            ).encryptor()
        block = encryptor.update(plain)
        return base64.b32encode(block).decode("ascii").rstrip("=").lower()

    def open(self, purpose: Purpose, token: str) -> tuple[int, int] | None:
        """Campaign serial and row; None for what we did not make for this purpose."""
        if len(token) != LENGTH:
            return None
        try:
            block = base64.b32decode(token.upper() + "======")
        except (binascii.Error, ValueError):
            return None
        for keys in self._keys:
            decryptor = _cipher(keys[purpose]).decryptor()
            plain = decryptor.update(block) + decryptor.finalize()
            if plain[_SERIAL + _ROW :] == _PROOF:
                serial, row = plain[:_SERIAL], plain[_SERIAL : _SERIAL + _ROW]
                return int.from_bytes(serial, "big"), int.from_bytes(row, "big")
        return None


def _cipher(key: bytes) -> "Cipher[modes.ECB]":
    # One block that never repeats within a key: a permutation is all that is asked of
    # the cipher, and the zeros authenticate it.
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305
