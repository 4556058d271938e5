# SPDX-License-Identifier: Apache-2.0
"""Twenty sessions that hand in mail which is held, each mail another one."""

import asyncio
import itertools
import time
from collections.abc import Iterator

SHOWN = 8
"""Outsiders that each mail shows to each other: above the limit of five."""

_LINE = b"The rates of the personal budget change on the first of May, as follows.\r\n"


def mails(sender: str, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Envelope commands and content of one sender's mails, no two to the same people.

    ``size`` is that of the content in bytes, to within a line.
    """
    for number in itertools.count():
        people = [f"p{number}x{one}@{sender}{one}.example" for one in range(SHOWN)]
        commands = "".join(
            [
                f"MAIL FROM:<{sender}@council.example>\r\n",
                *(f"RCPT TO:<{person}>\r\n" for person in people),
                "DATA\r\n",
            ]
        )
        head = (
            f"From: {sender}@council.example\r\nTo: {', '.join(people[:4])},\r\n"
            f" {', '.join(people[4:])}\r\nSubject: Rates, letter {number}\r\n"
            f"Message-ID: <{sender}{number}@council.example>\r\n\r\n"
        ).encode()
        body = _LINE * max(1, (size - len(head)) // len(_LINE))
        yield commands.encode(), head + body + b".\r\n"


async def _reply(reader: asyncio.StreamReader) -> bytes:
    while True:
        line = await reader.readline()
        if line[3:4] != b"-":
            return line


async def _session(port: int, sender: str, size: int, until: float) -> int:
    """Hand in mail until the time is over; how many were acknowledged.

    Raises RuntimeError for a reply that says they were not held.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _reply(reader)
    writer.write(b"EHLO client.council.example\r\n")
    await _reply(reader)
    acknowledged = 0
    for commands, content in mails(sender, size):
        writer.write(commands)
        for _ in range(SHOWN + 1):
            await _reply(reader)
        reply = await _reply(reader)
        if not reply.startswith(b"354"):
            raise RuntimeError(f"DATA was refused: {reply[:60]!r}")
        writer.write(content)
        reply = await _reply(reader)
        if not reply.startswith(b"250 2.0.0 Held"):
            raise RuntimeError(f"not held: {reply[:40]!r}")
        acknowledged += 1
        if time.monotonic() > until:
            break
    writer.write(b"QUIT\r\n")
    writer.close()
    return acknowledged


async def _sessions(port: int, size: int, sessions: int, seconds: float) -> float:
    began = time.monotonic()
    counts = await asyncio.gather(
        *(
            _session(port, f"s{number}-{size}", size, began + seconds)
            for number in range(sessions)
        )
    )
    return sum(counts) / (time.monotonic() - began)


def held_per_second(port: int, *, size: int, sessions: int, seconds: float) -> float:
    """How many mails of this size the guard acknowledges as held each second."""
    return asyncio.run(_sessions(port, size, sessions, seconds))
