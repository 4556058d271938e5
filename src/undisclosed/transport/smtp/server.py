# SPDX-License-Identifier: Apache-2.0
"""An SMTP server on asyncio: sockets, time and TLS around ``ServerProtocol``.

Callbacks only: one message costs no task. What must run as one (the TLS
handshake) is kept by a strong reference, since the loop itself keeps none and
the garbage collector would end it without a word.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from undisclosed.transport.listening import Sessions, listen, port_of
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.handler import Handler
from undisclosed.transport.smtp.replies import Reply
from undisclosed.transport.smtp.session import ServerSession
from undisclosed.transport.smtp.settings import ServerSettings, is_listed


class SmtpServer:
    """Listens on one port and gives every client a session with its handler."""

    def __init__(
        self, handler_factory: Callable[[], Handler], settings: ServerSettings
    ) -> None:
        self.settings = settings
        self._handler_factory = handler_factory
        self._server: asyncio.Server | None = None
        self._sessions = Sessions[ServerSession]()
        self._per_client: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int, *, reuse_port: bool = False) -> None:
        """Listen. With ``reuse_port`` other processes may serve the same port.

        Raises PortInUse or PortRefused.
        """
        self._server = await listen(self._session, host, port, reuse_port=reuse_port)

    @property
    def port(self) -> int:
        """The port that it listens on (asked for as 0: any free one)."""
        return port_of(self._server)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._sessions)

    @property
    def sessions(self) -> frozenset[ServerSession]:
        """Everyone who is connected."""
        return frozenset(self._sessions)

    async def close(self, grace: timedelta = timedelta(seconds=30)) -> None:
        """Stop accepting; let open transactions end within the grace time; then 421."""
        if self._server is not None:
            self._server.close()
        await self._sessions.close(grace, lambda one: one.end(replies.SHUTTING_DOWN))
        for task in tuple(self._tasks):
            task.cancel()

    def _session(self) -> ServerSession:
        return ServerSession(self, self._handler_factory)

    # What sessions call.

    def admit(self, session: ServerSession, peer: str) -> Reply | None:
        """Count a new connection; the reply that turns it away, or None."""
        self._sessions.add(session)
        self._per_client[peer] += 1
        if not (self.settings.strangers or is_listed(peer, self.settings.clients)):
            return replies.NOT_YOURS
        if (
            len(self._sessions) > self.settings.max_connections
            or self._per_client[peer] > self.settings.max_connections_per_client
        ):
            return replies.TOO_MANY_CONNECTIONS
        return replies.SHUTTING_DOWN if self._sessions.is_closing else None

    def forget(self, session: ServerSession, peer: str) -> None:
        """A connection is gone."""
        if session not in self._sessions:
            return
        self._sessions.discard(session)
        self._per_client[peer] -= 1
        if not self._per_client[peer]:
            del self._per_client[peer]

    def keep(self, task: asyncio.Task[None]) -> None:
        """Hold on to a task until it is done."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
