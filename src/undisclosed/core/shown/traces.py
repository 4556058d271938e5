# SPDX-License-Identifier: Apache-2.0
"""Received: the trace that each server leaves (RFC 5321 §4.4).

Its ``for`` clause names an envelope recipient, and some servers name all of them.
The queue id and the Message-ID in it are no addresses, and the envelope sender is
the message's own side.
"""

from undisclosed.core.address import Address
from undisclosed.core.shown.channel import FieldChannel
from undisclosed.core.text import addresses_in_text

_NOT_AFTER = frozenset({"id", "message-id", "envelope-from", "envelope-sender"})


def _read(text: str) -> list[Address]:
    people: list[str] = []
    before = ""
    for word in text.split():
        if "@" in word and before not in _NOT_AFTER:
            key = word.partition("@")[0].rpartition("=")[0].strip("(").lower()
            if key not in _NOT_AFTER:
                people.append(word)
        before = word.strip("(:;=").lower()
    return addresses_in_text(" ".join(people))


CHANNELS = {
    "received": FieldChannel("Received", _read),
    "x-received": FieldChannel("X-Received", _read),
}
