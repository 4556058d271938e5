# SPDX-License-Identifier: Apache-2.0
"""The next hop as the worker uses it: kept connections, replies, health."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from tests.guard.endpoints.deciding import LONG, run
from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.errors import TransientError
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.transport.smtp.client import ClientSettings, HopReply, Timeouts
from undisclosed.transport.smtp.testing import FakeHop, Fault, Script

CONTENT = b"Subject: x\r\n\r\nText\r\n"


def envelope(*names: str) -> Envelope:
    recipients = tuple(Recipient(Address(name, "a.example")) for name in names)
    return Envelope(Address("sam", "council.example"), recipients)


@asynccontextmanager
async def kept(
    fake: FakeHop, max_connections: int = 10, idle: timedelta = LONG
) -> AsyncIterator[Hop]:
    """A pool of connections to this fake hop."""
    await fake.start()
    timeouts = Timeouts(*(LONG for _ in range(5)))
    client = ClientSettings("127.0.0.1", fake.port, "guard.test", timeouts=timeouts)
    hop = Hop(HopSettings(client, max_connections, idle))
    try:
        yield hop
    finally:
        await hop.close()
        await fake.stop()


def test_many_mails_go_over_one_kept_connection() -> None:
    async def scenario() -> FakeHop:
        fake = FakeHop()
        async with kept(fake) as hop:
            for _ in range(5):
                assert (await hop.send(envelope("ann"), CONTENT)).code == 250
        return fake

    fake = run(scenario())

    assert len(fake.taken) == 5
    assert fake.connections == 1
    assert fake.violations == []


def test_no_more_connections_are_opened_than_allowed() -> None:
    async def scenario() -> FakeHop:
        fake = FakeHop(script=Script(delay=0.001))
        async with kept(fake, max_connections=3) as hop:
            await asyncio.gather(
                *(hop.send(envelope("ann"), CONTENT) for _ in range(30))
            )
        return fake

    fake = run(scenario())

    assert len(fake.taken) == 30
    assert fake.connections == 3


class FewProcesses(FakeHop):
    """Greets two clients and lets further ones wait, as a hop with two processes."""

    sessions_begun = 0

    @property
    def script(self) -> Script:
        self.sessions_begun += 1
        is_one_of_two = self.sessions_begun <= 2
        return Script(greeting="220 hop.test" if is_one_of_two else Fault.SILENCE)

    @script.setter
    def script(self, script: Script) -> None:
        """Each session has its own."""


def test_a_hop_that_serves_few_clients_at_once_gets_everything_over_those() -> None:
    async def scenario() -> FakeHop:
        fake = FewProcesses()
        async with kept(fake, max_connections=10) as hop:
            async with asyncio.timeout(20):
                await asyncio.gather(
                    *(hop.send(envelope("ann"), CONTENT) for _ in range(30))
                )
        return fake

    fake = run(scenario())

    assert len(fake.taken) == 30
    assert fake.connections > 2


def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    async def scenario() -> FakeHop:
        fake = FakeHop()
        async with kept(fake) as hop:
            await hop.send(envelope("ann"), CONTENT)
            for session in tuple(fake.sessions):
                session.close_at_next_command()
            await hop.send(envelope("ann"), CONTENT)
        return fake

    assert len(run(scenario()).taken) == 2


def test_a_hop_that_is_away_is_transient_and_found_again() -> None:
    async def scenario() -> tuple[bool | None, bool | None, HopReply]:
        fake = FakeHop()
        async with kept(fake) as hop:
            await fake.stop()
            with pytest.raises(TransientError):
                await hop.send(envelope("ann"), CONTENT)
            away = hop.health.is_up
            await fake.start()
            reply = await hop.send(envelope("ann"), CONTENT)
            return away, hop.health.is_up, reply

    away, back, reply = run(scenario())

    assert (away, back) == (False, True)
    assert reply.code == 250


def test_a_hop_that_was_never_asked_is_neither_up_nor_down() -> None:
    async def scenario() -> bool | None:
        async with kept(FakeHop()) as hop:
            return hop.health.is_up

    assert run(scenario()) is None


def test_each_recipient_has_its_own_reply() -> None:
    script = Script(rcpts={"bob": "550 5.1.1 No such user"})

    async def scenario() -> HopReply:
        async with kept(FakeHop(script=script)) as hop:
            return await hop.send(envelope("ann", "bob"), CONTENT)

    reply = run(scenario())

    assert [answer.code for answer in reply.recipients] == [250, 550]


def test_a_refused_mail_leaves_the_connection_for_the_next() -> None:
    script = Script(rcpts={"bob": "550 5.1.1 No such user"})

    async def scenario() -> FakeHop:
        fake = FakeHop(script=script)
        async with kept(fake) as hop:
            assert (await hop.send(envelope("bob"), CONTENT)).code == 550
            assert (await hop.send(envelope("ann"), CONTENT)).code == 250
        return fake

    fake = run(scenario())

    assert len(fake.taken) == 1
    assert fake.connections == 1


def test_unused_connections_are_closed_with_quit() -> None:
    async def scenario() -> FakeHop:
        fake = FakeHop()
        async with kept(fake, idle=timedelta(seconds=0.05)) as hop:
            await hop.send(envelope("ann"), CONTENT)
            while fake.sessions:
                await asyncio.sleep(0.01)
            assert hop.health.connections == 0
        return fake

    assert run(scenario()).verbs()[-1] == "QUIT"


def test_those_who_wait_for_a_connection_hear_when_the_pool_is_closed() -> None:
    async def scenario() -> None:
        fake = FakeHop()
        async with kept(fake, max_connections=1) as hop, hop.session():
            waiting = asyncio.create_task(hop.send(envelope("ann"), CONTENT))
            await asyncio.sleep(0.01)
            await hop.close()
            with pytest.raises(TransientError):
                await waiting

    run(scenario())


def test_what_the_hop_offers_can_be_asked() -> None:
    async def scenario() -> bool:
        async with kept(FakeHop(("8BITMIME",))) as hop:
            return (await hop.probe()).eight_bit

    assert run(scenario())


def test_connecting_survives_the_garbage_collector() -> None:
    async def scenario() -> int:
        fake = FakeHop(script=Script(delay=0.005))
        async with kept(fake) as hop:
            sending = asyncio.gather(
                *(hop.send(envelope("ann"), CONTENT) for _ in range(20))
            )
            while not sending.done():
                gc.collect()
                await asyncio.sleep(0.001)
            await sending
        return len(fake.taken)

    assert run(scenario()) == 20
