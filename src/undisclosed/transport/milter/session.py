# SPDX-License-Identifier: Apache-2.0
"""One MTA's connection: its socket, its time, its handler."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Protocol, cast

from undisclosed.transport.milter.errors import MtaError
from undisclosed.transport.milter.events import Event, GivenUp, Message, MessageRefused
from undisclosed.transport.milter.handler import Answer, Handler
from undisclosed.transport.milter.protocol import MilterProtocol, MilterState
from undisclosed.transport.milter.responses import Response, refused
from undisclosed.transport.milter.settings import MilterServerSettings
from undisclosed.transport.smtp import replies

log = logging.getLogger(__name__)

QUICK = getattr(socket, "TCP_QUICKACK", None)
"""Linux: acknowledge what came at once. The kernel forgets it, so it is said again
with each read: an MTA writes in small pieces and, by Nagle's algorithm, waits for
the acknowledgement of one before it sends the next, 44 milliseconds each time."""


class Door(Protocol):
    """What a session needs of the server that it belongs to."""

    settings: MilterServerSettings

    def admit(self, session: "MilterSession", peer: str | None) -> bool:
        """Count a new connection; whether it may stay. None: a UNIX socket's."""

    def forget(self, session: "MilterSession") -> None:
        """A connection is gone."""


class MilterSession(asyncio.Protocol):
    """Carries bytes and events between a socket, the state machine and a handler."""

    def __init__(self, server: Door, handler_factory: Callable[[], Handler]) -> None:
        self._server = server
        self._handler = handler_factory()
        self._loop = asyncio.get_running_loop()
        self._machine = MilterProtocol(server.settings.limits)
        self._transport: asyncio.Transport | None = None
        self._tcp: socket.socket | None = None
        self._turn = 0
        self._is_waiting = False
        self._is_pumping = False
        self._is_ending = False
        self._active_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """An MTA connected."""
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        is_tcp = isinstance(peer, tuple)
        if not self._server.admit(self, str(peer[0]) if is_tcp else None):
            self._end()
            return
        if is_tcp and QUICK is not None:
            self._tcp = transport.get_extra_info("socket")
            self._acknowledge()
        self._timer = self._loop.call_later(self._wait, self._on_timer)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        self._acknowledge()
        self._active_at = self._loop.time()
        self._machine.receive(data)
        self._pump()

    def connection_lost(self, exc: Exception | None) -> None:
        """The MTA is gone, by its will or ours: what is on its way is given up."""
        self._machine.close()
        self._server.forget(self)
        if self._timer is not None:
            self._timer.cancel()
        self._transport = self._tcp = None
        self._give_up()

    # What the server calls.

    def shut_down(self) -> None:
        """End as soon as no mail is on its way; the MTA keeps what it has."""
        self._is_ending = True
        if not self._machine.is_busy:
            self._end()

    def end(self) -> None:
        """End now."""
        self._end()

    # Events.

    def _pump(self) -> None:
        if self._is_pumping:
            return
        self._is_pumping = True
        try:
            while (event := self._machine.next_event()) is not None:
                self._react(event)
        except MtaError as error:
            log.warning("A milter connection was ended: %s", error)
        finally:
            self._is_pumping = False
        self._flush()
        is_over = self._is_ending and not self._machine.is_busy
        if is_over or self._machine.state is MilterState.CLOSED:
            self._end()

    def _react(self, event: Event) -> None:
        if isinstance(event, GivenUp):
            self._give_up()
            return
        self._turn += 1
        self._is_waiting = True
        answer = self._answer_to(self._turn)
        try:
            match event:
                case Message():
                    self._handler.on_message(event, answer)
                case MessageRefused():
                    self._handler.on_refused(event, answer)
        except Exception as error:  # whatever a handler does, the MTA gets an answer
            log.error("A handler failed: %s", type(error).__name__)
            answer(refused(replies.OUR_FAULT))

    def _answer_to(self, turn: int) -> Answer:
        def answer(response: Response) -> None:
            if turn != self._turn or not self._is_waiting:
                return  # the MTA gave this mail up, and may be at the next one
            self._is_waiting = False
            self._machine.answer(response)
            if not self._is_pumping:
                self._pump()

        return answer

    def _give_up(self) -> None:
        if self._is_waiting:
            self._is_waiting = False
            self._handler.on_given_up()

    # Out, and how fast.

    def _flush(self) -> None:
        if self._transport is None:
            return
        out = self._machine.data_to_send()
        if out:
            self._transport.write(out)

    def _acknowledge(self) -> None:
        if self._tcp is not None and QUICK is not None:
            self._tcp.setsockopt(socket.IPPROTO_TCP, QUICK, 1)

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()

    # Time. One timer per connection, set again when it fires.

    @property
    def _wait(self) -> float:
        return self._server.settings.wait.total_seconds()

    def _on_timer(self) -> None:
        left = self._active_at + self._wait - self._loop.time()
        if left <= 0:
            log.info("An MTA said nothing for too long: its connection was ended.")
            self._end()
        else:
            self._timer = self._loop.call_later(left, self._on_timer)
