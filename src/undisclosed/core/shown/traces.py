# SPDX-License-Identifier: Apache-2.0
"""Received: the trace that each server leaves (RFC 5321 §4.4).

Its ``for`` clause names an envelope recipient, and some servers name all of them.
The queue id and the Message-ID in it are no addresses, and the envelope sender is
the message's own side.
"""

from undisclosed.core.address import Address
from undisclosed.core.shown.channel import FieldChannel, Role
from undisclosed.core.text import addresses_in_text

_LONGEST_WORD = 400
_NOT_PEOPLE = frozenset(
    {"id", "message-id", "envelope-from", "envelope-sender", "mail_from"}
)


def _read(text: str) -> list[Address]:
    people: list[str] = []
    at = text.find("@")
    while at >= 0:
        start = text.rfind(" ", max(0, at - _LONGEST_WORD), at) + 1
        end = text.find(" ", at)
        end = len(text) if end < 0 else end
        before = text[max(0, start - 24) : max(0, start - 1)].rpartition(" ")[2]
        key = text[start:at].rpartition("=")[0]
        if not {_word(before), _word(key)} & _NOT_PEOPLE:
            people.append(text[start:end])
        at = text.find("@", end)
    return addresses_in_text(" ".join(people))


def _word(text: str) -> str:
    return text.strip("(:;=").lower()


CHANNELS = {
    "received": FieldChannel("Received", _read, Role.IDENTIFIER),
    "x-received": FieldChannel("X-Received", _read, Role.IDENTIFIER),
}
