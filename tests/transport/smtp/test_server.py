# SPDX-License-Identifier: Apache-2.0
"""The server on real sockets, spoken to by other people's clients."""

import asyncio
import gc
import ipaddress
import smtplib
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiosmtplib
import pytest

from tests.transport.smtp.talking import EVERYTHING, codes, run
from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.transport.listening import PortInUse, PortRefused
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.client import ClientSettings, Tls, send
from undisclosed.transport.smtp.errors import HopAway
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.handler import Answer, Offer, Session
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.server import SmtpServer
from undisclosed.transport.smtp.settings import ServerSettings, is_listed

CONTENT = b"Subject: x\r\n\r\n.dot\r\nText\r\n"


class Taker:
    """Takes everything, now or a little later."""

    def __init__(self, taken: list[Mail], offered: Extensions, delay: float) -> None:
        self.taken = taken
        self.offered = offered
        self.delay = delay

    def on_hello(self, session: Session, offer: Offer) -> None:
        offer(self.offered)

    def on_mail(
        self, mail_from: Address | None, parameters: tuple[str, ...], answer: Answer
    ) -> None:
        self._give(answer, replies.SENDER_OK)

    def on_rcpt(self, recipient: Recipient, answer: Answer) -> None:
        if recipient.address.local_part == "broken":
            raise RuntimeError("a handler that breaks")
        self._give(answer, replies.RECIPIENT_OK)

    def on_message(self, mail: Mail, answer: Answer) -> None:
        self.taken.append(mail)
        self._give(answer, replies.OK)

    def on_reset(self) -> None:
        pass

    def on_close(self) -> None:
        pass

    def _give(self, answer: Answer, reply: replies.Reply) -> None:
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, answer, reply)
        else:
            answer(reply)


class Served:
    """A server that is listening, and what it took."""

    def __init__(self, server: SmtpServer, taken: list[Mail]) -> None:
        self.server = server
        self.taken = taken

    @property
    def port(self) -> int:
        return self.server.port

    async def say(self, said: bytes, *, until: int) -> list[int]:
        """Send all at once; the codes until this one comes or the end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(said)
        heard = b""
        while piece := await reader.read(4096):
            heard += piece
            if until in codes(heard[: heard.rfind(b"\n") + 1]):
                break
        writer.close()
        await writer.wait_closed()
        return codes(heard)


@asynccontextmanager
async def served(
    settings: ServerSettings | None = None,
    offered: Extensions = EVERYTHING,
    delay: float = 0.0,
) -> AsyncIterator[Served]:
    taken: list[Mail] = []
    server = SmtpServer(
        lambda: Taker(taken, offered, delay), settings or ServerSettings("mx.test")
    )
    await server.start("127.0.0.1", 0)
    yield Served(server, taken)
    await server.close(timedelta(seconds=1))


async def in_thread(call: Callable[[], None]) -> None:
    await asyncio.to_thread(call)


@pytest.mark.parametrize("delay", [0.0, 0.01], ids=["at once", "later"])
def test_smtplib_is_served(delay: float) -> None:
    async def scenario() -> list[Mail]:
        async with served(delay=delay) as there:

            def talk() -> None:
                with smtplib.SMTP("127.0.0.1", there.port) as client:
                    client.sendmail(
                        "sam@council.example",
                        ["ann@a.example", "bob@b.example"],
                        CONTENT,
                        mail_options=["BODY=8BITMIME", "RET=HDRS"],
                        rcpt_options=["NOTIFY=FAILURE"],
                    )
                    assert client.verify("ann@a.example")[0] == 252
                    assert client.noop()[0] == 250
                    client.sendmail("", "ann@a.example", CONTENT)

            await in_thread(talk)
        return there.taken

    first, second = run(scenario())

    assert first.content == CONTENT
    assert len(first.envelope.recipients) == 2
    assert first.envelope.recipients[0].parameters == ("NOTIFY=FAILURE",)
    assert second.envelope.mail_from is None


def test_aiosmtplib_is_served() -> None:
    async def scenario() -> list[Mail]:
        async with served() as there:
            for _ in range(3):
                await aiosmtplib.send(
                    CONTENT,
                    sender="sam@council.example",
                    recipients=["ann@a.example"],
                    hostname="127.0.0.1",
                    port=there.port,
                )
        return there.taken

    assert [mail.content for mail in run(scenario())] == [CONTENT] * 3


def test_a_whole_session_in_one_piece_is_answered_in_order() -> None:
    async def scenario() -> list[int]:
        async with served(delay=0.005) as there:
            return await there.say(
                b"EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<a@a.example>\r\n"
                b"RCPT TO:<b@b.example>\r\nDATA\r\nText\r\n.\r\nNOOP\r\nQUIT\r\n",
                until=221,
            )

    assert run(scenario()) == [220, 250, 250, 250, 250, 354, 250, 250, 221]


def test_a_handler_that_breaks_costs_one_451() -> None:
    async def scenario() -> list[int]:
        async with served() as there:
            return await there.say(
                b"EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<broken@a.example>\r\n"
                b"RCPT TO:<b@b.example>\r\nQUIT\r\n",
                until=221,
            )

    assert run(scenario()) == [220, 250, 250, 451, 250, 221]


def test_pending_mail_survives_the_garbage_collector() -> None:
    async def scenario() -> int:
        async with served(delay=0.01) as there:

            async def one() -> None:
                await there.say(
                    b"EHLO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<a@a.example>\r\nDATA\r\n"
                    b"Text\r\n.\r\nQUIT\r\n",
                    until=221,
                )

            async def collect() -> None:
                while len(there.taken) < 40:
                    gc.collect()
                    await asyncio.sleep(0.001)

            await asyncio.gather(collect(), *(one() for _ in range(40)))
            return len(there.taken)

    assert run(scenario()) == 40


def test_a_client_that_is_not_listed_is_turned_away() -> None:
    listed = (ipaddress.ip_network("192.0.2.0/24"),)

    async def scenario() -> tuple[list[int], int]:
        async with served(ServerSettings("mx.test", clients=listed)) as there:
            heard = await there.say(b"", until=554)
            return heard, len(there.taken)

    assert run(scenario()) == ([554], 0)


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.1", False),
        ("::ffff:192.0.2.1", False),
        ("fe80::1%eth0", False),
        ("", False),
    ],
)
def test_only_loopback_is_listed_by_default(peer: str, expected: bool) -> None:
    assert is_listed(peer, ServerSettings().clients) is expected


def test_connections_above_the_limit_hear_421() -> None:
    settings = ServerSettings("mx.test", max_connections_per_client=1)

    async def scenario() -> tuple[list[int], list[int]]:
        async with served(settings) as there:
            _, writer = await asyncio.open_connection("127.0.0.1", there.port)
            await asyncio.sleep(0.01)
            second = await there.say(b"", until=421)
            writer.close()
            await writer.wait_closed()
            await asyncio.sleep(0.01)
            third = await there.say(b"QUIT\r\n", until=221)
            return second, third

    assert run(scenario()) == ([421], [220, 221])


def test_a_client_that_says_nothing_is_closed_with_421() -> None:
    settings = ServerSettings("mx.test", wait=timedelta(seconds=0.05))

    async def scenario() -> list[int]:
        async with served(settings) as there:
            return await there.say(b"EHLO c.test\r\n", until=421)

    assert run(scenario()) == [220, 250, 421]


def test_content_that_comes_too_slowly_is_closed_with_421() -> None:
    settings = ServerSettings(
        "mx.test",
        wait=timedelta(seconds=0.5),
        wait_content=timedelta(seconds=0.6),
    )

    async def scenario() -> bytes:
        async with served(settings) as there:
            reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
            writer.write(b"HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@a.example>\r\nDATA\r\n")
            await reader.readuntil(b"354")
            hearing = asyncio.create_task(reader.readuntil(b"421 4.4.2"))
            while not hearing.done():
                writer.write(b"x\r\n")
                await asyncio.sleep(0.02)
            writer.close()
            return await hearing

    assert b"421 4.4.2" in run(scenario())


def test_a_client_that_does_not_read_is_not_read_either() -> None:
    async def scenario() -> int:
        async with served(ServerSettings("mx.test", limits=Limits())) as there:
            reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
            for _ in range(400):
                writer.write(b"HELP\r\n" * 10_000)
                try:
                    async with asyncio.timeout(0.05):
                        await writer.drain()
                except TimeoutError:
                    break
            (session,) = there.server.sessions
            backlog = session.unsent
            writer.transport.abort()
            assert reader is not None
            return backlog

    assert run(scenario()) < 4 * 1024 * 1024


def test_a_port_in_use_is_a_clear_error() -> None:
    async def scenario() -> None:
        async with served() as there:
            with pytest.raises(PortInUse, match=f"port={there.port}"):
                await SmtpServer(
                    lambda: Taker([], EVERYTHING, 0), ServerSettings()
                ).start("127.0.0.1", there.port)

    run(scenario())


def test_an_address_of_another_machine_is_a_clear_error() -> None:
    async def scenario() -> None:
        server = SmtpServer(lambda: Taker([], EVERYTHING, 0), ServerSettings())
        with pytest.raises(PortRefused):
            await server.start("192.0.2.1", 0)

    run(scenario())


def test_two_servers_share_one_port() -> None:
    async def scenario() -> int:
        taken: list[Mail] = []
        servers = [
            SmtpServer(lambda: Taker(taken, EVERYTHING, 0), ServerSettings())
            for _ in range(2)
        ]
        await servers[0].start("127.0.0.1", 0, reuse_port=True)
        await servers[1].start("127.0.0.1", servers[0].port, reuse_port=True)
        for server in servers:
            await server.close(timedelta(seconds=1))
        return len(servers)

    assert run(scenario()) == 2


def test_closing_lets_an_open_transaction_end() -> None:
    async def scenario() -> tuple[list[int], int]:
        async with served() as there:
            reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
            writer.write(b"HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@a.example>\r\nDATA\r\n")
            heard = await reader.readuntil(b"354")
            closing = asyncio.create_task(there.server.close(timedelta(seconds=5)))
            await asyncio.sleep(0.01)
            writer.write(b"line\r\n.\r\n")
            heard += await reader.read()
            await closing
            writer.close()
            return codes(heard), len(there.taken)

    assert run(scenario()) == ([220, 250, 250, 250, 354, 250, 421], 1)


def test_closing_ends_an_idle_session_at_once_and_a_slow_one_after_the_grace() -> None:
    async def scenario() -> tuple[list[int], list[int]]:
        async with served() as there:
            idle = asyncio.create_task(there.say(b"HELO c\r\n", until=421))
            slow = asyncio.create_task(
                there.say(
                    b"HELO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@a.example>\r\nDATA\r\nx",
                    until=421,
                )
            )
            await asyncio.sleep(0.05)
            await there.server.close(timedelta(seconds=0.05))
            return await idle, await slow

    idle, slow = run(scenario())

    assert idle == [220, 250, 421]
    assert slow == [220, 250, 250, 250, 354, 421]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost, with its key beside it."""
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes"]
    command += ["-days", "2", "-keyout", str(path), "-out", str(path)]
    command += ["-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = subprocess.run(
        command,
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("openssl is not there to make a certificate")
    text = path.read_text()
    start = text.index("-----BEGIN CERTIFICATE")
    path.with_suffix(".crt").write_text(text[start:])
    return path


def context_of(certificate: Path) -> ssl.SSLContext:
    """The server's side of this certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def test_mail_inside_tls_is_taken(certificate: Path) -> None:
    offered = Extensions(size=1000, starttls=True)

    async def scenario() -> list[Mail]:
        settings = ServerSettings("localhost", tls=context_of(certificate))
        async with served(settings, offered) as there:

            def talk() -> None:
                trust = ssl.create_default_context(
                    cafile=certificate.with_suffix(".crt")
                )
                with smtplib.SMTP("localhost", there.port) as client:
                    client.starttls(context=trust)
                    client.sendmail("sam@council.example", "ann@a.example", CONTENT)

            await in_thread(talk)
        return there.taken

    (mail,) = run(scenario())

    assert mail.content == CONTENT


@pytest.mark.parametrize("tls", [Tls.REQUIRED, Tls.WHEN_OFFERED])
def test_our_client_sends_inside_tls(certificate: Path, tls: Tls) -> None:
    trust = ssl.create_default_context(cafile=certificate.with_suffix(".crt"))

    async def scenario() -> list[Mail]:
        there = ServerSettings("localhost", tls=context_of(certificate))
        offered = Extensions(pipelining=True, starttls=True)
        async with served(there, offered) as server:
            client = ClientSettings(
                "localhost", server.port, tls=tls, tls_context=trust
            )
            recipient = Recipient(Address("ann", "a.example"))
            await send(client, Envelope(None, (recipient,)), CONTENT)
        return server.taken

    (mail,) = run(scenario())

    assert mail.content == CONTENT


def test_a_certificate_that_nobody_vouches_for_is_not_trusted_where_required(
    certificate: Path,
) -> None:
    async def scenario() -> list[Mail]:
        there = ServerSettings("localhost", tls=context_of(certificate))
        async with served(there, Extensions(starttls=True)) as server:
            client = ClientSettings("localhost", server.port, tls=Tls.REQUIRED)
            recipient = Recipient(Address("ann", "a.example"))
            with pytest.raises(HopAway, match="TLS"):
                await send(client, Envelope(None, (recipient,)), CONTENT)
        return server.taken

    assert run(scenario()) == []


def test_a_handshake_that_fails_costs_only_its_connection() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    offered = Extensions(starttls=True)

    async def scenario() -> int:
        settings = ServerSettings("localhost", tls=context)
        async with served(settings, offered) as there:
            reader, writer = await asyncio.open_connection("127.0.0.1", there.port)
            writer.write(b"EHLO c\r\nSTARTTLS\r\n")
            await reader.readuntil(b"TLS\r\n")
            await reader.readuntil(b"start TLS\r\n")
            writer.write(b"MAIL FROM:<>\r\nthis is no handshake at all\r\n")
            await reader.read()
            writer.close()
            await asyncio.sleep(0.05)
            return there.server.connections

    assert run(scenario()) == 0
