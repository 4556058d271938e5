# SPDX-License-Identifier: Apache-2.0
"""Kept connections to the next hop, for as long as a campaign is being sent."""

from collections.abc import Awaitable, Callable

from undisclosed.transport.smtp.client import ClientConnection
from undisclosed.transport.smtp.errors import HopAway

Connect = Callable[[], Awaitable[ClientConnection]]


FEW = 4
"""Connections that are enough for a next hop that answers at once."""


class Connections:
    """At most ``most`` connections; one that was lost is made anew when it is needed.

    ``connect`` raises HopAway. What is given back is used again. ``wanted`` is how
    many are useful, as far as is known: few, unless the next hop takes its time.
    ``rate`` is how many messages they carried in a second, lately.
    """

    def __init__(self, connect: Connect, most: int) -> None:
        self.most = most
        self.wanted = min(FEW, most)
        self.rate = 0.0
        self._connect = connect
        self._idle: list[ClientConnection] = []

    async def take(self) -> ClientConnection | None:
        """A connection that is ready for MAIL; None where the next hop is away."""
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        try:
            return await self._connect()
        except HopAway:
            return None

    def want_more(self) -> None:
        """Twice as many are useful, up to ``most``."""
        self.wanted = min(2 * self.wanted, self.most)

    def want_less(self) -> None:
        """Half as many will do, until it shows that they do not."""
        self.wanted = max(self.wanted // 2, min(FEW, self.most))

    def give_back(self, connection: ClientConnection) -> None:
        """Keep it for the next messages."""
        if connection.is_open:
            self._idle.append(connection)

    def close(self) -> None:
        """QUIT on all of them."""
        while self._idle:
            self._idle.pop().quit()
