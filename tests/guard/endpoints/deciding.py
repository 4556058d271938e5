# SPDX-License-Identifier: Apache-2.0
"""A guard between a client and a hop whose checkpoint decides by the subject."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar, cast

from undisclosed.core.mail import Mail
from undisclosed.core.verdict import Action, Finding, Removal, Verdict
from undisclosed.errors import TransientError
from undisclosed.guard.checkpoint import Checkpoint, Decision
from undisclosed.guard.endpoints.settings import SmtpSettings
from undisclosed.guard.endpoints.smtp import NOBODY, SmtpEndpoint
from undisclosed.guard.origin import Origin
from undisclosed.guard.ports import Authenticator
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.transport.smtp.client import ClientSettings, Timeouts
from undisclosed.transport.smtp.testing import FakeHop

Result = TypeVar("Result")

BRIEFLY = timedelta(seconds=0.3)
LONG = timedelta(seconds=30)
BEGIN = (
    b"EHLO client.test\r\nMAIL FROM:<sam@council.example>\r\n"
    b"RCPT TO:<ann@a.example>\r\n"
)


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; what takes over a minute hangs."""

    async def limited() -> Result:
        async with asyncio.timeout(60):
            return await coroutine

    return asyncio.run(limited())


@dataclass
class BySubject:
    """A checkpoint that does what the subject says, and remembers what it was asked.

    ``slow`` is waited for before anything is decided in a thread.
    """

    held: list[Mail] = field(default_factory=list)
    settled: list[bool] = field(default_factory=list)
    judged: list[Mail] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    is_spool_away: bool = False
    is_observed: bool = False
    slow: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.slow.set()

    def at_once(self, mail: Mail, origin: Origin) -> Decision | None:
        """Words of the subject: memory, break, away; else at once."""
        self.judged.append(mail)
        self.origins.append(origin)
        subject = _subject(mail)
        if "memory" in subject:
            return None
        if "break" in subject:
            raise RuntimeError("the judge broke over ann@a.example")
        return self._decision(mail, None)

    def decide(self, mail: Mail, origin: Origin) -> Decision:
        """What needs Memory."""
        self.slow.wait(20)
        if "away" in _subject(mail):
            raise TransientError("Memory is away.")
        return self._decision(mail, "place-1")

    def hold(self, mail: Mail, decision: Decision) -> str:
        """Keep it."""
        self.slow.wait(20)
        if self.is_spool_away:
            raise TransientError("The spool is away.")
        self.held.append(mail)
        return f"h{len(self.held)}"

    def settle(self, decision: Decision, shown: bool) -> None:
        """Remember it."""
        if decision.reservation is not None:
            self.settled.append(shown)

    def _decision(self, mail: Mail, reservation: str | None) -> Decision:
        subject = _subject(mail)
        action = Action.ACCEPT
        for wanted in (Action.HOLD, Action.REJECT, Action.SPLIT):
            if wanted.value in subject:
                action = wanted
        start = mail.content.find(b"Bcc:")
        end = mail.content.find(b"\r\n", start) + 2
        removals = (Removal("Bcc", start, end),) if start >= 0 else ()
        texts = ("37 people would see each other.", "A recall delivers it again.")
        findings = tuple(Finding("shown-outsiders", action, 37, text) for text in texts)
        verdict = Verdict(action, findings, removals)
        return Decision(verdict, None, reservation, "m1", b"digest", self.is_observed)


def _subject(mail: Mail) -> str:
    start = mail.content.find(b"Subject:")
    return mail.content[start : mail.content.find(b"\r\n", start)].decode()


class Counting:
    """Metrics that remember."""

    def __init__(self) -> None:
        self.counts: list[str] = []

    def accepted(self) -> None:
        self.counts.append("accepted")

    def held(self) -> None:
        self.counts.append("held")

    def rejected(self) -> None:
        self.counts.append("rejected")

    def refused(self, code: int) -> None:
        self.counts.append("refused")
        assert code >= 400

    def seconds(self, elapsed: float) -> None:
        assert elapsed >= 0


class Guarded:
    """The guard, its hop and its checkpoint, and a way to talk to it."""

    def __init__(
        self, endpoint: SmtpEndpoint, hop: FakeHop, checkpoint: BySubject
    ) -> None:
        self.endpoint = endpoint
        self.hop = hop
        self.checkpoint = checkpoint
        self.metrics = cast(Counting, endpoint.metrics)

    async def talk(self, *pieces: bytes) -> list[str]:
        """Say one piece after the other; the last line of each reply at the end.

        The next piece is said when everything said before is answered.
        """
        client = await self.client()
        heard = []
        for piece in pieces:
            heard += await client.say(piece)
        client.close()
        return heard

    async def client(self) -> "Client":
        """A client that has heard the greeting."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.endpoint.port)
        client = Client(reader, writer)
        await client.reply()
        return client


class Client:
    """Says what it is told to, whatever RFC 5321 thinks of it."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self.writer = writer

    async def say(self, piece: bytes, count: int | None = None) -> list[str]:
        """Send, and read as many replies as there are commands (or ``count``)."""
        self.writer.write(piece)
        is_content = piece.endswith(b"\r\n.\r\n") or piece == b".\r\n"
        expected = 1 if is_content else piece.count(b"\r\n")
        wanted = expected if count is None else count
        return [await self.reply() for _ in range(wanted)]

    async def reply(self) -> str:
        """One whole reply: its code and all its lines."""
        lines: list[str] = []
        while True:
            line = (await self._reader.readline()).decode().rstrip()
            lines.append(line if not lines else line[4:])
            if not line or line[3:4] != "-":
                return "\n".join(lines)

    def close(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()


def message(subject: str, *fields: str, body: str = "Text") -> bytes:
    """A message and its final dot."""
    lines = [f"Subject: {subject}", *fields, "", body, ".", ""]
    return "\r\n".join(lines).encode()


@asynccontextmanager
async def guarded(
    hop: FakeHop | None = None,
    settings: SmtpSettings | None = None,
    checkpoint: BySubject | None = None,
    max_connections: int = 100,
    patience: timedelta = LONG,
    authenticator: Authenticator = NOBODY,
    client: ClientSettings | None = None,
) -> AsyncIterator[Guarded]:
    """A guard that is serving, in front of a fake hop."""
    hop = hop or FakeHop()
    checkpoint = checkpoint or BySubject()
    if not hop.port:
        await hop.start()
    timeouts = Timeouts(*(patience for _ in range(5)))
    there = ClientSettings("127.0.0.1", hop.port, "guard.test", timeouts=timeouts)
    there = replace(client, port=hop.port) if client else there
    endpoint = SmtpEndpoint(
        cast(Checkpoint, checkpoint),
        lambda: Hop(HopSettings(there, max_connections)),
        settings or SmtpSettings(hostname="guard.test", grace=timedelta(seconds=1)),
        Counting(),
        authenticator=authenticator,
    )
    await endpoint.serve(port=0)
    try:
        yield Guarded(endpoint, hop, checkpoint)
    finally:
        await endpoint.close()
        await hop.stop()
