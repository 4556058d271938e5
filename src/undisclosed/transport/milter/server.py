# SPDX-License-Identifier: Apache-2.0
"""A milter on asyncio: sockets and time around ``MilterProtocol``.

Callbacks only: one mail costs no task.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from undisclosed.transport.listening import PortRefused, Sessions, listen, port_of
from undisclosed.transport.milter import socket_file
from undisclosed.transport.milter.handler import Handler
from undisclosed.transport.milter.session import MilterSession
from undisclosed.transport.milter.settings import (
    Listening,
    MilterServerSettings,
    TcpSocket,
    UnixSocket,
)
from undisclosed.transport.smtp.settings import is_listed


class MilterServer:
    """Listens for MTAs and gives each connection a session with its handler."""

    def __init__(
        self, handler_factory: Callable[[], Handler], settings: MilterServerSettings
    ) -> None:
        self.settings = settings
        self._handler_factory = handler_factory
        self._server: asyncio.Server | None = None
        self._file: tuple[UnixSocket, int] | None = None
        self._sessions = Sessions[MilterSession]()

    async def start(self, where: Listening, *, reuse_port: bool = False) -> None:
        """Listen. With ``reuse_port`` other processes may serve the same TCP port.

        Raises PortInUse, PortRefused, SocketInUse or SocketRefused.
        """
        if isinstance(where, TcpSocket):
            self._server = await listen(
                self._session, where.host, where.port, reuse_port=reuse_port
            )
            return
        listening = socket_file.listen(where)
        self._file = where, where.path.lstat().st_ino
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(self._session, sock=listening)

    @property
    def port(self) -> int:
        """The TCP port that it listens on (asked for as 0: any free one)."""
        if self._file is not None:
            raise PortRefused("The milter is not listening on a port.")
        return port_of(self._server)

    @property
    def connections(self) -> int:
        """How many MTAs are connected."""
        return len(self._sessions)

    async def close(self, grace: timedelta = timedelta(seconds=30)) -> None:
        """Stop accepting; let mail that is on its way be answered; then end."""
        if self._file is not None:
            where, inode = self._file
            socket_file.remove(where.path, inode)
        if self._server is not None:
            self._server.close()
        await self._sessions.close(grace, MilterSession.end)

    def _session(self) -> MilterSession:
        return MilterSession(self, self._handler_factory)

    # What sessions call.

    def admit(self, session: MilterSession, peer: str | None) -> bool:
        """Count a new connection; whether it may stay."""
        self._sessions.add(session)
        if peer is not None and not is_listed(peer, self.settings.clients):
            return False
        is_full = len(self._sessions) > self.settings.max_connections
        return not is_full and not self._sessions.is_closing

    def forget(self, session: MilterSession) -> None:
        """A connection is gone."""
        self._sessions.discard(session)
