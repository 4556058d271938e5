# SPDX-License-Identifier: Apache-2.0
"""What a milter answers at the end of a mail (SMFIR_*).

There is no response here that adds or deletes a recipient, and none that replaces
the body: nobody can use by mistake what is not there.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from undisclosed.transport.milter.packets import packet
from undisclosed.transport.smtp.replies import Reply

_INDEX = struct.Struct("!I")


class Outcome(Enum):
    """What becomes of the mail at the MTA."""

    ACCEPT = "accept"
    DISCARD = "discard"  # answered with 250, delivered to nobody: it is ours now
    REJECT = "reject"
    TEMPFAIL = "tempfail"


@dataclass(frozen=True, slots=True)
class Deletion:
    """A header field to be deleted: the nth of its name, from 1 (SMFIR_CHGHEADER).

    The MTA counts anew after each: of several of one name the last goes first.
    """

    name: bytes = field(repr=False)
    number: int

    @property
    def wire(self) -> bytes:
        """The packet: an empty new body deletes the field."""
        return packet(b"m", _INDEX.pack(self.number) + self.name + b"\0\0")


@dataclass(frozen=True, slots=True)
class Response:
    """The whole answer: deletions, and one outcome.

    ``reply`` is what the client hears of a REJECT or a TEMPFAIL, in several lines
    where it has several.
    """

    outcome: Outcome
    reply: Reply | None = None
    deletions: Sequence[Deletion] = ()

    @property
    def wire(self) -> bytes:
        """Every packet of the answer."""
        last = _letters(self.outcome) if self.reply is None else _reply(self.reply)
        return b"".join([*(one.wire for one in self.deletions), last])


CONTINUE = packet(b"c")
"""Go on with the next command; no decision yet."""

ACCEPTED = Response(Outcome.ACCEPT)
KEPT = Response(Outcome.DISCARD)


def refused(reply: Reply) -> Response:
    """The client hears this reply: 5yz for good, 4yz for now."""
    outcome = Outcome.TEMPFAIL if reply.is_transient else Outcome.REJECT
    return Response(outcome, reply)


def _letters(outcome: Outcome) -> bytes:
    match outcome:
        case Outcome.ACCEPT:
            return packet(b"a")
        case Outcome.DISCARD:
            return packet(b"d")
        case Outcome.REJECT:
            return packet(b"r")
        case Outcome.TEMPFAIL:
            return packet(b"t")


def _reply(reply: Reply) -> bytes:
    """SMFIR_REPLYCODE: the reply as on the wire, without its last line end.

    A percent sign is written twice: the MTA reads the text as a format.
    """
    text = reply.wire.removesuffix(b"\r\n").replace(b"%", b"%%")
    return packet(b"y", text.replace(b"\0", b" ") + b"\0")
