# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.milters NAME PATH``: one milter in a process of its own.

``guard`` is the milter endpoint with a checkpoint without a database, so that
only the path of accepted mail is measured. ``nothing`` is the same
milter with nobody behind it who reads a mail.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path

from bench.relays import checkpoint, told_to_end
from undisclosed.guard.endpoints.milter import MilterEndpoint, MilterSettings
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.transport.milter.events import Message, MessageRefused
from undisclosed.transport.milter.handler import Answer
from undisclosed.transport.milter.responses import ACCEPTED
from undisclosed.transport.milter.server import MilterServer
from undisclosed.transport.milter.settings import MilterServerSettings, UnixSocket

with suppress(ImportError):
    import uvloop

MODE = 0o666
"""Postfix connects as a user of its own."""


async def guard(path: Path) -> None:
    """Our endpoint, until the process is told to end."""
    metrics = GuardMetrics()
    settings = MilterSettings(UnixSocket(path, MODE))
    endpoint = MilterEndpoint(checkpoint(metrics), settings, metrics)
    await endpoint.serve()
    await told_to_end()
    await endpoint.close()


class Nothing:
    """Receives every mail, and accepts it."""

    def on_message(self, message: Message, answer: Answer) -> None:
        """A mail, its body included."""
        answer(ACCEPTED)

    def on_refused(self, refused: MessageRefused, answer: Answer) -> None:
        """A mail that cannot be judged."""
        answer(ACCEPTED)

    def on_given_up(self) -> None:
        """Nothing is under way."""


async def nothing(path: Path) -> None:
    """The bound, until the process is told to end."""
    server = MilterServer(Nothing, MilterServerSettings())
    await server.start(UnixSocket(path, MODE))
    await told_to_end()
    await server.close()


MILTERS: dict[str, Callable[[Path], Coroutine[None, None, None]]] = {
    "guard": guard,
    "nothing": nothing,
}


def main() -> None:
    """Run the milter that the command line names."""
    name, path = sys.argv[1:]
    running = MILTERS[name](Path(path))
    if "uvloop" in globals():
        uvloop.run(running)
    else:
        asyncio.run(running)


if __name__ == "__main__":
    main()
