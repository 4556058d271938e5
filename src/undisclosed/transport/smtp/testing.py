# SPDX-License-Identifier: Apache-2.0
"""A next hop for tests: takes mail, and misbehaves as it is told to.

It shares no code with the server of this package, so that a mistake there does
not hide here.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Self, cast

EVERYTHING = (
    "PIPELINING",
    "SIZE 0",
    "8BITMIME",
    "SMTPUTF8",
    "DSN",
    "ENHANCEDSTATUSCODES",
)
"""What a modern hop offers in its reply to EHLO."""


class Fault(Enum):
    """What a hop does instead of answering."""

    SILENCE = "silence"
    CLOSE = "close"


Scripted = str | Fault


@dataclass
class Script:
    """What the hop says; a Fault stands for no answer at all.

    ``rcpts`` is keyed by local part; who is not in it is taken. ``content`` is
    done when the first piece of the content has come, ``final`` after the dot.
    """

    greeting: Scripted = "220 hop.test ESMTP"
    ehlo: Scripted | None = None
    mail: Scripted = "250 2.1.0 OK"
    rcpts: Mapping[str, Scripted] = field(default_factory=dict)
    data: Scripted = "354 Go on"
    content: Fault | None = None
    final: Scripted = "250 2.0.0 Taken by hop.test"
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Taken:
    """One mail that the hop took: the commands as they came, the content undone."""

    mail: bytes = field(repr=False)
    rcpts: tuple[bytes, ...] = field(repr=False)
    content: bytes = field(repr=False)


class FakeHop:
    """A server on a free port of loopback that remembers all it was given.

    ``violations`` names what a client did that RFC 5321 or 2920 forbids it.
    """

    def __init__(
        self, offers: tuple[str, ...] = EVERYTHING, script: Script | None = None
    ) -> None:
        self.offers = offers
        self.script = script or Script()
        self.taken: list[Taken] = []
        self.commands: list[bytes] = []
        self.violations: list[str] = []
        self.connections = 0
        self.port = 0
        self.sessions: set[FakeHopSession] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen; on the same port as before where it was stopped."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: FakeHopSession(self), "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Cut every connection, and go on listening."""
        for session in tuple(self.sessions):
            session.cut()

    def verbs(self) -> list[str]:
        """The commands in the order in which they came, without arguments."""
        return [line[:4].decode().strip().upper() for line in self.commands]


class FakeHopSession(asyncio.Protocol):
    """One connection to the fake hop, read line by line."""

    def __init__(self, hop: FakeHop) -> None:
        self._hop = hop
        self._script = hop.script
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._is_busy = False
        self._is_closing = False
        self._mail = b""
        self._rcpts: list[bytes] = []
        self._lines: list[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet as scripted."""
        self._transport = cast(asyncio.Transport, transport)
        self._hop.sessions.add(self)
        self._hop.connections += 1
        self._say(self._script.greeting)

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone."""
        self._hop.sessions.discard(self)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take lines one by one."""
        if self._is_closing:
            self.cut()
            return
        self._buffer += data
        self._read()

    def cut(self) -> None:
        """Close without a word."""
        if self._transport is not None:
            self._transport.abort()

    def close_at_next_command(self) -> None:
        """Be closed already, unseen until the client writes again."""
        self._is_closing = True

    def _read(self) -> None:
        while b"\n" in self._buffer and not self._is_busy:
            line, _, self._buffer = self._buffer.partition(b"\n")
            if not line.endswith(b"\r"):
                self._hop.violations.append("a line without CR LF")
            if self._lines is None:
                self._command(line.rstrip(b"\r"))
            else:
                self._content(line.rstrip(b"\r"), self._lines)

    def _command(self, line: bytes) -> None:
        self._hop.commands.append(line)
        if self._buffer and "PIPELINING" not in self._hop.offers:
            self._hop.violations.append("sent ahead without PIPELINING")
        verb = line[:4].upper()
        if self._buffer and verb in (b"EHLO", b"DATA", b"QUIT"):
            self._hop.violations.append("sent behind a command that ends a group")
        match verb:
            case b"EHLO":
                self._say(self._ehlo())
            case b"MAIL":
                self._mail, self._rcpts = line, []
                self._say(self._script.mail)
            case b"RCPT":
                self._rcpt(line)
            case b"DATA":
                if str(self._script.data).startswith("354"):
                    self._lines = []
                self._say(self._script.data)
            case b"QUIT":
                self._say("221 2.0.0 Bye")
                if self._transport is not None:
                    self._transport.close()
            case _:
                self._say("250 2.0.0 OK")

    def _ehlo(self) -> Scripted:
        if self._script.ehlo is not None:
            return self._script.ehlo
        lines = ["hop.test", *self._hop.offers]
        head = "".join(f"250-{line}\r\n" for line in lines[:-1])
        return f"{head}250 {lines[-1]}"

    def _rcpt(self, line: bytes) -> None:
        local_part = line.partition(b"<")[2].partition(b"@")[0].decode()
        scripted = self._script.rcpts.get(local_part, "250 2.1.5 OK")
        if str(scripted).startswith("2"):
            self._rcpts.append(line)
        self._say(scripted)

    def _content(self, line: bytes, lines: list[bytes]) -> None:
        if self._script.content is Fault.CLOSE:
            self.cut()
        if line != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
            return
        content = b"".join(line + b"\r\n" for line in lines)
        self._lines = None
        if str(self._script.final).startswith("2"):
            self._hop.taken.append(Taken(self._mail, tuple(self._rcpts), content))
        self._say(self._script.final)

    def _say(self, scripted: Scripted) -> None:
        if scripted is Fault.CLOSE:
            self.cut()
        elif scripted is Fault.SILENCE:
            self._is_busy = True
        elif isinstance(scripted, str):
            if self._script.delay:
                self._is_busy = True
                loop = asyncio.get_running_loop()
                loop.call_later(self._script.delay, self._later, scripted)
            else:
                self._write(scripted)

    def _later(self, line: str) -> None:
        self._is_busy = False
        self._write(line)
        self._read()

    def _write(self, line: str) -> None:
        if self._transport is not None:
            self._transport.write(f"{line}\r\n".encode())
