# SPDX-License-Identifier: Apache-2.0
"""Extensions that are promises: made only where they can be kept."""

import asyncio
import smtplib
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.guard.endpoints.deciding import BEGIN, Guarded, guarded, run
from tests.guard.endpoints.smarthost import (
    ANN,
    SAM,
    TEXT,
    Certified,
    certify,
    client_of,
    with_client,
)
from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.guard.endpoints.settings import (
    SmtpSettings,
)
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.client import ClientSettings, Tls, send
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.handler import Answer, Offer, Session
from undisclosed.transport.smtp.server import SmtpServer
from undisclosed.transport.smtp.settings import ServerSettings
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return certify(tmp_path)


def test_chunking_is_not_offered_and_bdat_is_refused() -> None:
    def act(client: smtplib.SMTP) -> None:
        assert not client.has_extn("chunking")
        assert client.docmd("BDAT", "10 LAST")[0] == 502

    with_client(act, SmtpSettings(), hop=FakeHop((*EVERYTHING, "CHUNKING")))


def test_requiretls_is_not_offered_where_nobody_is_verified() -> None:
    def act(client: smtplib.SMTP) -> None:
        assert not client.has_extn("requiretls")
        assert client.docmd("MAIL", f"FROM:<{SAM}> REQUIRETLS")[0] == 555

    with_client(act, SmtpSettings(), hop=FakeHop((*EVERYTHING, "REQUIRETLS")))


class TlsHop:
    """A next hop with TLS that carries REQUIRETLS, and remembers what it was told."""

    def __init__(self) -> None:
        self.parameters: list[tuple[str, ...]] = []
        self.taken: list[Mail] = []

    def on_hello(self, session: Session, offer: Offer) -> None:
        offer(Extensions(starttls=not session.is_secured, requiretls=True))

    def on_mail(
        self, mail_from: Address | None, parameters: tuple[str, ...], answer: Answer
    ) -> None:
        self.parameters.append(parameters)
        answer(replies.SENDER_OK)

    def on_rcpt(self, recipient: Recipient, answer: Answer) -> None:
        answer(replies.RECIPIENT_OK)

    def on_message(self, mail: Mail, answer: Answer) -> None:
        self.taken.append(mail)
        answer(replies.OK)

    def on_reset(self) -> None:
        pass

    def on_close(self) -> None:
        pass


@asynccontextmanager
async def before_tls_hop(
    certified: Certified, tls: Tls, context: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Guarded, TlsHop]]:
    """A guard that speaks TLS to its clients, before a hop that does."""
    hop, server_settings = TlsHop(), certified.settings.server()
    server = SmtpServer(lambda: hop, ServerSettings(tls=server_settings.tls))
    await server.start("127.0.0.1", 0)
    stand_in = FakeHop()
    stand_in.port = server.port
    client = ClientSettings(
        "127.0.0.1",
        server.port,
        tls=tls,
        tls_context=context or certified.context(None),
    )
    settings = replace(certified.settings, client_ca=None)
    try:
        async with guarded(stand_in, settings, client=client) as there:
            yield there, hop
    finally:
        await server.close()


def test_requiretls_is_carried_over_verified_tls_on_both_sides(
    certified: Certified,
) -> None:
    async def scenario() -> TlsHop:
        async with before_tls_hop(certified, Tls.REQUIRED) as (there, hop):

            def talk() -> None:
                with client_of(there) as client:
                    client.starttls(context=certified.context(None))
                    client.ehlo()
                    assert client.has_extn("requiretls")
                    client.sendmail(SAM, [ANN], TEXT, ["REQUIRETLS"])

            await asyncio.to_thread(talk)
            return hop

    hop = run(scenario())

    assert hop.parameters == [("REQUIRETLS",)]
    assert len(hop.taken) == 1


@pytest.mark.parametrize("tls", [Tls.WHEN_OFFERED, Tls.NEVER])
def test_requiretls_is_not_promised_where_the_hop_is_not_verified(
    certified: Certified, tls: Tls
) -> None:
    async def scenario() -> None:
        async with before_tls_hop(certified, tls) as (there, _):

            def talk() -> None:
                with client_of(there) as client:
                    client.starttls(context=certified.context(None))
                    client.ehlo()
                    assert not client.has_extn("requiretls")

            await asyncio.to_thread(talk)

    run(scenario())


def test_a_hop_that_is_not_who_it_says_gets_no_mail(certified: Certified) -> None:
    async def scenario() -> list[str]:
        nobody = ssl.create_default_context()
        async with before_tls_hop(certified, Tls.REQUIRED, nobody) as (there, hop):
            heard = await there.talk(BEGIN)
            assert hop.taken == []
            return heard

    heard = run(scenario())

    assert [reply[:3] for reply in heard[:2]] == ["250", "451"]
    assert not heard[2].startswith("2")


def test_held_mail_that_requires_tls_leaves_with_nobody_else() -> None:
    async def scenario() -> tuple[int, FakeHop]:
        async with FakeHop((*EVERYTHING, "REQUIRETLS")) as hop:
            envelope = Envelope(
                Address("sam", "council.example"),
                (Recipient(Address("ann", "a.example")),),
                ("REQUIRETLS",),
            )
            there = ClientSettings("127.0.0.1", hop.port)
            return (await send(there, envelope, b"Subject: x\r\n\r\n")).code, hop

    code, hop = run(scenario())

    assert (code, hop.taken) == (550, [])
