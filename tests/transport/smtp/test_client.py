# SPDX-License-Identifier: Apache-2.0
"""The client on real sockets, against hops that behave and hops that do not."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from email.message import Message as ForeignMessage

import pytest
from aiosmtpd.smtp import SMTP as ForeignServer
from aiosmtpd.smtp import Envelope as ForeignEnvelope

from tests.transport.smtp.talking import run
from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.transport.smtp.client import (
    ClientConnection,
    ClientSettings,
    HopReply,
    Timeouts,
    Tls,
    connect,
    send,
)
from undisclosed.transport.smtp.errors import HopAway
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script

CONTENT = b"Subject: x\r\n\r\n.dot\r\n..\r\nText\r\n"
BRIEFLY = Timeouts(*(timedelta(seconds=0.1) for _ in range(5)))
LONG = Timeouts(*(timedelta(seconds=30) for _ in range(5)))


def envelope(*names: str, parameters: tuple[str, ...] = ()) -> Envelope:
    recipients = tuple(Recipient(Address(name, "a.example")) for name in names)
    return Envelope(Address("sam", "council.example"), recipients, parameters)


def settings(hop: FakeHop) -> ClientSettings:
    script = hop.script
    is_silent = Fault.SILENCE in (script.greeting, script.mail, script.final)
    timeouts = BRIEFLY if is_silent else LONG
    return ClientSettings("127.0.0.1", hop.port, "guard.test", timeouts=timeouts)


def sent(
    script: Script | None = None,
    offers: tuple[str, ...] = EVERYTHING,
    mail: Envelope | None = None,
    content: bytes = CONTENT,
) -> tuple[HopReply, FakeHop]:
    """Send one mail to a hop of this kind."""

    async def scenario() -> tuple[HopReply, FakeHop]:
        async with FakeHop(offers, script) as hop:
            return await send(settings(hop), mail or envelope("ann"), content), hop

    return run(scenario())


@pytest.mark.parametrize(
    "offers", [EVERYTHING, ("8BITMIME",), ()], ids=["everything", "one", "nothing"]
)
def test_a_mail_arrives_as_it_was(offers: tuple[str, ...]) -> None:
    reply, hop = sent(offers=offers, mail=envelope("ann", "bob"))

    assert reply.code == 250
    assert [answer.code for answer in reply.recipients] == [250, 250]
    assert hop.taken[0].content == CONTENT
    assert hop.violations == []


def test_the_client_waits_for_each_reply_where_pipelining_is_not_offered() -> None:
    reply, hop = sent(Script(delay=0.005), (), envelope("ann", "bob", "cy"))

    assert reply.code == 250
    assert hop.violations == []


def test_parameters_go_where_they_are_offered() -> None:
    parameters = ("BODY=8BITMIME", "RET=HDRS", "ENVID=q1")

    _, hop = sent(mail=envelope("ann", parameters=parameters))

    (mail,) = hop.taken
    assert mail.mail.decode().split(" ")[1:] == [
        "FROM:<sam@council.example>",
        f"SIZE={len(CONTENT)}",
        *parameters,
    ]


def test_parameters_stay_behind_where_they_are_not_offered() -> None:
    recipient = Recipient(Address("ann", "a.example"), ("NOTIFY=NEVER",))
    mail = replace(envelope(parameters=("RET=HDRS",)), recipients=(recipient,))

    _, hop = sent(offers=("PIPELINING",), mail=mail)

    assert hop.taken[0].mail == b"MAIL FROM:<sam@council.example>"
    assert hop.taken[0].rcpts == (b"RCPT TO:<ann@a.example>",)


def test_eight_bit_content_is_not_forced_on_a_seven_bit_hop() -> None:
    reply, hop = sent(offers=(), content="Subject: é\r\n\r\n".encode())

    assert reply.code == 554
    assert reply.text.startswith("5.6.3")
    assert hop.taken == []


def test_an_address_that_needs_utf8_is_not_forced_on_an_old_hop() -> None:
    reply, _ = sent(offers=("8BITMIME",), mail=envelope("é"))

    assert reply.code == 553


def test_each_recipient_has_its_own_answer() -> None:
    rcpts = {"bob": "550 5.1.1 No such user", "cy": "451 4.2.1 Later"}

    reply, hop = sent(Script(rcpts=rcpts), mail=envelope("ann", "bob", "cy"))

    assert reply.code == 250
    assert [answer.code for answer in reply.recipients] == [250, 550, 451]
    assert hop.taken[0].rcpts == (b"RCPT TO:<ann@a.example>",)


def test_a_mail_without_a_taken_recipient_sends_no_content() -> None:
    reply, hop = sent(Script(rcpts={"ann": "550 5.1.1 No such user"}))

    assert (reply.code, reply.text) == (550, "5.1.1 No such user")
    assert "DATA" not in hop.verbs()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        pytest.param(Script(mail="550 5.7.1 No"), 550, id="MAIL refused"),
        pytest.param(Script(data="451 4.3.0 Later"), 451, id="DATA refused"),
        pytest.param(Script(final="552 5.3.4 Too big"), 552, id="content refused"),
    ],
)
def test_a_refusal_is_the_reply(script: Script, code: int) -> None:
    reply, hop = sent(script)

    assert reply.code == code
    assert hop.taken == []


def test_a_refused_sender_is_the_reply_to_each_recipient() -> None:
    script = Script(mail="451 4.3.0 Later", rcpts={"ann": "503 5.5.1 MAIL first"})

    reply, _ = sent(script, mail=envelope("ann", "bob"))

    assert reply.code == 451
    assert [answer.code for answer in reply.recipients] == [451, 451]


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(Script(greeting="554 5.3.2 Not now"), id="greets with 554"),
        pytest.param(Script(greeting=Fault.SILENCE), id="no greeting"),
        pytest.param(Script(greeting="Hello there"), id="speaks no SMTP"),
        pytest.param(Script(mail=Fault.SILENCE), id="silent at MAIL"),
        pytest.param(Script(mail=Fault.CLOSE), id="closes at MAIL"),
        pytest.param(Script(mail="421 4.3.2 Shutting down"), id="421 at MAIL"),
        pytest.param(Script(rcpts={"ann": Fault.CLOSE}), id="closes at RCPT"),
        pytest.param(Script(data=Fault.CLOSE), id="closes at DATA"),
        pytest.param(Script(content=Fault.CLOSE), id="closes in the content"),
        pytest.param(Script(final=Fault.CLOSE), id="closes at the dot"),
        pytest.param(Script(final=Fault.SILENCE), id="silent at the dot"),
    ],
)
def test_no_reply_is_transient(script: Script) -> None:
    with pytest.raises(HopAway):
        sent(script)


def test_a_hop_that_does_not_listen_is_transient() -> None:
    async def scenario() -> None:
        async with FakeHop() as hop:
            there = settings(hop)
        await send(there, envelope("ann"), CONTENT)

    with pytest.raises(HopAway):
        run(scenario())


def test_a_hop_without_ehlo_is_greeted_with_helo() -> None:
    reply, hop = sent(Script(ehlo="502 5.5.1 What?"))

    assert reply.code == 250
    assert hop.verbs()[:2] == ["EHLO", "HELO"]


def test_one_connection_carries_many_mails() -> None:
    async def scenario() -> FakeHop:
        async with FakeHop() as hop:
            connection = await connect(settings(hop))
            for _ in range(5):
                await connection.send(envelope("ann"), CONTENT)
            connection.quit()
            return hop

    hop = run(scenario())

    assert len(hop.taken) == 5
    assert hop.connections == 1


def test_a_greeting_that_comes_at_once_is_not_taken_for_an_unasked_reply() -> None:
    async def scenario() -> int:
        async with FakeHop() as hop:
            connection = ClientConnection(settings(hop))
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(
                lambda: connection, "127.0.0.1", hop.port
            )
            await asyncio.sleep(0.02)
            await connection.greet()
            transport.abort()
            return len(hop.commands)

    assert run(scenario()) == 1


def test_tls_that_is_required_and_not_offered_sends_nothing() -> None:
    async def scenario() -> FakeHop:
        async with FakeHop() as hop:
            with pytest.raises(HopAway, match="TLS"):
                await connect(replace(settings(hop), tls=Tls.REQUIRED))
            return hop

    assert run(scenario()).taken == []


def test_bare_line_ends_are_made_whole() -> None:
    _, hop = sent(content=b"Subject: x\n\nText\n")

    assert hop.taken[0].content == b"Subject: x\r\n\r\nText\r\n"
    assert hop.violations == []


def test_a_reply_shows_no_address_in_its_repr() -> None:
    refusal = "550 5.1.1 <ann@a.example> unknown"

    reply, _ = sent(Script(rcpts={"ann": refusal}))

    assert "ann@" in reply.text
    assert "ann@" not in repr(reply)


class Keeper:
    """A handler for the foreign server: keeps what it is given."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []

    async def handle_DATA(
        self, server: object, session: object, envelope: ForeignEnvelope
    ) -> str:
        assert not isinstance(envelope.content, str | ForeignMessage)
        self.contents.append(envelope.content or b"")
        return "250 2.0.0 Kept"


def test_aiosmtpd_takes_what_we_send() -> None:
    keeper = Keeper()

    async def scenario() -> HopReply:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: ForeignServer(keeper, loop=loop), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        reply = await send(ClientSettings("127.0.0.1", port), envelope("ann"), CONTENT)
        server.close()
        return reply

    assert run(scenario()).code == 250
    assert keeper.contents == [CONTENT]
