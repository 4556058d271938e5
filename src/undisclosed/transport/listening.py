# SPDX-License-Identifier: Apache-2.0
"""What every server of ours has: a port, those who are connected, and its closing."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Generic, Protocol, TypeVar

from undisclosed.errors import UndisclosedError

BACKLOG = 1024
"""Connections that wait to be accepted."""


class PortInUse(UndisclosedError):
    """Another program already listens on this port."""


class PortRefused(UndisclosedError):
    """This address or port cannot be listened on."""


class Session(Protocol):
    """One connection, as the server that it belongs to sees it."""

    def shut_down(self) -> None:
        """End as soon as nothing is on its way."""


AnySession = TypeVar("AnySession", bound=Session)


class Sessions(Generic[AnySession]):
    """Everyone who is connected to one server, until the last one has gone."""

    def __init__(self) -> None:
        self._sessions: set[AnySession] = set()
        self._emptied: asyncio.Event | None = None

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[AnySession]:
        return iter(tuple(self._sessions))

    def __contains__(self, session: AnySession) -> bool:
        return session in self._sessions

    @property
    def is_closing(self) -> bool:
        """Whether nobody is let in any more."""
        return self._emptied is not None

    def add(self, session: AnySession) -> None:
        """One more is connected."""
        self._sessions.add(session)

    def discard(self, session: AnySession) -> None:
        """One is gone."""
        self._sessions.discard(session)
        if self._emptied is not None and not self._sessions:
            self._emptied.set()

    async def close(self, grace: timedelta, end: Callable[[AnySession], None]) -> None:
        """Let what is on its way come to its end within the grace time; end the rest.

        Returns once nobody is connected, or everybody left was told to end.
        """
        self._emptied = asyncio.Event()
        for session in self:
            session.shut_down()
        try:
            async with asyncio.timeout(grace.total_seconds()):
                await self._until_empty(self._emptied)
        except TimeoutError:
            for session in self:
                end(session)
            await asyncio.sleep(0)

    async def _until_empty(self, emptied: asyncio.Event) -> None:
        while self._sessions:
            emptied.clear()
            await emptied.wait()


async def listen(
    session: Callable[[], asyncio.Protocol],
    host: str,
    port: int,
    *,
    reuse_port: bool = False,
) -> asyncio.Server:
    """Listen on a TCP port. With ``reuse_port`` other processes may serve the same.

    Raises PortInUse or PortRefused.
    """
    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(
            session, host, port, reuse_port=reuse_port or None, backlog=BACKLOG
        )
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host=host, port=port) from None
        # Below nought are the resolver's own errors, which have a sentence.
        number = error.errno or 0
        why = os.strerror(number) if number > 0 else error.strerror
        raise PortRefused(host=host, port=port, why=why) from None


def port_of(server: asyncio.Server | None) -> int:
    """The port that a server listens on (asked for as 0: any free one).

    Raises PortRefused where it does not listen.
    """
    if server is None or not server.sockets:
        raise PortRefused("The server is not listening.")
    return int(server.sockets[0].getsockname()[1])
