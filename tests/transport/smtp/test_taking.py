# SPDX-License-Identifier: Apache-2.0
"""What takes mail and sends none on: whose mail, in which thread, until when."""

import asyncio
import smtplib
import threading

import pytest

from tests.transport.smtp.talking import run
from undisclosed.core.mail import Mail
from undisclosed.transport.smtp.handler import Session
from undisclosed.transport.smtp.replies import reply
from undisclosed.transport.smtp.settings import ServerSettings
from undisclosed.transport.smtp.taking import TakingServer

KEPT = reply(250, "2.0.0 Kept")
NOBODY = reply(550, "5.1.1 Nobody")
OPEN_TO = ("box", "other")


class Box(TakingServer):
    """Keeps what comes to two names, in a thread, and answers after that."""

    def __init__(self, *, has_dsn: bool = False) -> None:
        super().__init__(ServerSettings(), name="box", has_dsn=has_dsn)
        self.kept: list[tuple[str, Mail, str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.order: list[str] = []
        self.handed_on = 0

    def refusal(self, recipient):
        return None if recipient.local_part in OPEN_TO else NOBODY

    def take(self, mail, session: Session, answer):
        def ended(future):
            future.result()
            answer(KEPT)

        self.handed_on += 1
        self.hand_on(self._keep, mail, peer=session.peer).add_done_callback(ended)

    def _keep(self, mail, *, peer):
        assert self.gate.wait(30)
        self.kept.append((peer, mail, threading.current_thread().name))

    async def settle(self):
        self.order.append(f"settled with {len(self.kept)}")


def talked(box, talk):
    """What a client of the box was told."""

    async def scenario():
        await box.start("127.0.0.1", 0)
        try:
            return await asyncio.to_thread(talk, box.port)
        finally:
            await box.close()

    return run(scenario())


def handing_in(*recipients):
    def talk(port):
        client = smtplib.SMTP("127.0.0.1", port, timeout=60)
        try:
            client.ehlo()
            client.mail("who@ever.test")
            codes = [client.rcpt(one)[0] for one in recipients]
            last, _ = client.docmd("DATA")
            if last == 354:
                client.send(b"Subject: x\r\n\r\ny\r\n.\r\n")
                last, _ = client.getreply()
            return codes, last
        finally:
            # Not with QUIT: a server that is closing may have said its 421 before.
            client.close()

    return talk


def test_a_mail_is_taken_in_a_thread_from_whomever_it_comes():
    box = Box()

    codes, last = talked(box, handing_in("box@here.test"))

    assert (codes, last) == ([250], 250)
    ((peer, mail, thread),) = box.kept
    assert peer == "127.0.0.1"
    assert thread.startswith("box")
    assert mail.content == b"Subject: x\r\n\r\ny\r\n"


def test_only_those_recipients_are_taken_for_whom_it_is():
    box = Box()

    codes, last = talked(box, handing_in("you@x.test", "other@x.test", "me@x.test"))

    assert (codes, last) == ([550, 250, 550], 250)
    ((_, mail, _),) = box.kept
    assert [one.local_part for one in mail.envelope.rcpt_tos] == ["other"]


def test_a_mail_for_nobody_is_not_taken():
    box = Box()

    codes, last = talked(box, handing_in("you@x.test"))

    assert codes == [550]
    assert last >= 500
    assert not box.kept


@pytest.mark.parametrize("has_dsn", [False, True])
def test_it_offers_what_a_mail_server_needs_to_hand_mail_over_as_it_is(has_dsn):
    def talk(port):
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.ehlo()
            return frozenset(client.esmtp_features)

    offered = talked(Box(has_dsn=has_dsn), talk)

    assert {"pipelining", "size", "8bitmime", "smtputf8"} <= offered
    assert ("dsn" in offered) is has_dsn
    assert "starttls" not in offered


def test_what_was_taken_is_finished_before_it_is_closed():
    async def scenario():
        box = Box()
        box.gate.clear()
        await box.start("127.0.0.1", 0)
        handed = asyncio.create_task(
            asyncio.to_thread(handing_in("box@here.test"), box.port)
        )
        while not box.handed_on:
            await asyncio.sleep(0.01)
        closing = asyncio.create_task(box.close())
        await asyncio.sleep(0.05)
        assert not closing.done()
        box.gate.set()
        await closing
        return box, await handed

    box, (_, last) = run(scenario())

    assert last == 250
    assert len(box.kept) == 1
    assert box.order == ["settled with 1"]
