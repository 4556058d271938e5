# SPDX-License-Identifier: Apache-2.0
"""What an MTA offers a milter, and what of it we take (SMFIC_OPTNEG).

We want everything to come in one stream without an answer in between, fields with
the white space that they were written with, and the one right to delete or change a
header field. We never ask for recipients to be added or deleted: a mail whose last
recipient a milter deletes is answered 250 and vanishes without a word.
"""

import struct
from dataclasses import dataclass
from enum import IntFlag

from undisclosed.transport.milter.errors import MtaError
from undisclosed.transport.milter.packets import Command, packet

VERSION = 6
OLDEST_VERSION = 2
"""Version 1 knows neither of these flags nor of any MTA that still runs."""

_OFFER = struct.Struct("!III")


class Actions(IntFlag):
    """What a milter may do to a mail (SMFIF_*)."""

    CHANGE_HEADER = 0x10


class Steps(IntFlag):
    """What an MTA leaves out, and which answers it does not wait for (SMFIP_*)."""

    NO_HELO = 0x2
    NO_END_OF_HEADER = 0x40
    NO_ANSWER_TO_HEADER = 0x80
    NO_UNKNOWN = 0x100
    NO_DATA = 0x200
    NO_ANSWER_TO_CONNECT = 0x1000
    NO_ANSWER_TO_HELO = 0x2000
    NO_ANSWER_TO_MAIL = 0x4000
    NO_ANSWER_TO_RCPT = 0x8000
    NO_ANSWER_TO_DATA = 0x10000
    NO_ANSWER_TO_UNKNOWN = 0x20000
    NO_ANSWER_TO_END_OF_HEADER = 0x40000
    NO_ANSWER_TO_BODY = 0x80000
    LEADING_SPACE = 0x100000


WANTED_ACTIONS = Actions.CHANGE_HEADER
WANTED_STEPS = Steps(sum(Steps))

NO_ANSWER = {
    Command.CONNECT: Steps.NO_ANSWER_TO_CONNECT,
    Command.HELO: Steps.NO_ANSWER_TO_HELO,
    Command.MAIL: Steps.NO_ANSWER_TO_MAIL,
    Command.RCPT: Steps.NO_ANSWER_TO_RCPT,
    Command.DATA: Steps.NO_ANSWER_TO_DATA,
    Command.UNKNOWN: Steps.NO_ANSWER_TO_UNKNOWN,
    Command.HEADER: Steps.NO_ANSWER_TO_HEADER,
    Command.END_OF_HEADER: Steps.NO_ANSWER_TO_END_OF_HEADER,
    Command.BODY: Steps.NO_ANSWER_TO_BODY,
}
"""The commands that are answered with *continue* unless this was agreed on."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What both sides do from now on."""

    version: int
    actions: Actions
    steps: Steps

    @property
    def answered(self) -> frozenset[int]:
        """The commands that are answered with *continue*."""
        steps = self.steps
        return frozenset(int(c) for c, step in NO_ANSWER.items() if step not in steps)

    @property
    def may_change_header(self) -> bool:
        """Whether the MTA lets us delete header fields."""
        return Actions.CHANGE_HEADER in self.actions

    @property
    def has_leading_space(self) -> bool:
        """Whether a field's body comes with the white space before its first word."""
        return Steps.LEADING_SPACE in self.steps

    @property
    def wire(self) -> bytes:
        """Our answer to the offer."""
        return packet(b"O", _OFFER.pack(self.version, self.actions, self.steps))


NOTHING_AGREED = Agreement(0, Actions(0), Steps(0))
"""Before the offer."""


def agree(offer: bytes) -> Agreement:
    """Take of an offer what we want. Raises MtaError."""
    if len(offer) < _OFFER.size:
        raise MtaError("An offer is too short.")
    version, actions, steps = _OFFER.unpack_from(offer)
    if version < OLDEST_VERSION:
        raise MtaError("This version of the protocol is too old.", version=version)
    return Agreement(
        min(version, VERSION), WANTED_ACTIONS & actions, WANTED_STEPS & steps
    )
