# SPDX-License-Identifier: Apache-2.0
"""``python bench/slow_sink.py PORT MILLISECONDS``: a server that thinks before replies.

Each reply comes so many milliseconds after its turn, one after the other on each
connection, as from a next hop that is busy or far away. It offers PIPELINING, takes
everything and keeps nothing. It imports nothing of ours.
"""

import asyncio
import sys
from contextlib import suppress
from typing import cast

with suppress(ImportError):
    import uvloop

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

OFFERS = b"250-slow.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
END = b"\r\n.\r\n"


class SlowSink(asyncio.Protocol):
    """One connection."""

    def __init__(self, wait: float) -> None:
        self.wait = wait
        self.loop = asyncio.get_running_loop()
        self.free_at = 0.0
        self.received = b""
        self.in_content = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self.transport = cast(asyncio.Transport, transport)
        self.reply(b"220 slow.test\r\n")

    def data_received(self, data: bytes) -> None:
        """Commands, or content."""
        self.received += data
        while self.step():
            pass

    def step(self) -> bool:
        """Take one command, or a whole content; whether there was one."""
        mark = END if self.in_content else b"\r\n"
        first, found, rest = self.received.partition(mark)
        if not found:
            return False
        self.received = rest
        if self.in_content:
            self.in_content = False
            self.reply(b"250 2.0.0 Taken\r\n")
            return True
        verb = first[:4].upper()
        if verb == b"DATA":
            self.in_content = True
            self.reply(b"354 Go on\r\n")
        elif verb == b"QUIT":
            self.reply(b"221 2.0.0 Bye\r\n")
            self.loop.call_at(self.free_at + 0.001, self.transport.close)
        else:
            self.reply(OFFERS if verb == b"EHLO" else b"250 2.0.0 OK\r\n")
        return True

    def reply(self, line: bytes) -> None:
        """Send a reply in its turn."""
        self.free_at = max(self.free_at, self.loop.time()) + self.wait
        self.loop.call_at(self.free_at, self.write, line)

    def write(self, line: bytes) -> None:
        """Write it, unless the client went away meanwhile."""
        if not self.transport.is_closing():
            self.transport.write(line)


async def main(port: int, milliseconds: float) -> None:
    """Listen on loopback until somebody ends the process."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SlowSink(milliseconds / 1000), "127.0.0.1", port, backlog=500
    )
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
