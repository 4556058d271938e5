# SPDX-License-Identifier: Apache-2.0
"""The post office takes every mail, and says 250 only when it is kept."""

import asyncio
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.postoffice.catch import PostOffice, PostOfficeSettings
from undisclosed.postoffice.testing import MemoryCatcher
from undisclosed.transport.listening import PortInUse
from undisclosed.transport.smtp.client import ClientSettings, send
from undisclosed.transport.smtp.handler import Session

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SETTINGS = PostOfficeSettings()
ANN = Address("ann", "a.example")
PEER = Session("127.0.0.1")


def mail(number: int = 0, size: int = 100) -> Mail:
    content = f"Subject: {number}\r\n\r\n{'x' * size}\r\n".encode()
    envelope = Envelope(
        Address("olive", "council.example"),
        (Recipient(Address(f"p{number}", "a.example"), ("NOTIFY=FAILURE",)),),
        ("BODY=8BITMIME", "RET=HDRS"),
    )
    return Mail(envelope, content)


def office(catcher, settings=SETTINGS) -> PostOffice:
    return PostOffice(catcher, lambda: NOW, settings)


def over_smtp(catcher, mails, settings=SETTINGS):
    """Send all of these at once, each over a connection of its own."""

    async def run():
        post = office(catcher, settings)
        await post.start("127.0.0.1", 0)
        client = ClientSettings("127.0.0.1", post.port)
        replies = await asyncio.gather(
            *(send(client, each.envelope, each.content) for each in mails)
        )
        await post.close(timedelta())
        return replies

    return asyncio.run(run())


def taken(catcher, mails, settings=SETTINGS):
    """Hand all of these over at once, without sockets; the codes of their replies."""

    async def run():
        post, codes = office(catcher, settings), []
        for each in mails:
            post.take(each, PEER, lambda reply: codes.append(reply.code))
        await post.close(timedelta())
        return codes

    return asyncio.run(run())


def test_caught_mail_is_what_was_sent():
    catcher = MemoryCatcher()

    (reply,) = over_smtp(catcher, [mail(7)])

    assert reply.code == 250
    (caught,) = catcher.mails
    assert caught.content == mail(7).content
    assert caught.envelope.mail_from == mail(7).envelope.mail_from
    assert caught.envelope.recipients == mail(7).envelope.recipients
    assert "RET=HDRS" in caught.envelope.parameters
    assert catcher.caught_at == [NOW]


def test_mail_that_comes_at_once_is_kept_together():
    catcher = MemoryCatcher()

    codes = taken(catcher, [mail(number) for number in range(1136)])

    assert codes == [250] * 1136
    assert [len(group) for group in catcher.groups] == [500, 500, 136]
    assert len({each.envelope.rcpt_tos for each in catcher.mails}) == 1136


def test_large_mail_is_kept_in_smaller_groups():
    catcher = MemoryCatcher()
    settings = replace(SETTINGS, group_size=2500)

    taken(catcher, [mail(number, 1000) for number in range(7)], settings)

    assert [len(group) for group in catcher.groups] == [3, 3, 1]


def test_nothing_is_answered_before_it_is_kept():
    committed = threading.Event()
    answered_early = []

    class Slow(MemoryCatcher):
        def keep(self, mails, *, caught_at):
            answered_early.extend(codes)
            super().keep(mails, caught_at=caught_at)
            committed.set()

    codes = []

    async def run():
        post = office(Slow())
        post.take(mail(), PEER, lambda reply: codes.append(committed.is_set()))
        await post.close(timedelta())

    asyncio.run(run())

    assert answered_early == []
    assert codes == [True]


def test_what_cannot_be_kept_stays_with_the_client():
    catcher = MemoryCatcher()
    catcher.is_away = True

    (reply,) = over_smtp(catcher, [mail()])

    assert reply.code == 451
    assert catcher.mails == []


def test_only_so_many_mails_are_kept():
    catcher = MemoryCatcher()
    settings = replace(SETTINGS, keep=3, prune_every=4, group=2)

    taken(catcher, [mail(number) for number in range(4)], settings)

    subjects = [each.content[:10] for each in catcher.mails]
    assert subjects == [b"Subject: 1", b"Subject: 2", b"Subject: 3"]


def test_pruning_that_fails_loses_no_mail(caplog):
    class Stuck(MemoryCatcher):
        def prune(self, *, keep, before):
            assert before == NOW - SETTINGS.keep_for
            raise OSError

    catcher = Stuck()

    codes = taken(catcher, [mail()], replace(SETTINGS, prune_every=1))

    assert codes == [250]
    assert "was not dropped" in caplog.text


def test_a_catcher_that_is_away_prunes_nothing(caplog):
    catcher = MemoryCatcher()

    class AwayLater(MemoryCatcher):
        def keep(self, mails, *, caught_at):
            super().keep(mails, caught_at=caught_at)
            self.is_away = True

    catcher = AwayLater()

    assert taken(catcher, [mail()], replace(SETTINGS, prune_every=1)) == [250]
    assert len(catcher.mails) == 1


def test_a_port_in_use_is_said_so():
    async def run():
        first = office(MemoryCatcher())
        await first.start("127.0.0.1", 0)
        try:
            await office(MemoryCatcher()).start("127.0.0.1", first.port)
        finally:
            await first.close(timedelta())

    with pytest.raises(PortInUse):
        asyncio.run(run())


def test_what_a_next_hop_would_offer_is_offered():
    async def run():
        post = office(MemoryCatcher())
        await post.start("127.0.0.1", 0)
        reader, writer = await asyncio.open_connection("127.0.0.1", post.port)
        await reader.readline()
        writer.write(b"EHLO client.example\r\n")
        said = b""
        while not said.endswith(b"\r\n") or b"\r\n250 " not in said:
            said += await reader.readline()
        writer.write(b"MAIL FROM:<>\r\nRCPT TO:<ann@a.example>\r\nRSET\r\nQUIT\r\n")
        said += await reader.read()
        writer.close()
        await post.close(timedelta())
        return said

    said = asyncio.run(run())

    for extension in (b"PIPELINING", b"SIZE", b"8BITMIME", b"SMTPUTF8", b"DSN"):
        assert extension in said
    assert b"STARTTLS" not in said
    assert b"221 2.0.0" in said
