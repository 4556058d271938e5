# SPDX-License-Identifier: Apache-2.0
"""What servers share: those who are connected, the closing, the port."""

import asyncio
from datetime import timedelta

import pytest

from undisclosed.transport.listening import (
    PortInUse,
    PortRefused,
    Sessions,
    listen,
    port_of,
)


class Visitor:
    """A session that leaves when it is asked to, or only when it is sent away."""

    def __init__(self, sessions: "Sessions[Visitor]", *, is_willing: bool) -> None:
        self.sessions, self.is_willing = sessions, is_willing
        self.was_ended = False
        sessions.add(self)

    def shut_down(self) -> None:
        """Leave a little later."""
        if self.is_willing:
            asyncio.get_running_loop().call_soon(self.sessions.discard, self)

    def end(self) -> None:
        """Leave now."""
        self.was_ended = True
        self.sessions.discard(self)


def test_closing_waits_for_who_leaves_and_ends_nobody_of_them() -> None:
    async def scene() -> list[bool]:
        sessions = Sessions[Visitor]()
        visitors = [Visitor(sessions, is_willing=True) for _ in range(3)]

        await sessions.close(timedelta(seconds=30), Visitor.end)

        assert len(sessions) == 0
        return [visitor.was_ended for visitor in visitors]

    assert asyncio.run(scene()) == [False, False, False]


def test_who_does_not_leave_within_the_grace_time_is_ended() -> None:
    async def scene() -> list[bool]:
        sessions = Sessions[Visitor]()
        visitors = [Visitor(sessions, is_willing=number > 0) for number in range(3)]

        await sessions.close(timedelta(milliseconds=50), Visitor.end)

        assert visitors[0] not in sessions
        return [visitor.was_ended for visitor in visitors]

    assert asyncio.run(scene()) == [True, False, False]


def test_nobody_is_connected_so_closing_is_done_at_once() -> None:
    async def scene() -> bool:
        sessions = Sessions[Visitor]()
        assert not sessions.is_closing
        await sessions.close(timedelta(seconds=30), Visitor.end)
        return sessions.is_closing

    assert asyncio.run(scene())


def test_a_port_is_listened_on_once_and_named() -> None:
    async def scene() -> None:
        server = await listen(asyncio.Protocol, "127.0.0.1", 0)
        async with server:
            port = port_of(server)
            assert port > 0
            with pytest.raises(PortInUse, match=f"port={port}"):
                await listen(asyncio.Protocol, "127.0.0.1", port)

    asyncio.run(scene())


def test_a_host_that_is_not_ours_or_not_known_is_refused_with_a_reason() -> None:
    async def scene(host: str) -> None:
        with pytest.raises(PortRefused, match=r"why=.+"):
            await listen(asyncio.Protocol, host, 0)

    asyncio.run(scene("192.0.2.1"))
    asyncio.run(scene("nowhere.invalid"))


def test_what_does_not_listen_has_no_port() -> None:
    async def scene() -> None:
        server = await listen(asyncio.Protocol, "127.0.0.1", 0)
        server.close()
        with pytest.raises(PortRefused):
            port_of(server)

    with pytest.raises(PortRefused):
        port_of(None)
    asyncio.run(scene())
