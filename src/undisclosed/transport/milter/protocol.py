# SPDX-License-Identifier: Apache-2.0
"""The milter's end of a session as a state machine without I/O.

No socket, no clock, no thread: bytes go in, events come out, one answer goes in,
bytes come out. ``server.py`` puts sockets around it; tests and fuzzers need none::

    machine = MilterProtocol(Limits())
    machine.receive(data)                      # any piece of the stream
    while (event := machine.next_event()) is not None:
        machine.answer(response)               # now or later, unless it is GivenUp
    machine.data_to_send()

The content is put together from what the MTA tells: fields with CR LF at each line
end, an empty line, the body. Bcc is not among the fields where the MTA has taken it
out before. The same bytes in one piece or in a thousand lead to the same events.
"""

from collections.abc import Callable
from enum import Enum

from undisclosed.transport.milter.envelope import recipient_of, sender_of
from undisclosed.transport.milter.errors import MtaError
from undisclosed.transport.milter.events import (
    Client,
    Event,
    GivenUp,
    Message,
    MessageRefused,
)
from undisclosed.transport.milter.gathering import Gathering
from undisclosed.transport.milter.negotiation import (
    NOTHING_AGREED,
    agree,
)
from undisclosed.transport.milter.packets import Command, PacketReader, strings
from undisclosed.transport.milter.responses import CONTINUE, Response
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.commands import Refused
from undisclosed.transport.smtp.limits import Limits

LARGE_BACKLOG = 128 * 1024
"""Bytes of a packet that is not whole yet, from which on they count as in flight."""


class MilterState(Enum):
    """Where a session is."""

    NEW = "new"  # before the MTA's offer
    IDLE = "idle"  # between two mails
    MAIL = "mail"  # from MAIL to the end of the body
    ANSWERING = "answering"  # an event waits for its answer
    CLOSED = "closed"


_Take = Callable[[bytes], Event | None]


class MilterProtocol:
    """Reads what an MTA tells, and gives it one answer for each mail."""

    def __init__(self, limits: Limits) -> None:
        self.state = MilterState.NEW
        self._limits = limits
        self._packets = PacketReader()
        self._agreement = NOTHING_AGREED
        self._answered: frozenset[int] = frozenset()
        self._out: list[bytes] = []
        self._set_aside = 0
        self._gathering: Gathering | None = None
        self._address = self._login = self._queue_id = ""
        takes: dict[Command, _Take] = {
            Command.NEGOTIATE: self._negotiate,
            Command.MACROS: self._macros,
            Command.CONNECT: self._connect,
            Command.HELO: self._nothing,
            Command.MAIL: self._mail,
            Command.RCPT: self._rcpt,
            Command.DATA: self._nothing,
            Command.HEADER: self._header,
            Command.END_OF_HEADER: self._nothing,
            Command.BODY: self._body,
            Command.END_OF_BODY: self._end_of_body,
            Command.UNKNOWN: self._nothing,
            Command.ABORT: self._abort,
            Command.QUIT_NEW_CONNECTION: self._new_connection,
            Command.QUIT: self._quit,
        }
        # By plain numbers: a dozen packets come for each mail.
        self._takes = {int(command): take for command, take in takes.items()}

    # What the outside calls.

    def receive(self, data: bytes) -> None:
        """Take in any piece of what the MTA sent."""
        if self.state is not MilterState.CLOSED:
            self._packets.receive(data)

    def next_event(self) -> Event | None:
        """What waits for an answer next; None until more bytes come.

        Raises MtaError for what is no milter protocol, and where a packet has grown
        over what may be in flight: the session is closed then, and the MTA keeps
        the mail.
        """
        try:
            while self.state is not MilterState.CLOSED:
                found = self._packets.next_packet()
                if found is None:
                    self._account_backlog()
                    return None
                event = self._read(*found)
                if event is not None:
                    return event
        except MtaError:
            self.close()
            raise
        return None

    def answer(self, response: Response) -> None:
        """The answer to the last event. Dropped where the MTA gave the mail up."""
        if self.state is not MilterState.ANSWERING:
            return
        self.state = MilterState.IDLE
        self._forget_mail()
        self._login = self._queue_id = ""
        self._out.append(response.wire)

    def data_to_send(self) -> bytes:
        """What is to be written now, once."""
        out, self._out = self._out, []
        return b"".join(out)

    def close(self) -> None:
        """End the session; whatever was begun is forgotten."""
        self.state = MilterState.CLOSED
        self._packets.forget()
        self._forget_mail()
        self._limits.budget.give_back(self._set_aside)
        self._set_aside = 0

    @property
    def is_busy(self) -> bool:
        """Whether a mail is on its way through."""
        return self.state in (MilterState.MAIL, MilterState.ANSWERING)

    @property
    def backlog(self) -> int:
        """Bytes received that are not read yet."""
        return self._packets.backlog

    # Commands.

    def _read(self, letter: int, data: bytes) -> Event | None:
        take = self._takes.get(letter)
        if take is None:
            raise MtaError("A packet holds a command that nobody knows.")
        if self.state is MilterState.NEW and letter != Command.NEGOTIATE:
            raise MtaError("The MTA made no offer.")
        if self.state is MilterState.ANSWERING and letter not in _WHILE_ANSWERING:
            raise MtaError("The MTA did not wait for its answer.")
        event = take(data)
        if letter in self._answered:
            self._out.append(CONTINUE)
        return event

    def _negotiate(self, data: bytes) -> None:
        if self.state is not MilterState.NEW:
            raise MtaError("The MTA made two offers.")
        self._agreement = agree(data)
        self._answered = self._agreement.answered
        self._out.append(self._agreement.wire)
        self.state = MilterState.IDLE

    def _macros(self, data: bytes) -> None:
        if data[:1] not in _MACROS_THAT_TELL:
            return
        words = strings(data[1:]) if data[1:] else []
        for name, value in zip(words[::2], words[1::2], strict=False):
            plain = name.strip(b"{}")
            if plain == b"i":
                self._queue_id = value.decode("ascii", "replace")
            elif plain == b"auth_authen":
                self._login = value.decode("utf-8", "replace")

    def _connect(self, data: bytes) -> None:
        # hostname NUL family; then port and address, where the family has them.
        _, _, rest = data.partition(b"\0")
        is_internet = rest[:1] in (b"4", b"6")
        address = rest[3:].rstrip(b"\0") if is_internet else b""
        # RFC 5321 §4.1.3 has a tag before IPv6 addresses, and so has Postfix.
        plain = address.removeprefix(b"IPv6:")
        self._address = plain.decode("ascii", "replace")

    def _mail(self, data: bytes) -> None:
        self._forget_mail()
        self._gathering = Gathering(self._limits)
        self.state = MilterState.MAIL
        try:
            mail_from, parameters = sender_of(strings(data))
        except Refused as refused:
            self._gathering.refuse(refused.answer)
            return
        self._gathering.mail_from = mail_from
        self._gathering.parameters = parameters

    def _rcpt(self, data: bytes) -> None:
        mail = self._begun()
        try:
            mail.add_recipient(recipient_of(strings(data)))
        except Refused as refused:
            mail.refuse(refused.answer)

    def _header(self, data: bytes) -> None:
        mail = self._begun()
        if data.count(b"\0") != 2 or data[-1:] != b"\0":
            raise MtaError("A header field is no name and body.")
        colon = b":" if self._agreement.has_leading_space else b": "
        field = data.replace(b"\0", colon, 1)[:-1]
        if b"\n" in field:
            # Folded fields come with LF or CR LF between their lines.
            field = field.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        mail.add_field(field + b"\r\n")

    def _body(self, data: bytes) -> None:
        self._begun().add_body(data)

    def _end_of_body(self, data: bytes) -> Event:
        gathered = self._begun()
        gathered.add_body(data)
        self.state = MilterState.ANSWERING
        client = Client(self._address, self._login, self._queue_id)
        mail = gathered.mail()
        if mail is None:
            return MessageRefused(gathered.refusal or replies.OUR_FAULT, client)
        fields = tuple(gathered.fields)
        return Message(mail, client, fields, self._agreement.may_change_header)

    def _abort(self, data: bytes) -> Event | None:
        was_answering = self.state is MilterState.ANSWERING
        self._forget_mail()
        self._login = self._queue_id = ""
        self.state = MilterState.IDLE
        return GivenUp() if was_answering else None

    def _new_connection(self, data: bytes) -> Event | None:
        self._address = ""
        return self._abort(data)

    def _quit(self, data: bytes) -> Event | None:
        was_answering = self.state is MilterState.ANSWERING
        self.close()
        return GivenUp() if was_answering else None

    def _nothing(self, data: bytes) -> None:
        """A command that tells nothing we need."""

    # One mail.

    def _begun(self) -> Gathering:
        if self._gathering is None or self.state is not MilterState.MAIL:
            raise MtaError("The MTA tells of a mail that it did not begin.")
        return self._gathering

    def _forget_mail(self) -> None:
        if self._gathering is not None:
            self._gathering.forget()
            self._gathering = None

    def _account_backlog(self) -> None:
        """Count a large packet that is not whole yet as in flight. Raises MtaError."""
        backlog = self._packets.backlog
        wanted = backlog if backlog > LARGE_BACKLOG else 0
        if wanted == self._set_aside:
            return
        self._limits.budget.give_back(self._set_aside)
        self._set_aside = 0
        if not self._limits.budget.take(wanted):
            raise MtaError("There is no room for a packet.")
        self._set_aside = wanted


_WHILE_ANSWERING = frozenset(
    map(
        int,
        (Command.ABORT, Command.QUIT, Command.QUIT_NEW_CONNECTION, Command.MACROS),
    )
)
_MACROS_THAT_TELL = tuple(
    bytes((command,))
    for command in (Command.MAIL, Command.END_OF_HEADER, Command.END_OF_BODY)
)
