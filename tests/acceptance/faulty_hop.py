# SPDX-License-Identifier: Apache-2.0
"""A next hop that fails at one recipient's copy, at the step that a test names.

It shares no code with the product and offers no pipelining: each step has its answer.
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from enum import Enum


class Step(Enum):
    """Where in the transaction of a copy it happens."""

    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "in the content"
    DOT = "at the final dot"
    TAKEN = "when it was taken"


class Deed(Enum):
    """What the hop does instead of answering as it should."""

    LATER = "451"
    NEVER = "550"
    SILENCE = "silence"
    CLOSE = "closing"


@dataclass
class FaultyHop:
    """Takes every copy, but ``times`` times does the deed at the step of one.

    ``taken`` are the recipients of what it took on, in order; a mail that it took
    and did not acknowledge is among them.
    """

    victim: str
    step: Step
    deed: Deed
    times: int = 1
    taken: list[str] = field(default_factory=list)
    port: int = 0

    async def __aenter__(self) -> "FaultyHop":
        self._tasks: set[asyncio.Task[None]] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError):
                await self._converse(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _converse(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"220 faulty.test\r\n")
        recipient = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"RCPT":
                found = re.search(rb"<([^@>]*)", line)
                recipient = found[1].decode() if found else ""
            if verb == b"QUIT":
                return
            if verb == b"DATA":
                if not await self._data(reader, writer, recipient):
                    return
            elif verb != b"RCPT" or not await self._failed(
                writer, recipient, Step.RCPT
            ):
                writer.write(b"250 OK\r\n")
            if writer.is_closing():
                return

    async def _data(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: str
    ) -> bool:
        """The content of one mail; False where the connection has ended."""
        if await self._failed(writer, to, Step.DATA):
            return True
        writer.write(b"354 Go on\r\n")
        lines = 0
        while (line := await reader.readline()) != b".\r\n":
            lines += 1
            if not line or (
                lines == 3 and await self._failed(writer, to, Step.CONTENT)
            ):
                return False
        if await self._failed(writer, to, Step.DOT):
            return True
        self.taken.append(to)
        if not await self._failed(writer, to, Step.TAKEN):
            writer.write(b"250 2.0.0 Taken\r\n")
        return True

    async def _failed(
        self, writer: asyncio.StreamWriter, recipient: str, step: Step
    ) -> bool:
        """Do the deed where it is its place and time."""
        if (recipient, step) != (self.victim, self.step) or not self.times:
            return False
        self.times -= 1
        match self.deed:
            case Deed.SILENCE:
                await asyncio.sleep(600)
            case Deed.CLOSE:
                writer.transport.abort()
            case _:
                status = "4.2.0" if self.deed is Deed.LATER else "5.1.1"
                writer.write(f"{self.deed.value} {status} No\r\n".encode())
        return True
