# SPDX-License-Identifier: Apache-2.0
"""One client's connection: its socket, its time, its TLS, its handler."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol, cast

from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.certificates import (
    ClientCertificate,
    client_certificate,
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
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.handler import Answer, Handler, LoginHandler, Session
from undisclosed.transport.smtp.replies import Reply
from undisclosed.transport.smtp.server_protocol import ServerProtocol, ServerState
from undisclosed.transport.smtp.settings import ServerSettings

log = logging.getLogger(__name__)

BACKLOG = 256 * 1024
"""Unread bytes above which the socket is not read: the client has to wait."""

LINGER = 30.0
"""Seconds for the last reply to leave before the connection is cut."""


class Door(Protocol):
    """What a session needs of the server that it belongs to."""

    settings: ServerSettings

    def admit(self, session: "ServerSession", peer: str) -> Reply | None:
        """Count a new connection; the reply that turns it away, or None."""

    def forget(self, session: "ServerSession", peer: str) -> None:
        """A connection is gone."""

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task until it is done."""


class ServerSession(asyncio.Protocol):
    """Carries bytes and events between a socket, the state machine and a handler."""

    def __init__(self, server: Door, handler_factory: Callable[[], Handler]) -> None:
        self._server = server
        self._settings = server.settings
        self._handler_factory = handler_factory
        self._loop = asyncio.get_running_loop()
        self._machine = ServerProtocol(server.settings.hostname, server.settings.limits)
        self._handler: Handler | None = None
        self._transport: asyncio.Transport | None = None
        self._peer = ""
        self._hello = Session("")
        self._certificate: ClientCertificate | None = None
        self._is_pumping = False
        self._is_flush_due = False
        self._is_paused = False
        self._is_write_paused = False
        self._active_at = self._loop.time()
        self._content_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reactions: dict[type, Callable[..., None]] = {
            Hello: self._on_hello,
            MailFrom: self._on_mail,
            RcptTo: self._on_rcpt,
            Message: self._on_message,
            MessageRefused: self._on_reset,
            Reset: self._on_reset,
            StartTls: self._on_starttls,
            Login: self._on_login,
        }

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected: greet it, or turn it away."""
        self._transport = cast(asyncio.Transport, transport)
        peername = transport.get_extra_info("peername")
        self._peer = str(peername[0]) if peername else ""
        refusal = self._server.admit(self, self._peer)
        if refusal is None:
            self._handler = self._handler_factory()
            hostname = self._settings.hostname
            self._machine.greet(replies.reply(220, f"{hostname} ESMTP"))
            self._timer = self._loop.call_later(self._wait, self._on_timer)
        else:
            self._machine.greet(refusal)
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._machine.receive(data)
        if self._machine.state is ServerState.CONTENT:
            self._active_at = self._loop.time()
            if self._content_since is None:
                self._content_since = self._active_at
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone, by its will or ours: an open transaction is given up."""
        self._machine.close()
        self._server.forget(self, self._peer)
        if self._timer is not None:
            self._timer.cancel()
        self._close_handler()
        self._transport = None

    def pause_writing(self) -> None:
        """The client does not read its replies: read no more of its commands."""
        self._is_write_paused = True

    def resume_writing(self) -> None:
        """The client reads again."""
        self._is_write_paused = False
        self._loop.call_soon(self._pump)

    # What the server calls.

    @property
    def unsent(self) -> int:
        """Bytes of replies that the client has not read yet, and of its backlog."""
        if self._transport is None:
            return 0
        return self._transport.get_write_buffer_size() + self._machine.backlog

    def shut_down(self) -> None:
        """421 as soon as no transaction is open."""
        self._machine.shut_down()
        self._flush()

    def end(self, last: Reply) -> None:
        """A last reply, now."""
        self._machine.close(last)
        self._flush()

    # Events.

    def _pump(self) -> None:
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            while not self._is_write_paused:
                event = self._machine.next_event()
                if event is None:
                    break
                self._react(event)
        finally:
            self._is_pumping = False
        self._flush()

    def _react(self, event: Event) -> None:
        self._content_since = None
        try:
            self._reactions[type(event)](event)
        except Exception as error:  # whatever a handler does, the client gets a reply
            log.error("A handler failed: %s", type(error).__name__)
            if not isinstance(event, Reset | MessageRefused):
                self._machine.answer(event.number, replies.OUR_FAULT)

    def _answer_to(self, number: int) -> Answer:
        def answer(reply: Reply) -> None:
            self._machine.answer(number, reply)
            self._answered()

        return answer

    def _answered(self) -> None:
        if self._is_pumping:
            return
        if not self._machine.waiting:
            self._pump()
        elif not self._is_flush_due:
            # Others are outstanding: what comes together leaves together.
            self._is_flush_due = True
            self._loop.call_soon(self._flush_due)

    def _flush_due(self) -> None:
        self._is_flush_due = False
        self._flush()

    def _on_hello(self, event: Hello) -> None:
        def offer(extensions: Extensions) -> None:
            self._machine.offer(event.number, extensions)
            self._answered()

        self._hello = Session(
            self._peer,
            event.name,
            event.is_extended,
            self._machine.is_secured,
            self._certificate,
        )
        if self._handler is not None:
            self._handler.on_hello(self._hello, offer)

    def _on_mail(self, event: MailFrom) -> None:
        if self._handler is not None:
            answer = self._answer_to(event.number)
            self._handler.on_mail(event.mail_from, event.parameters, answer)

    def _on_rcpt(self, event: RcptTo) -> None:
        if self._handler is not None:
            self._handler.on_rcpt(event.recipient, self._answer_to(event.number))

    def _on_message(self, event: Message) -> None:
        if self._handler is not None:
            self._handler.on_message(event.mail, self._answer_to(event.number))

    def _on_reset(self, event: Reset | MessageRefused) -> None:
        if self._handler is not None:
            self._handler.on_reset()

    def _on_login(self, event: Login) -> None:
        answer = self._answer_to(event.number)
        if isinstance(self._handler, LoginHandler):
            self._handler.on_login(event.credentials, answer)
        else:
            answer(replies.NOT_OFFERED)

    # TLS.

    def _on_starttls(self, event: StartTls) -> None:
        if self._settings.tls is None or self._transport is None:
            self._machine.answer(event.number, replies.TLS_AWAY)
            return
        # What comes after our reply belongs to the handshake.
        self._transport.pause_reading()
        if self._handler is not None:
            self._handler.on_reset()
        self._machine.answer(event.number, replies.START_TLS)
        self._flush()
        self._server.keep(self._loop.create_task(self._secure()))

    async def _secure(self) -> None:
        if self._transport is None or self._settings.tls is None:
            return
        try:
            secured = await self._loop.start_tls(
                self._transport, self, self._settings.tls, server_side=True
            )
        except (OSError, ConnectionError) as error:
            log.info("A TLS handshake failed: %s", type(error).__name__)
            secured = None
        if secured is None:
            if self._transport is not None:
                self._transport.abort()
            # The loop does not say so where a handshake failed.
            self.connection_lost(None)
            return
        self._transport = secured
        self._certificate = client_certificate(secured.get_extra_info("ssl_object"))
        self._machine.secured()
        self._active_at = self._loop.time()

    # Out, and how fast.

    def _flush(self) -> None:
        transport = self._transport
        if transport is None:
            return
        out = self._machine.data_to_send()
        if out:
            transport.write(out)
            self._active_at = self._loop.time()
        if self._machine.state is ServerState.CLOSED:
            if not transport.is_closing():
                self._close_handler()
                transport.close()
                # A client that does not read its last reply does not stay.
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = self._loop.call_later(LINGER, transport.abort)
            return
        if self._is_paused or self._is_write_paused or self._machine.backlog > BACKLOG:
            self._regulate(transport)

    def _regulate(self, transport: asyncio.Transport) -> None:
        must_wait = self._is_write_paused or (
            self._machine.backlog > BACKLOG
            and self._machine.state is ServerState.COMMANDS
        )
        if must_wait and not self._is_paused:
            self._is_paused = True
            transport.pause_reading()
        elif self._is_paused and not must_wait:
            self._is_paused = False
            transport.resume_reading()

    def _close_handler(self) -> None:
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.on_close()

    # Time. One timer per connection, set again when it fires: it costs nothing
    # per command.

    @property
    def _wait(self) -> float:
        return self._settings.wait.total_seconds()

    def _on_timer(self) -> None:
        left = self._time_left(self._loop.time())
        if left <= 0:
            self.end(replies.TOO_SLOW)
            return
        self._timer = self._loop.call_later(left, self._on_timer)

    def _time_left(self, now: float) -> float:
        left = self._active_at + self._wait - now
        if self._machine.waiting:
            return max(left, 1.0)  # it is we who let the client wait
        if self._content_since is None:
            return left
        whole = self._settings.wait_content.total_seconds()
        return min(left, self._content_since + whole - now)
