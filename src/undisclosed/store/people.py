# SPDX-License-Identifier: Apache-2.0
"""Sets of people as one value: sorted 64-bit keyed hashes, eight bytes each.

A hundred thousand people are one column of 800 kB rather than as many rows. Two
people of a hundred thousand share a hash about once in four thousand million sets.
"""

import sys
from array import array
from collections.abc import Iterable

_IS_BIG_ENDIAN = sys.byteorder == "big"


def pack(hashes: Iterable[int]) -> bytes:
    """A set of hashes as bytes, the same for the same set."""
    numbers = array("q", sorted(hashes))
    if _IS_BIG_ENDIAN:
        numbers.byteswap()
    return numbers.tobytes()


def unpack(packed: bytes) -> "array[int]":
    """The hashes again, ascending."""
    numbers = array("q")
    numbers.frombytes(packed)
    if _IS_BIG_ENDIAN:
        numbers.byteswap()
    return numbers


def count(joined: bytes) -> int:
    """How many people are in any of the sets that were joined to one value."""
    return len(set(unpack(joined)))


def overlap(one: bytes, other: bytes) -> bool:
    """Whether any person is in both sets."""
    return not set(unpack(one)).isdisjoint(unpack(other))
