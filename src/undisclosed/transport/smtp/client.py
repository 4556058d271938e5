# SPDX-License-Identifier: Apache-2.0
"""An SMTP client on asyncio: one connection, kept for as many mails as it carries."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import Enum
from functools import partial
from typing import cast

from undisclosed.core.mail import Envelope
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.client_protocol import ClientProtocol
from undisclosed.transport.smtp.commands import (
    mail_line,
    needs_utf8,
    rcpt_line,
)
from undisclosed.transport.smtp.content import wire, with_line_ends
from undisclosed.transport.smtp.errors import HopAway, PeerError
from undisclosed.transport.smtp.extensions import NONE, Extensions, read_extensions
from undisclosed.transport.smtp.replies import Reply

LOST = replies.reply(421, "4.4.2 The connection was lost")
"""What everyone gets who waits for a reply when a connection is lost."""

_CLOSING = 421
_REFUSED = 400


class Tls(Enum):
    """When a client asks for TLS (RFC 3207)."""

    NEVER = "never"
    WHEN_OFFERED = "when offered"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client waits for each reply (RFC 5321 §4.5.3.2)."""

    connect: timedelta = timedelta(seconds=30)
    greeting: timedelta = timedelta(minutes=5)
    command: timedelta = timedelta(minutes=5)  # MAIL and RCPT
    data: timedelta = timedelta(minutes=2)  # the reply to DATA
    content: timedelta = timedelta(minutes=10)  # the reply to the final dot

    @property
    def shortest(self) -> float:
        """The shortest wait for a reply, in seconds."""
        waits = (self.greeting, self.command, self.data, self.content)
        return min(waits).total_seconds()


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Where a client connects to, as whom, and how patient it is.

    ``tls_context`` verifies the server; None stands for the system's authorities
    where TLS is required, and for encryption without a check where it is only
    taken when offered (RFC 3207 §4.1: better than nothing).
    """

    host: str
    port: int = 25
    hostname: str = "localhost"
    tls: Tls = Tls.NEVER
    tls_context: ssl.SSLContext | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, slots=True)
class HopReply:
    """What a server answered to one mail: to its content, and to each recipient.

    ``code`` and ``text`` are the reply to the content or, where no recipient was
    taken, the first refusal. The texts may hold addresses.
    """

    code: int
    text: str = field(repr=False)
    recipients: tuple[Reply, ...] = ()


OnReply = Callable[[Reply], None]


class ClientConnection(asyncio.Protocol):
    """One connection to a server. Made by ``connect``; ready when that returns."""

    def __init__(self, settings: ClientSettings) -> None:
        self.extensions: Extensions = NONE
        self.is_reused = False
        self.is_open = False
        self.on_lost: Callable[[ClientConnection], None] | None = None
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._machine: ClientProtocol[tuple[OnReply, timedelta]] = ClientProtocol()
        self._transport: asyncio.Transport | None = None
        self._is_flush_due = False
        self._timer: asyncio.TimerHandle | None = None
        self._waits_since = 0.0
        self._greeting: asyncio.Future[Reply] = self._loop.create_future()
        self._patience = settings.timeouts.greeting
        self._tick = settings.timeouts.shortest

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there; the greeting is not yet."""
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True
        # The greeting may come before those who connect are told that they have.
        self._machine.expect((partial(_resolve, self._greeting), self._patience))
        self._waits_since = self._loop.time()
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Replies came: give each to the one who waits for it."""
        machine = self._machine
        machine.receive(data)
        # What is said in answer to these replies leaves with the flush at the end.
        self._is_flush_due = True
        try:
            while (answered := machine.next_reply()) is not None:
                (on_reply, _), reply = answered
                self._waits_since = self._loop.time()
                on_reply(reply)
                if reply.code == _CLOSING:
                    self.abort()
        except PeerError:
            self.abort()
        finally:
            self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The server is gone: everyone who waits is told so."""
        self._lose()

    # What users call.

    def command(
        self,
        line: bytes,
        on_reply: OnReply,
        patience: timedelta,
        *,
        is_last: bool = False,
    ) -> None:
        """Send a command; the reply, or LOST, goes to ``on_reply``."""
        if not self.is_open:
            on_reply(LOST)
            return
        if not self._machine.waiting:
            self._waits_since = self._loop.time()
        self._patience = patience
        self._machine.command(line, (on_reply, patience), is_last=is_last)
        self._arm()
        if not self._is_flush_due:
            # Commands given in one turn of the loop leave in one write.
            self._is_flush_due = True
            self._loop.call_soon(self._flush)

    @property
    def is_idle(self) -> bool:
        """Whether no reply is outstanding."""
        return not self._machine.waiting

    def mail(self, line: bytes, on_reply: OnReply) -> None:
        """MAIL or RCPT."""
        self.command(line, on_reply, self._settings.timeouts.command)

    def content(
        self, wire_content: bytes, on_sent: Callable[[], None], on_reply: OnReply
    ) -> None:
        """DATA and, after 354, the content with its final dot.

        ``on_sent`` is called when the content goes out: from then on, no reply
        does not mean that it was not taken.
        """

        def started(reply: Reply) -> None:
            if reply.code != replies.START_CONTENT.code:
                on_reply(self.expected(reply, is_positive=False))
                return
            on_sent()
            patience = self._settings.timeouts.content
            self.command(wire_content, ended, patience, is_last=True)

        def ended(reply: Reply) -> None:
            on_reply(self.expected(reply))

        self.command(b"DATA\r\n", started, self._settings.timeouts.data, is_last=True)

    def expected(self, reply: Reply, *, is_positive: bool = True) -> Reply:
        """The reply where its class fits the command; else the connection is ended.

        A server that answers RCPT with 354 is out of step: nothing that it says
        can be laid at the right command's door any more.
        """
        if reply.code >= _REFUSED or (is_positive and reply.is_positive):
            return reply
        self.abort()
        return replies.HOP_CONFUSED

    def reset(self) -> None:
        """RSET: whatever was begun is given up."""
        self.command(b"RSET\r\n", _ignore, self._settings.timeouts.command)

    def quit(self) -> None:
        """QUIT, without waiting for its reply longer than the loop does."""
        if self._transport is not None and self.is_open:
            self._transport.write(b"QUIT\r\n")
            self._transport.close()
        self._lose()

    def abort(self) -> None:
        """Close at once: an open transaction comes to nothing."""
        if self._transport is not None:
            self._transport.abort()
        self._lose()

    async def ask(self, line: bytes, patience: timedelta) -> Reply:
        """Send one command and wait for its reply. Raises HopAway."""
        waiter: asyncio.Future[Reply] = self._loop.create_future()
        self.command(line, partial(_resolve, waiter), patience, is_last=True)
        return _there(await waiter)

    async def send(self, envelope: Envelope, content: bytes) -> HopReply:
        """Send one mail object, each recipient with its own reply.

        What the server cannot carry is refused as it would refuse it (RFC 6152,
        6531); DSN parameters that it does not offer are left out (RFC 3461 §5.2.2
        makes that a matter for the report). Raises HopAway where no reply came.
        """
        refused = self._why_not(envelope, content)
        if refused is not None:
            return HopReply(refused.code, refused.text)
        answers = await asyncio.gather(*self._open(envelope, len(content)))
        mail, rcpts = _there(answers[0]), tuple(_there(a) for a in answers[1:])
        if not mail.is_positive:
            # What the server says to RCPT after that is only a consequence.
            self.reset()
            return HopReply(mail.code, mail.text, (mail,) * len(rcpts))
        if not any(reply.is_positive for reply in rcpts):
            self.reset()
            first = rcpts[0] if rcpts else replies.NO_RECIPIENTS
            return HopReply(first.code, first.text, rcpts)
        waiter: asyncio.Future[Reply] = self._loop.create_future()
        self.content(wire(with_line_ends(content)), _nothing, partial(_resolve, waiter))
        last = _there(await waiter)
        if not last.is_positive:
            self.reset()
        return HopReply(last.code, last.text, rcpts)

    # Inside.

    def _why_not(self, envelope: Envelope, content: bytes) -> Reply | None:
        if needs_utf8(envelope) and not self.extensions.utf8:
            return replies.NO_UTF8
        if "REQUIRETLS" in envelope.parameters and not self.extensions.requiretls:
            return replies.NO_REQUIRETLS
        if not self.extensions.eight_bit and not content.isascii():
            return replies.NO_8BIT
        if self.extensions.size and len(content) > self.extensions.size:
            return replies.TOO_BIG
        return None

    def _open(self, envelope: Envelope, size: int) -> Sequence[asyncio.Future[Reply]]:
        lines = [
            mail_line(envelope.mail_from, envelope.parameters, self.extensions, size)
        ]
        lines += [rcpt_line(r, self.extensions) for r in envelope.recipients]
        waiters = []
        for line in lines:
            waiter: asyncio.Future[Reply] = self._loop.create_future()
            self.mail(line, partial(_resolve, waiter))
            waiters.append(waiter)
        return waiters

    async def greet(self) -> None:
        """Greeting, EHLO (HELO where refused), TLS as set. Raises HopAway."""
        greeting = await self._greeting
        if not greeting.is_positive:
            self.quit()
            raise HopAway("The next hop does not take mail now.", code=greeting.code)
        await self._hello()
        if self._settings.tls is not Tls.NEVER:
            await self._secure()
        if self._settings.tls is not Tls.REQUIRED:
            # Whoever is not verified cannot promise it (RFC 8689 §4.1).
            self.extensions = replace(self.extensions, requiretls=False)

    async def _hello(self) -> None:
        name, patience = self._settings.hostname, self._settings.timeouts.command
        offered = await self.ask(f"EHLO {name}\r\n".encode(), patience)
        self.extensions = NONE
        if offered.is_positive:
            self.extensions = read_extensions(offered.lines)
        else:
            taken = await self.ask(f"HELO {name}\r\n".encode(), patience)
            if not taken.is_positive:
                self.quit()
                raise HopAway("The next hop does not greet us.", code=taken.code)
        self._machine.pipelining = self.extensions.pipelining

    async def _secure(self) -> None:
        is_required = self._settings.tls is Tls.REQUIRED
        if not self.extensions.starttls:
            if is_required:
                self.quit()
                raise HopAway("The next hop does not offer TLS, which is required.")
            return
        reply = await self.ask(b"STARTTLS\r\n", self._settings.timeouts.command)
        if not reply.is_positive:
            if is_required:
                self.quit()
                raise HopAway("The next hop refuses TLS, which is required.")
            return
        await self._handshake(self._settings.tls_context or _context(is_required))
        await self._hello()

    async def _handshake(self, context: ssl.SSLContext) -> None:
        transport, self._transport = self._transport, None
        secured = None
        if transport is not None:
            with contextlib.suppress(OSError):
                secured = await self._loop.start_tls(
                    transport, self, context, server_hostname=self._settings.host
                )
        if secured is None:
            self._lose()
            raise HopAway("The TLS handshake with the next hop failed.")
        self._transport = secured
        # Replies that came in the clear are not believed inside TLS.
        self._machine = ClientProtocol()

    def _flush(self) -> None:
        self._is_flush_due = False
        if self._transport is not None and self.is_open:
            out = self._machine.data_to_send()
            if out:
                self._transport.write(out)

    def _lose(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.is_open = False
        self._transport = None
        on_lost, self.on_lost = self.on_lost, None
        if on_lost is not None:
            on_lost(self)
        for on_reply, _ in self._machine.give_up():
            on_reply(LOST)

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(self._tick, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        if not self._machine.waiting:
            return
        left = self._waits_since + self._patience.total_seconds() - self._loop.time()
        if left <= 0:
            self.abort()
        else:
            wait = min(left, self._tick)
            self._timer = self._loop.call_later(wait, self._on_timer)


async def connect(settings: ClientSettings) -> ClientConnection:
    """A connection that is ready for MAIL. Raises HopAway."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(settings.timeouts.connect.total_seconds()):
            _, connection = await loop.create_connection(
                partial(ClientConnection, settings), settings.host, settings.port
            )
    except (OSError, TimeoutError) as error:
        why = error.strerror if isinstance(error, OSError) else "no answer"
        raise HopAway(
            host=settings.host, port=settings.port, why=why or type(error).__name__
        ) from None
    try:
        await connection.greet()
    except asyncio.CancelledError:
        connection.abort()
        raise
    return connection


async def send(
    settings: ClientSettings, envelope: Envelope, content: bytes
) -> HopReply:
    """Connect, send one mail object, quit. Raises HopAway."""
    connection = await connect(settings)
    try:
        return await connection.send(envelope, content)
    finally:
        connection.quit()


def _context(is_required: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not is_required:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _there(reply: Reply) -> Reply:
    if reply is LOST or reply.code == _CLOSING:
        raise HopAway("The next hop went away before it answered.")
    return reply


def _resolve(waiter: asyncio.Future[Reply], reply: Reply) -> None:
    if not waiter.done():
        waiter.set_result(reply)


def _ignore(reply: Reply) -> None:
    """RSET is answered with 250 (RFC 5321 §4.1.1.5); a 421 closes by itself."""


def _nothing() -> None:
    """Nobody needs to know when the content of a queued copy goes out."""
