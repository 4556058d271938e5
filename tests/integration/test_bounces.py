# SPDX-License-Identifier: Apache-2.0
"""Reports come in through a real Postfix, set up as the how-to says."""

import asyncio
import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.installation import free_port, until
from tests.integration import postfix
from tests.send.test_returns import dsn, return_path, returns_of, row_of, sent_to
from undisclosed.core.campaign import DeliveryState
from undisclosed.send.return_listener import ReturnListener
from undisclosed.transport.smtp.settings import ServerSettings

HOW_TO = Path(__file__).parents[2] / "docs" / "howto" / "bounces.md"
DOCUMENTED, OURS = "bounces.council.example", "bounces.c.test"

pytestmark = pytest.mark.skipif(
    postfix.missing() is not None, reason=str(postfix.missing())
)


class ReturningPostfix(postfix.Postfix):
    """A Postfix that is the MX of the return domain."""

    def documented(self, guard: int, back: int) -> tuple[str, str]:
        """The lines of the how-to, with the listener's port and the tests' domain."""
        section = HOW_TO.read_text().partition("In Postfix'")[2]
        lines = section.split("\n```\n")[1]
        return f"{lines}\n".replace(":10030", f":{guard}").replace(DOCUMENTED, OURS), ""


@contextmanager
def listening() -> Iterator[int]:
    """The listener, in a thread of its own; its port."""
    ready, ports = threading.Event(), list[int]()
    loops: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        listener, over = ReturnListener(returns_of(), ServerSettings()), asyncio.Event()
        await listener.start("127.0.0.1", 0)
        ports.append(listener.port)
        loops.append((asyncio.get_running_loop(), over))
        ready.set()
        await over.wait()
        await listener.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(30)
    try:
        yield ports[0]
    finally:
        loop, over = loops[0]
        loop.call_soon_threadsafe(over.set)
        thread.join(30)


def hand_in(port: int, recipient: str) -> tuple[int, int | None]:
    """Hand in a report from outside; the replies to RCPT and to the final dot."""
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as client:
        client.ehlo()
        client.mail("")
        code, _ = client.rcpt(recipient)
        return code, client.data(dsn(1))[0] if code == 250 else None


@pytest.mark.timeout(180)
def test_postfix_hands_over_what_was_made_and_refuses_the_rest(
    database: object,
) -> None:
    campaign = sent_to(1)
    path = return_path(campaign, 1).spelled_out()

    with (
        listening() as port,
        ReturningPostfix(port, free_port(), free_port()) as running,
    ):
        made = hand_in(running.front, path)
        made_up = hand_in(running.front, f"b-{26 * 'a'}@{OURS}")
        until(running.is_empty, "all was handed over", 60)
        log = running.log()

    assert made == (250, 250)
    assert made_up == (550, None), log
    assert row_of(campaign, 1).state is DeliveryState.FAILED
