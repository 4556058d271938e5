# SPDX-License-Identifier: Apache-2.0
"""The next hop: kept connections, and transactions passed on in step.

A client's MAIL and RCPT are passed on as they come, so each recipient gets the
next hop's own answer; the content follows only when ``Transaction.content`` is
called, which is after the verdict. Everything here is callbacks in one event
loop; ``Hop.send`` is for those who wait.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.client import (
    LOST,
    ClientConnection,
    ClientSettings,
    HopReply,
    connect,
)
from undisclosed.transport.smtp.commands import mail_line, rcpt_line, why_not_carried
from undisclosed.transport.smtp.errors import HopAway
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.replies import Reply

Ready = Callable[[ClientConnection | None], None]
Answer = Callable[[Reply], None]

_CLOSING = 421


@dataclass(frozen=True, slots=True)
class HopSettings:
    """Where the next hop is, and how many connections to it are kept.

    ``idle`` is how long an unused connection is kept; it is shorter than the five
    minutes after which servers close (RFC 5321 §4.5.3.2.7).
    """

    client: ClientSettings
    max_connections: int = 100
    idle: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class HopHealth:
    """Whether the next hop answered last time; None where it was never asked."""

    is_up: bool | None = None
    connections: int = 0
    idle: int = 0
    why: str = field(default="", repr=False)


class Hop:
    """Kept connections to the next hop. One per event loop."""

    def __init__(self, settings: HopSettings) -> None:
        self.extensions: Extensions | None = None
        self._settings = settings
        self._idle: deque[tuple[ClientConnection, float]] = deque()
        self._open = 0
        self._connecting = 0
        self._waiting: deque[Ready] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._is_up: bool | None = None
        self._why = ""
        self._is_closed = False

    @property
    def health(self) -> HopHealth:
        """What is known of the next hop."""
        return HopHealth(self._is_up, self._open, len(self._idle), self._why)

    def acquire(self, ready: Ready, *, fresh: bool = False) -> None:
        """Call back with a connection of one's own, at once where one is idle.

        Else with the first that is given back or made: a hop that serves ten clients
        at once lets the eleventh wait for its greeting, and must not stop us. None
        where the hop is away. ``fresh``: never a kept connection.
        """
        while self._idle and not fresh:
            connection, _ = self._idle.pop()
            if connection.is_open:
                connection.is_reused = True
                ready(connection)
                return
        if self._is_closed:
            ready(None)
        elif fresh and self._open < self._settings.max_connections:
            self._connect(ready)
        else:
            self._waiting.append(ready)
            self._connect_for_waiting()

    def release(self, connection: ClientConnection) -> None:
        """Give a connection back, ready for the next MAIL."""
        if not connection.is_open:
            return
        connection.is_reused = True
        self._hand_on(connection)

    def _hand_on(self, connection: ClientConnection) -> None:
        """To whoever waits longest, else to the idle ones."""
        if self._is_closed:
            connection.quit()
        elif self._waiting:
            self._waiting.popleft()(connection)
        else:
            now = asyncio.get_running_loop().time()
            self._idle.append((connection, now))
            self._arm()

    @asynccontextmanager
    async def session(self) -> AsyncIterator[ClientConnection]:
        """A connection for as long as the block lasts. Raises HopAway."""
        connection = await self._acquired(fresh=False)
        try:
            yield connection
        except BaseException:
            connection.abort()
            raise
        self.release(connection)

    async def send(self, envelope: Envelope, content: bytes) -> HopReply:
        """Send one mail object; the hop's replies. Raises HopAway (transient).

        A kept connection that turns out to be closed is replaced once, as long as
        the content cannot have been taken.
        """
        async with self.session() as connection:
            if not connection.is_reused:
                return await connection.send(envelope, content)
            if await self._is_alive(connection):
                return await connection.send(envelope, content)
        connection = await self._acquired(fresh=True)
        try:
            return await connection.send(envelope, content)
        finally:
            self.release(connection)

    async def probe(self) -> Extensions:
        """Connect if need be, and say what the hop offers. Raises HopAway."""
        async with self.session() as connection:
            return connection.extensions

    async def close(self) -> None:
        """QUIT on every idle connection; those in use end when they come back."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        while self._idle:
            self._idle.pop()[0].quit()
        while self._waiting:
            self._waiting.popleft()(None)
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.sleep(0)

    async def _acquired(self, *, fresh: bool) -> ClientConnection:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[ClientConnection | None] = loop.create_future()

        def ready(connection: ClientConnection | None) -> None:
            if not waiter.done():
                waiter.set_result(connection)
            elif connection is not None:
                self.release(connection)

        self.acquire(ready, fresh=fresh)
        connection = await waiter
        if connection is None:
            raise HopAway(why=self._why)
        return connection

    async def _is_alive(self, connection: ClientConnection) -> bool:
        patience = self._settings.client.timeouts.command
        try:
            return (await connection.ask(b"RSET\r\n", patience)).is_positive
        except HopAway:
            return False

    def _connect_for_waiting(self) -> None:
        """One more connection where more wait than connections are being made."""
        is_full = self._open >= self._settings.max_connections
        if self._connecting < len(self._waiting) and not is_full:
            self._connect(None)

    def _connect(self, ready: Ready | None) -> None:
        """Make a connection for one caller alone, or (None) for whoever waits."""
        self._open += 1
        self._connecting += 1
        task = asyncio.get_running_loop().create_task(self._connected(ready))
        # The loop keeps no strong reference to a task; the garbage collector would.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connected(self, ready: Ready | None) -> None:
        try:
            connection = await connect(self._settings.client)
        except BaseException as error:
            self._connecting -= 1
            self._not_connected(error, ready)
            if not isinstance(error, HopAway):
                raise
            return
        self._connecting -= 1
        self._is_up, self._why = True, ""
        self.extensions = connection.extensions
        if not connection.is_open:
            self._not_connected(HopAway(), ready)
            return
        connection.on_lost = self._on_lost
        if ready is not None:
            ready(connection)
        else:
            self._hand_on(connection)

    def _not_connected(self, error: BaseException, ready: Ready | None) -> None:
        self._open -= 1
        self._is_up = False
        self._why = str(error) if isinstance(error, HopAway) else ""
        if ready is not None:
            ready(None)
        # Where others are connected, one of theirs is given back some time.
        if self._open == self._connecting:
            while self._waiting:
                self._waiting.popleft()(None)

    def _on_lost(self, connection: ClientConnection) -> None:
        self._open -= 1
        self._idle = deque(kept for kept in self._idle if kept[0] is not connection)
        if not self._is_closed:
            self._connect_for_waiting()

    def _arm(self) -> None:
        if self._timer is None:
            wait = self._settings.idle.total_seconds()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(wait, self._close_idle)

    def _close_idle(self) -> None:
        self._timer = None
        since = asyncio.get_running_loop().time() - self._settings.idle.total_seconds()
        while self._idle and self._idle[0][1] <= since:
            self._idle.popleft()[0].quit()
        if self._idle:
            self._arm()


@dataclass(slots=True)
class _Step:
    """One MAIL or RCPT on its way: how to write it for a hop, and who waits."""

    write: Callable[[Extensions], bytes]
    answer: Answer


class Transaction:
    """One mail passed on in step: MAIL, RCPT… and, if it comes to that, content.

    A kept connection that was closed meanwhile is replaced once, unseen by the
    client, as long as the hop has answered nothing of this transaction.
    """

    def __init__(self, hop: Hop) -> None:
        self._hop = hop
        self._connection: ClientConnection | None = None
        self._is_over = False
        self._is_connecting = False
        self._has_replies = False
        self._was_retried = False
        self._parameters: tuple[str, ...] = ()
        self._steps: list[_Step] = []

    @property
    def is_open(self) -> bool:
        """Whether the hop still has this transaction open."""
        connection = self._connection
        return not self._is_over and connection is not None and connection.is_open

    @property
    def extensions(self) -> Extensions | None:
        """What the hop offered on this connection; None before there is one."""
        return self._connection.extensions if self._connection else None

    def mail(
        self, mail_from: Address | None, parameters: tuple[str, ...], answer: Answer
    ) -> None:
        """Pass MAIL on. 451 where the hop is away, 55x where it cannot carry it."""
        self._parameters = parameters
        self._step(partial(mail_line, mail_from, parameters), answer)

    def rcpt(self, recipient: Recipient, answer: Answer) -> None:
        """Pass RCPT on."""
        self._step(partial(rcpt_line, recipient), answer)

    def content(
        self, wire_content: bytes, answer: Callable[[Reply, bool], None]
    ) -> None:
        """Pass the content on (dots doubled, final dot included).

        The answer is the hop's reply, and whether the content may have been taken:
        no reply after the final dot counts as taken.
        """
        connection = self._connection
        if connection is None or not connection.is_open or self._is_over:
            self._is_over = True
            answer(replies.HOP_LOST, False)
            return
        was_sent = False

        def on_sent() -> None:
            nonlocal was_sent
            was_sent = True

        def on_reply(reply: Reply) -> None:
            if not self._is_over:
                self._is_over = True
                self._give_back(must_reset=not reply.is_positive)
            is_unknown = was_sent and reply in (LOST, replies.HOP_CONFUSED)
            answer(self._seen(reply), reply.is_positive or is_unknown)

        connection.content(wire_content, on_sent, on_reply)

    def reset(self) -> None:
        """Give the transaction up: RSET, or an end to it where that is too late."""
        if self._is_over:
            return
        self._is_over = True
        self._steps.clear()
        self._give_back(must_reset=True)

    def abandon(self) -> None:
        """Close the connection at once: nothing of the transaction may pass."""
        self._is_over = True
        self._steps.clear()
        if self._connection is not None:
            self._connection.abort()

    def _step(self, write: Callable[[Extensions], bytes], answer: Answer) -> None:
        step = _Step(write, answer)
        if self._is_over:
            answer(replies.HOP_LOST)
        elif self._connection is not None and not self._is_connecting:
            self._pass_on(step, self._connection)
        else:
            self._steps.append(step)
            self._acquire(fresh=False)

    def _acquire(self, *, fresh: bool) -> None:
        if not self._is_connecting:
            self._is_connecting = True
            self._hop.acquire(self._acquired, fresh=fresh)

    def _acquired(self, connection: ClientConnection | None) -> None:
        self._is_connecting = False
        steps, self._steps = self._steps, []
        if self._is_over:
            if connection is not None:
                self._hop.release(connection)
            return
        if connection is None:
            self._end(steps, replies.HOP_AWAY)
            return
        refusal = why_not_carried(self._parameters, connection.extensions)
        if refusal is not None:
            self._hop.release(connection)
            self._end(steps, refusal)
            return
        self._connection = connection
        for step in steps:
            self._pass_on(step, connection)

    def _end(self, steps: list[_Step], answer: Reply) -> None:
        self._is_over = True
        for step in steps:
            step.answer(answer)

    def _pass_on(self, step: _Step, connection: ClientConnection) -> None:
        line = step.write(connection.extensions)
        connection.mail(line, partial(self._on_reply, step, connection))

    def _on_reply(
        self, step: _Step, connection: ClientConnection, reply: Reply
    ) -> None:
        if self._is_over:
            step.answer(replies.HOP_LOST)
            return
        is_gone = reply.code == _CLOSING
        if is_gone and (self._is_connecting or self._may_retry(connection)):
            self._was_retried = True
            self._connection = None
            self._steps.append(step)
            self._acquire(fresh=True)
            return
        self._has_replies = True
        step.answer(self._seen(connection.expected(reply)))

    def _may_retry(self, connection: ClientConnection) -> bool:
        return connection.is_reused and not self._has_replies and not self._was_retried

    def _seen(self, reply: Reply) -> Reply:
        """The hop's reply as our client gets it: never 421, which would be ours."""
        if reply.code == _CLOSING:
            return replies.HOP_LOST
        return reply.with_status()

    def _give_back(self, *, must_reset: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is None or not connection.is_open:
            return
        if must_reset:
            connection.reset()
        self._hop.release(connection)
