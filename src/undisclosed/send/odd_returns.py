# SPDX-License-Identifier: Apache-2.0
"""Reports in no standard's form, of which flufl.bounce knows some hundred shapes.

It reads messages as the standard library does. Nothing that decides who is shown to
whom rests on that: what it finds only says whether a report tells of a failure.
"""

import logging
from collections.abc import Iterable
from email import message_from_bytes
from typing import Final

from flufl.bounce import all_failures

from undisclosed.core.address import Address

LONGEST: Final = 256 * 1024
"""Bytes of a report that are read so."""

# It writes which of its detectors runs, at a level that nobody asked for.
logging.getLogger("flufl.bounce").setLevel(logging.WARNING)


def failures_in(content: bytes) -> tuple[list[Address], list[Address]]:
    """Who failed for now, and who for good; nobody where it is no such report."""
    try:
        temporary, permanent = all_failures(message_from_bytes(content[:LONGEST]))
    except Exception:
        # Its detectors meet mail that they were not written for; and what they raise
        # may quote it.
        return [], []
    return _addresses(temporary), _addresses(permanent)


def address_in(text: str) -> Address | None:
    """The address that a report spells; None where it is none."""
    local_part, at, domain = text.strip(" <>\"'").rpartition("@")
    return Address(local_part, domain) if local_part and at and domain else None


def _addresses(found: Iterable[bytes]) -> list[Address]:
    decoded = (one.decode("utf-8", "replace") for one in found)
    return [one for one in map(address_in, sorted(decoded)) if one is not None]
