# SPDX-License-Identifier: Apache-2.0
"""The server's end of an SMTP session without I/O. ``protocol.py`` says how it goes."""

from collections.abc import Callable
from enum import Enum

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.authentication import Credentials, Exchange
from undisclosed.transport.smtp.commands import Refused, read_mail, read_rcpt, size_of
from undisclosed.transport.smtp.content import (
    END,
    end_of_content,
    unstuffed,
    why_refused,
)
from undisclosed.transport.smtp.events import (
    Event,
    Hello,
    Login,
    MailFrom,
    Message,
    MessageRefused,
    RcptTo,
    Reset,
    StartTls,
)
from undisclosed.transport.smtp.extensions import NONE, Extensions
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.replies import Reply


class ServerState(Enum):
    """Where a session is."""

    COMMANDS = "commands"
    CONTENT = "content"  # after 354, until the final dot
    TLS = "TLS"  # after 220 to STARTTLS, until the handshake is done
    CLOSED = "closed"


_Command = Callable[[bytes], Event | None]

MOST_REFUSED_LOGINS = 3
"""Wrong passwords in one session; whoever guesses has to come again."""


class ServerProtocol:
    """Reads what a client sends and keeps its replies in order."""

    def __init__(self, hostname: str, limits: Limits) -> None:
        self.state = ServerState.COMMANDS
        self.extensions = NONE
        self.is_secured = False
        self._hostname = hostname
        self._limits = limits
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._scanned = 0
        self._skips_line = False
        self._errors = 0
        self._number = 0
        self._slots: dict[int, Event | None] = {}
        self._answers: dict[int, Reply] = {}
        self._is_greeted = False
        self._is_logged_in = False
        self._exchange: Exchange | None = None
        self._refused_logins = 0
        self._has_mail = False
        self._mail_from: Address | None = None
        self._parameters: tuple[str, ...] = ()
        self._rcpt_count = 0
        self._recipients: list[Recipient] = []
        self._taken = 0
        self._refusal: Reply | None = None
        self._is_ending = False
        self._commands: dict[bytes, _Command] = {
            b"EHLO": self._ehlo,
            b"HELO": self._helo,
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"RSET": self._rset,
            b"NOOP": self._noop,
            b"QUIT": self._quit,
            b"VRFY": self._vrfy,
            b"HELP": self._help,
            b"STARTTLS": self._starttls,
            b"AUTH": self._auth,
            b"EXPN": self._not_offered,
            b"BDAT": self._not_offered,
            b"ETRN": self._not_offered,
            b"TURN": self._not_offered,
        }

    # What the outside calls.

    def greet(self, greeting: Reply) -> None:
        """Send the opening reply (RFC 5321 §4.3.1); anything but 220 ends it."""
        self._out.append(greeting.wire)
        if not greeting.is_positive:
            self.state = ServerState.CLOSED

    def receive(self, data: bytes) -> None:
        """Take in any piece of what the client sent."""
        if self.state is ServerState.CLOSED:
            return
        self._buffer += data
        if self.state is ServerState.CONTENT:
            self._account(len(data))

    def data_to_send(self) -> bytes:
        """What is to be written now, once."""
        out = self._out
        if not out:
            return b""
        self._out = []
        return out[0] if len(out) == 1 else b"".join(out)

    def next_event(self) -> Event | None:
        """The next thing the client did; None until more bytes or replies come."""
        while True:
            if self.state is ServerState.CONTENT:
                return self._end_of_content()
            if self.state is not ServerState.COMMANDS:
                return None
            if self._is_ending and self.shut_down():
                return None
            if not self._buffer:
                return None
            line = self._next_line()
            if line is None:
                return None
            event = self._command(line)
            if event is not None:
                return event

    def answer(self, number: int, answer: Reply) -> None:
        """The reply to the event of this number. Replies go out in order."""
        if self.state is ServerState.CLOSED or number not in self._slots:
            return
        if len(self._slots) == 1:
            self._settle(self._slots.pop(number), answer)
        else:
            self._answer_in_order(number, answer)
        if self._is_ending:
            self.shut_down()

    def _answer_in_order(self, number: int, answer: Reply) -> None:
        self._answers[number] = answer
        while self._slots:
            first = next(iter(self._slots))
            given = self._answers.pop(first, None)
            if given is None:
                return
            self._settle(self._slots.pop(first), given)

    def offer(self, number: int, extensions: Extensions) -> None:
        """Answer EHLO or HELO; these are what the client may use from now on."""
        hello = self._slots.get(number)
        if isinstance(hello, Hello) and hello.is_extended:
            self.extensions = extensions
            self.answer(number, extensions.reply(self._hostname))
        else:
            self.extensions = NONE
            self.answer(number, replies.reply(250, self._hostname))

    def secured(self) -> None:
        """TLS is on: all that was said before is forgotten (RFC 3207 §4.2)."""
        self._buffer.clear()
        self._scanned = 0
        self._is_greeted = False
        self._is_logged_in = False
        self.extensions = NONE
        self._forget_transaction()
        self.is_secured = True
        self.state = ServerState.COMMANDS

    def shut_down(self) -> bool:
        """End the session with 421 as soon as no transaction is open; whether now."""
        self._is_ending = True
        if self.state is not ServerState.COMMANDS or self._has_mail or self._slots:
            return self.state is ServerState.CLOSED
        self.close(replies.SHUTTING_DOWN)
        return True

    def close(self, last: Reply | None = None) -> None:
        """End the session, with a last reply where one is given."""
        if self.state is ServerState.CLOSED:
            return
        if last is not None:
            self._out.append(last.wire)
        self.state = ServerState.CLOSED
        self._slots.clear()
        self._buffer = bytearray()
        self._forget_transaction()

    @property
    def waiting(self) -> int:
        """How many replies are outstanding."""
        return len(self._slots)

    @property
    def backlog(self) -> int:
        """Bytes received that are not read yet."""
        return len(self._buffer)

    # Lines.

    def _next_line(self) -> bytes | None:
        while True:
            end = self._buffer.find(b"\n", self._scanned)
            if end < 0:
                self._no_line_yet()
                return None
            line = bytes(memoryview(self._buffer)[: end + 1])
            if self._slots and (self._skips_line or not _may_run_ahead(line)):
                self._scanned = end
                return None
            self._scanned = 0
            del self._buffer[: end + 1]
            if self._skips_line:
                self._skips_line = False
                self._fail(replies.LINE_TOO_LONG)
            elif len(line) > self._limits.max_line:
                self._fail(replies.LINE_TOO_LONG)
            else:
                return line
            if self.state is not ServerState.COMMANDS:
                return None

    def _no_line_yet(self) -> None:
        self._scanned = len(self._buffer)
        if self._scanned > self._limits.max_line:
            # The rest of the line is dropped as it comes; its end is answered.
            self._buffer.clear()
            self._scanned = 0
            self._skips_line = True

    def _command(self, line: bytes) -> Event | None:
        if not line.endswith(b"\r\n") or line.find(b"\r", 0, -2) >= 0 or b"\0" in line:
            return self._fail(replies.BAD_LINE)
        if self._exchange is not None:
            return self._log_in(self._exchange.go_on(line[:-2]))
        verb, _, argument = line[:-2].partition(b" ")
        command = self._commands.get(verb.upper().rstrip(b"\t"))
        if command is None:
            return self._fail(replies.UNKNOWN_COMMAND)
        return command(argument)

    # Commands, in the order of RFC 5321 §4.1.1.

    def _ehlo(self, argument: bytes) -> Event | None:
        return self._hello(argument, is_extended=True)

    def _helo(self, argument: bytes) -> Event | None:
        return self._hello(argument, is_extended=False)

    def _hello(self, argument: bytes, *, is_extended: bool) -> Event | None:
        name = argument.strip().decode("utf-8", "replace")
        if not name:
            return self._fail(replies.BAD_ARGUMENTS)
        return self._wait_for(Hello(self._next_number(), name, is_extended))

    def _mail(self, argument: bytes) -> Event | None:
        if not self._is_greeted:
            return self._fail(replies.HELLO_FIRST)
        if self._has_mail:
            return self._fail(replies.NESTED_MAIL)
        try:
            mail_from, parameters = read_mail(argument, self.extensions)
            self._check_size(size_of(parameters))
        except Refused as refused:
            return self._fail(refused.answer)
        self._has_mail = True
        self._parameters = parameters
        self._rcpt_count = 0
        return self._wait_for(MailFrom(self._next_number(), mail_from, parameters))

    def _check_size(self, size: int) -> None:
        if size > self._max_size:
            raise Refused(replies.TOO_BIG)
        budget = self._limits.budget
        if budget.used + size > budget.total:
            raise Refused(replies.NO_ROOM)

    @property
    def _max_size(self) -> int:
        return self.extensions.size or self._limits.max_size

    def _rcpt(self, argument: bytes) -> Event | None:
        if not self._has_mail:
            return self._fail(replies.MAIL_FIRST)
        try:
            utf8 = "SMTPUTF8" in self._parameters
            recipient = read_rcpt(argument, self.extensions, utf8=utf8)
        except Refused as refused:
            return self._fail(refused.answer)
        if self._rcpt_count >= self._limits.max_recipients:
            return self._own(replies.TOO_MANY_RECIPIENTS)
        self._rcpt_count += 1
        return self._wait_for(RcptTo(self._next_number(), recipient))

    def _data(self, argument: bytes) -> Event | None:
        if argument.strip():
            return self._fail(replies.BAD_ARGUMENTS)
        if not self._has_mail:
            return self._fail(replies.MAIL_FIRST)
        if not self._recipients:
            refused = replies.NO_RECIPIENTS if self._rcpt_count else replies.RCPT_FIRST
            return self._fail(refused)
        self._out.append(replies.START_CONTENT.wire)
        # The line end of DATA is the one before the first line of the content:
        # with it in front, a final dot at once and a first dot are like any other.
        self._buffer[:0] = b"\r\n"
        self._scanned = 0
        self.state = ServerState.CONTENT
        self._account(len(self._buffer))
        return None

    def _rset(self, argument: bytes) -> Event | None:
        self._forget_transaction()
        self._own(replies.OK)
        return Reset()

    def _noop(self, argument: bytes) -> Event | None:
        return self._own(replies.OK)

    def _quit(self, argument: bytes) -> Event | None:
        self.close(replies.BYE)
        return None

    def _vrfy(self, argument: bytes) -> Event | None:
        return self._own(replies.CANNOT_VERIFY)

    def _help(self, argument: bytes) -> Event | None:
        return self._own(replies.HELP)

    def _not_offered(self, argument: bytes) -> Event | None:
        return self._fail(replies.NOT_OFFERED)

    def _starttls(self, argument: bytes) -> Event | None:
        if self.is_secured:
            return self._fail(replies.ALREADY_TLS)
        if not self.extensions.starttls:
            return self._fail(replies.NOT_OFFERED)
        if argument.strip():
            return self._fail(replies.BAD_ARGUMENTS)
        if self._buffer:
            # Commands injected before TLS would be taken as said inside it.
            self.close(replies.AFTER_STARTTLS)
            return None
        return self._wait_for(StartTls(self._next_number()))

    def _auth(self, argument: bytes) -> Event | None:
        if not self.extensions.auth:
            is_too_early = self.extensions.starttls and not self.is_secured
            return self._fail(
                replies.TLS_FIRST if is_too_early else replies.NOT_OFFERED
            )
        if self._has_mail or self._is_logged_in:
            return self._fail(replies.NO_LOGIN_NOW)
        self._exchange = Exchange()
        return self._log_in(self._exchange.begin(argument))

    def _log_in(self, step: Reply | Credentials) -> Event | None:
        """One step of AUTH: the client says more, is refused, or has said all."""
        if isinstance(step, Credentials):
            self._exchange = None
            return self._wait_for(Login(self._next_number(), step))
        if step.code == replies.GO_ON.code:
            return self._own(step)
        return self._fail(step)

    # Content.

    def _account(self, size: int) -> None:
        if self._refusal is not None:
            return
        if len(self._buffer) > self._max_size + len(END) and not self._is_complete():
            self._drain(replies.TOO_BIG)
        elif self._limits.budget.take(size):
            self._taken += size
        else:
            self._drain(replies.NO_ROOM)

    def _is_complete(self) -> bool:
        """Whether the end has come: what follows it is not part of the content."""
        end = end_of_content(self._buffer, max(0, self._scanned - len(END)))
        return 0 <= end <= self._max_size

    def _drain(self, refusal: Reply) -> None:
        self._refusal = refusal
        self._limits.budget.give_back(self._taken)
        self._taken = 0

    def _end_of_content(self) -> Event | None:
        end = end_of_content(self._buffer, max(0, self._scanned - len(END) + 1))
        if end < 0:
            if self._refusal is not None:
                # Nothing is stored of what is refused, but the end's beginning.
                del self._buffer[: max(0, len(self._buffer) - len(END) + 1)]
            self._scanned = len(self._buffer)
            return None
        lines = self._take_lines(end)
        self._scanned = 0
        self.state = ServerState.COMMANDS
        return self._ended(lines)

    def _take_lines(self, end: int) -> bytearray:
        """Everything before the final dot, which goes, too."""
        if len(self._buffer) == end + len(END):
            # Nothing came behind it: large content is handed over, not copied.
            lines, self._buffer = self._buffer, bytearray()
            del lines[end + 2 :]
            return lines
        lines = self._buffer[: end + 2]
        del self._buffer[: end + len(END)]
        return lines

    def _ended(self, lines: bytes | bytearray) -> Event:
        if self._refusal is None and len(lines) - 2 > self._max_size:
            self._refusal = replies.TOO_BIG
        content = b""
        if self._refusal is None:
            content = unstuffed(lines)
            self._refusal = why_refused(content, self._limits.max_text_line)
        if self._refusal is not None:
            refusal = self._refusal
            self._forget_transaction()
            self._own(refusal)
            return MessageRefused(refusal)
        envelope = Envelope(self._mail_from, tuple(self._recipients), self._parameters)
        message = Message(self._next_number(), Mail(envelope, content))
        self._slots[message.number] = message
        return message

    # Replies.

    def _next_number(self) -> int:
        self._number += 1
        return self._number

    def _wait_for(self, event: Hello | MailFrom | RcptTo | StartTls | Login) -> Event:
        self._slots[event.number] = event
        return event

    def _own(self, answer: Reply) -> Event | None:
        """A reply of the machine's own, in its place among the others; no event."""
        if not self._slots:
            self._out.append(answer.wire)
            return None
        number = self._next_number()
        self._slots[number] = None
        self._answers[number] = answer
        return None

    def _fail(self, answer: Reply) -> Event | None:
        self._errors += 1
        self._exchange = None
        self._own(answer)
        if self._errors > self._limits.max_errors:
            self.close(replies.TOO_MANY_ERRORS)
        return None

    def _settle(self, event: Event | None, answer: Reply) -> None:
        if isinstance(event, RcptTo) and answer.is_positive and not self._has_mail:
            answer = replies.MAIL_FIRST  # read ahead of a MAIL that was refused
        self._out.append(answer.wire)
        match event:
            case MailFrom():
                self._mail_from = event.mail_from
                self._has_mail = answer.is_positive
            case RcptTo():
                if answer.is_positive:
                    self._recipients.append(event.recipient)
            case Message():
                self._forget_transaction()
            case Hello():
                self._forget_transaction()
                self._is_greeted = answer.is_positive
            case StartTls():
                self.state = (
                    ServerState.TLS if answer.is_positive else ServerState.COMMANDS
                )
            case Login():
                self._is_logged_in = answer.is_positive
                self._count_login(answer)

    def _count_login(self, answer: Reply) -> None:
        self._refused_logins += answer.code == replies.LOGIN_REFUSED.code
        if self._refused_logins >= MOST_REFUSED_LOGINS:
            self.close(replies.TOO_MANY_ERRORS)

    def _forget_transaction(self) -> None:
        self._limits.budget.give_back(self._taken)
        self._taken = 0
        self._has_mail = False
        self._mail_from = None
        self._parameters = ()
        self._rcpt_count = 0
        self._recipients = []
        self._refusal = None


def _may_run_ahead(line: bytes) -> bool:
    return line[:4].upper() == b"RCPT"
