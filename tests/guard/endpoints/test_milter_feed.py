# SPDX-License-Identifier: Apache-2.0
"""The record-only milter: it records, and whatever happens the mail passes."""

import asyncio
import threading
from datetime import timedelta

import pytest

from tests.guard.endpoints.deciding import run
from undisclosed.core.mail import Mail
from undisclosed.guard.endpoints.milter import MilterSettings
from undisclosed.guard.endpoints.milter_feed import MilterFeed
from undisclosed.guard.origin import Origin
from undisclosed.transport.milter.settings import TcpSocket
from undisclosed.transport.milter.testing import Answered, FakeMta, Letter

LETTER = Letter(
    mail=(b"<ann@a.example>",),
    rcpts=((b"<sam@council.example>",),),
    fields=((b"Cc", b" bob@b.example"), (b"Bcc", b" eve@e.example")),
)
UNREADABLE = Letter(rcpts=((b"<sam@",),))
PATIENCE = timedelta(seconds=0.1)


class Recorder:
    """A feed that keeps what it is given, slowly or not at all where it is told to."""

    def __init__(self) -> None:
        self.recorded: list[tuple[Mail, Origin]] = []
        self.slow = threading.Event()
        self.slow.set()
        self.is_broken = False

    def record(self, mail: Mail, origin: Origin) -> None:
        self.slow.wait(20)
        if self.is_broken:
            raise RuntimeError("broken over ann@a.example")
        self.recorded.append((mail, origin))


def shown(feed: Recorder, letter: Letter) -> list[Answered]:
    """Show the mail twice over one connection; what was answered."""

    async def scenario() -> list[Answered]:
        settings = MilterSettings(TcpSocket("127.0.0.1", 0))
        milter = MilterFeed(feed, settings, PATIENCE)
        await milter.serve()
        mta = await FakeMta.connect(milter.port)
        found = [await mta.hand_in(letter) for _ in range(2)]
        mta.close()
        feed.slow.set()
        await asyncio.sleep(0.02)
        await milter.close()
        return found

    return run(scenario())


def test_inbound_mail_is_recorded_and_passes_unchanged() -> None:
    feed = Recorder()

    found = shown(feed, LETTER)

    assert [(one.outcome, one.deleted) for one in found] == [("a", 0)] * 2
    assert len(feed.recorded) == 2
    mail, origin = feed.recorded[0]
    assert mail.content.startswith(b"Cc: bob@b.example\r\n")
    assert (origin.endpoint, origin.client) == ("milter", "192.0.2.7")


@pytest.mark.parametrize("letter", [LETTER, UNREADABLE], ids=["broken", "unreadable"])
def test_whatever_happens_inbound_mail_passes(
    letter: Letter, caplog: pytest.LogCaptureFixture
) -> None:
    feed = Recorder()
    feed.is_broken = True

    found = shown(feed, letter)

    assert [one.outcome for one in found] == ["a", "a"]
    assert "@" not in caplog.text


def test_inbound_mail_does_not_wait_for_a_slow_store() -> None:
    feed = Recorder()
    feed.slow.clear()

    assert [one.outcome for one in shown(feed, LETTER)] == ["a", "a"]
