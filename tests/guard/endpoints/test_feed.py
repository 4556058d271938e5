# SPDX-License-Identifier: Apache-2.0
"""The feed's SMTP listener: everything is taken, nothing leaves, nothing waits."""

import asyncio
import smtplib
import threading

from tests.guard.journals import report
from tests.guard.test_feed import SERVER, inbound
from tests.guard.worlds import NOW, POLICY, people
from undisclosed.guard.endpoints import feed as endpoint
from undisclosed.guard.endpoints.feed import SmtpFeed
from undisclosed.guard.feed import Feed
from undisclosed.guard.journal_reports import JournalRules
from undisclosed.guard.testing import FixedClock, ForgetfulMemory
from undisclosed.transport.smtp.settings import LOOPBACK, ServerSettings


def hand_in(port: int, contents: list[bytes]) -> list[tuple[int, bytes]]:
    """Hand in copies on one connection; the replies to their final dots."""
    replies = []
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        for content in contents:
            client.mail("")
            assert client.rcpt("feed@guard.council.example")[0] == 250
            replies.append(client.data(content))
    return replies


async def fed(
    memory: ForgetfulMemory,
    contents: list[bytes],
    journals: JournalRules | None = None,
) -> tuple[list, SmtpFeed]:
    """Serve, hand in, close; the replies, and the feed."""
    records = Feed(
        POLICY, memory, FixedClock(NOW), authserv_ids=[SERVER], journals=journals
    )
    feed = SmtpFeed(records, ServerSettings())
    await feed.start("127.0.0.1", 0)
    try:
        return await asyncio.to_thread(hand_in, feed.port, contents), feed
    finally:
        await feed.close()


def test_copies_of_inbound_mail_are_recorded():
    memory = ForgetfulMemory()
    contents = [inbound(people(range(2, 4 + n))).content for n in range(3)]

    replies, _ = asyncio.run(fed(memory, contents))

    assert {code for code, _ in replies} == {250}
    assert len(memory.threads()) == 3


def test_journal_reports_of_a_listed_server_are_opened():
    memory = ForgetfulMemory()
    of = report(inbound(people(range(2, 9))))

    asyncio.run(fed(memory, [of.content], JournalRules(LOOPBACK)))
    assert len(memory.threads()) == 1

    asyncio.run(fed(memory, [of.content]))
    assert len(memory.threads()) == 1


def test_what_cannot_be_recorded_is_taken_all_the_same():
    memory = ForgetfulMemory()
    memory.is_away = True

    replies, _ = asyncio.run(fed(memory, [inbound(people(range(2, 4))).content]))

    assert replies[0][0] == 250


def test_what_is_no_mail_is_taken_all_the_same():
    replies, _ = asyncio.run(fed(ForgetfulMemory(), [b"", b"\xff:::\r\n\r\n"]))

    assert [code for code, _ in replies] == [250, 250]


def test_more_copies_than_can_be_read_are_passed_over(monkeypatch):
    monkeypatch.setattr(endpoint, "MOST_WAITING", 2)
    memory, gate = ForgetfulMemory(), threading.Event()

    class Slow(ForgetfulMemory):
        def learn(self, people, *, now):
            gate.wait(30)
            memory.learn(people, now=now)

    async def flooded() -> SmtpFeed:
        records = Feed(POLICY, Slow(), FixedClock(NOW), authserv_ids=[SERVER])
        feed = SmtpFeed(records, ServerSettings())
        await feed.start("127.0.0.1", 0)
        contents = [inbound(people(range(2, 4 + n))).content for n in range(5)]
        replies = await asyncio.to_thread(hand_in, feed.port, contents)
        assert {code for code, _ in replies} == {250}
        gate.set()
        await feed.close()
        return feed

    feed = asyncio.run(flooded())

    assert feed.passed_over == 3
    assert len(memory.threads()) == 2
