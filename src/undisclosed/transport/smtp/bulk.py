# SPDX-License-Identifier: Apache-2.0
"""Many messages over one kept connection, each in a transaction of its own.

Where the server offers PIPELINING (RFC 2920), MAIL, RCPT and DATA of one message
leave in one write, and those of the next behind the content of the one before it: a
message costs one round trip. A server that refuses a step is followed step by step.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum

from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.client import LOST, ClientConnection
from undisclosed.transport.smtp.replies import Reply

_CLOSING, _REFUSED, _FAILED = 421, 400, 500
_NOTHING = b".\r\n"


class Handed(Enum):
    """What became of one message."""

    ANSWERED = "answered"  # the server's reply says it
    NOT_HANDED_OVER = "not handed over"  # the server cannot have taken it
    UNKNOWN = "unknown"  # the content left, and no answer came


@dataclass(frozen=True, slots=True)
class Parcel:
    """One message as the commands and bytes that carry it.

    ``number`` is the caller's. ``content`` is on the wire: dots doubled, final dot.
    """

    number: int
    mail: bytes = field(repr=False)
    rcpt: bytes = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel; ``reply`` is the one that decided."""

    number: int
    handed: Handed
    reply: Reply = field(repr=False)

    @property
    def is_failed(self) -> bool:
        """Whether it was refused for good (5yz, RFC 5321 §4.2.1)."""
        return self.handed is Handed.ANSWERED and self.reply.code >= _FAILED


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the replies may take (RFC 5321 §4.5.3.2)."""

    command: timedelta = timedelta(minutes=5)
    data: timedelta = timedelta(minutes=2)
    content: timedelta = timedelta(minutes=10)


class Stream:
    """Feeds one connection until there is nothing more, or it is lost.

    ``next_parcel`` is asked whenever there is room; None ends the stream, unless
    ``go_on`` says that there is more before all was answered. ``done`` hears of every
    parcel once, ``ended`` of the end, once, with nothing outstanding.
    """

    def __init__(
        self,
        connection: ClientConnection,
        next_parcel: Callable[[], Parcel | None],
        done: Callable[[Outcome], None],
        ended: Callable[[], None],
        patience: Patience | None = None,
    ) -> None:
        self._connection = connection
        self._next_parcel = next_parcel
        self._done = done
        self._ended = ended
        self._patience = patience or Patience()
        self._outstanding = 0
        self._is_over = False
        self._is_asking = False

    def start(self) -> None:
        """Send the first parcel."""
        self._begin()
        self._maybe_end()

    def go_on(self) -> None:
        """There is more again: it leaves behind what is not answered yet."""
        if self._outstanding and not self._is_asking:
            self._begin()

    def _begin(self) -> None:
        """Open the next transaction, if there is one."""
        parcel = self._next_parcel() if self._connection.is_open else None
        self._is_over = parcel is None
        if parcel is None:
            return
        self._is_asking = True
        self._outstanding += 1
        passage = _Passage(parcel)
        patience = self._patience
        command = self._connection.command
        command(parcel.mail, passage.asked, patience.command)
        command(parcel.rcpt, passage.asked, patience.command)

        def on_data(reply: Reply) -> None:
            self._on_data(passage, reply)

        command(b"DATA\r\n", on_data, patience.data, is_last=True)

    def _on_data(self, passage: "_Passage", reply: Reply) -> None:
        self._is_asking = False
        refusal = passage.refusal
        if reply.code != replies.START_CONTENT.code:
            # What the server says to DATA is only a consequence of an earlier no.
            self._refused(passage, refusal or reply)
            return
        if refusal is not None:
            self._connection.command(
                _NOTHING, _ignore, self._patience.content, is_last=True
            )
            self._refused(passage, refusal)
            return
        passage.is_handed_over = True

        def on_content(last: Reply) -> None:
            self._finish(passage, last)

        self._connection.command(
            passage.parcel.content,
            on_content,
            self._patience.content,
            is_last=not self._connection.extensions.pipelining,
        )
        self._begin()

    def _refused(self, passage: "_Passage", reply: Reply) -> None:
        if self._connection.is_open:
            self._connection.reset()
        self._finish(passage, reply)

    def _finish(self, passage: "_Passage", reply: Reply) -> None:
        self._outstanding -= 1
        handed = _handed(passage, reply)
        self._done(Outcome(passage.parcel.number, handed, reply))
        if handed is not Handed.ANSWERED:
            self._is_over = True
            self._connection.abort()
        elif not self._outstanding:
            self._begin()
        self._maybe_end()

    def _maybe_end(self) -> None:
        if self._is_over and not self._outstanding:
            ended, self._ended = self._ended, _nothing
            ended()


class _Passage:
    """One parcel on its way: what was refused, and whether its content left."""

    __slots__ = ("is_handed_over", "parcel", "refusal")

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel
        self.refusal: Reply | None = None
        self.is_handed_over = False

    def asked(self, reply: Reply) -> None:
        """The reply to MAIL or RCPT."""
        if not reply.is_positive and self.refusal is None:
            self.refusal = reply


def _handed(passage: _Passage, reply: Reply) -> Handed:
    """What a reply says of a message; one that does not fit says nothing."""
    if reply.code >= _REFUSED and reply is not LOST and reply.code != _CLOSING:
        return Handed.ANSWERED
    if passage.is_handed_over and reply.is_positive:
        return Handed.ANSWERED
    if passage.is_handed_over and reply.code != _CLOSING:
        return Handed.UNKNOWN
    if passage.is_handed_over and reply is LOST:
        return Handed.UNKNOWN
    return Handed.NOT_HANDED_OVER


def _ignore(reply: Reply) -> None:
    """An empty message to nobody: whatever the server says to it."""


def _nothing() -> None:
    """The end was told."""
