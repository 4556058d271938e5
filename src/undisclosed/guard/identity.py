# SPDX-License-Identifier: Apache-2.0
"""Ids made of what they name: the same work finds itself again after a crash.

An id is an HMAC-SHA-256 (RFC 2104), so that it can stand in logs and links:
nobody without the key can tell of whom it was made, or make it.
"""

import hashlib
import hmac

ID_LENGTH = 40
"""Letters of an id: 160 bits in hexadecimal."""


class KeyedIds:
    """Makes ids with one key; fits the port ``KeyedId``."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __call__(self, *parts: str) -> str:
        """The id of these parts; each counts with its length, so none runs on."""
        keyed = hmac.new(self._key, digestmod=hashlib.sha256)
        for part in parts:
            encoded = part.encode("utf-8", "surrogatepass")
            keyed.update(b"%d:" % len(encoded) + encoded)
        return keyed.hexdigest()[:ID_LENGTH]
