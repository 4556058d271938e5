# SPDX-License-Identifier: Apache-2.0
"""The SMTP endpoint between a client and the next hop."""

import asyncio
import gc
import ipaddress
import logging
import re
from datetime import timedelta

import pytest

from tests.guard.endpoints.deciding import (
    BEGIN,
    BRIEFLY,
    LONG,
    BySubject,
    Guarded,
    guarded,
    message,
    run,
)
from undisclosed.guard.endpoints.access import Access
from undisclosed.guard.endpoints.settings import SmtpSettings
from undisclosed.transport.listening import PortInUse
from undisclosed.transport.smtp.testing import EVERYTHING, FakeHop, Fault, Script


def codes(heard: list[str]) -> list[int]:
    """The codes alone."""
    return [int(reply[:3]) for reply in heard]


def talked(
    *pieces: bytes,
    hop: FakeHop | None = None,
    checkpoint: BySubject | None = None,
    patience: timedelta = LONG,
) -> tuple[list[str], Guarded]:
    """One client's session; what it heard, and what stands around it afterwards."""

    async def scenario() -> tuple[list[str], Guarded]:
        async with guarded(hop, checkpoint=checkpoint, patience=patience) as there:
            heard = await there.talk(*pieces)
            await asyncio.sleep(0.02)
            return heard, there

    return run(scenario())


def test_accepted_mail_is_passed_on_with_the_hops_own_reply() -> None:
    heard, there = talked(BEGIN, b"DATA\r\n", message("accept"))

    assert codes(heard) == [250, 250, 250, 354, 250]
    assert heard[-1] == "250 2.0.0 Taken by hop.test"
    (mail,) = there.hop.taken
    assert mail.rcpts == (b"RCPT TO:<ann@a.example>",)
    assert there.metrics.counts == ["accepted"]


def test_a_trace_field_is_added_that_names_no_recipient() -> None:
    _, there = talked(BEGIN, b"DATA\r\n", message("accept"))

    content = there.hop.taken[0].content.decode()
    trace, subject, rest = content.partition("Subject: accept\r\n\r\nText\r\n")
    assert (subject, rest) != ("", "x")
    assert re.fullmatch(
        r"Received: from client\.test \(\[127\.0\.0\.1\]\)\r\n"
        r" by guard\.test with ESMTP id [0-9a-f]{8}\.1;\r\n"
        r" \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n",
        trace,
    )


def test_a_client_called_by_an_address_does_not_show_it_in_the_trace_field() -> None:
    begin = BEGIN.replace(b"client.test", b"sam@council.example")

    _, there = talked(begin, b"DATA\r\n", message("accept"))

    assert b"Received: from unknown (" in there.hop.taken[0].content


def test_the_hop_hears_nothing_of_the_content_before_the_verdict() -> None:
    checkpoint = BySubject()
    checkpoint.slow.clear()

    async def scenario() -> tuple[list[str], list[str]]:
        async with guarded(checkpoint=checkpoint) as there:
            client = await there.client()
            await client.say(BEGIN)
            await client.say(b"DATA\r\n")
            client.writer.write(message("memory accept"))
            await asyncio.sleep(0.05)
            before = there.hop.verbs()
            checkpoint.slow.set()
            reply = await client.reply()
            assert reply.startswith("250")
            client.close()
            return before, there.hop.verbs()

    before, after = run(scenario())

    assert "DATA" not in before
    assert "DATA" in after


def test_removed_fields_do_not_travel() -> None:
    content = message("accept", "Bcc: bob@b.example", "X-After: 1")

    _, there = talked(BEGIN, b"DATA\r\n", content)

    passed = there.hop.taken[0].content
    assert passed.endswith(b"Subject: accept\r\nX-After: 1\r\n\r\nText\r\n")


def test_observed_mail_passes_unchanged() -> None:
    content = message("hold", "Bcc: bob@b.example")

    heard, there = talked(
        BEGIN, b"DATA\r\n", content, checkpoint=BySubject(is_observed=True)
    )

    assert codes(heard)[-1] == 250
    assert b"Bcc: bob@b.example" in there.hop.taken[0].content
    assert there.checkpoint.held == []


@pytest.mark.parametrize("subject", ["hold", "split", "memory hold"])
def test_held_mail_is_committed_and_never_reaches_the_hop(subject: str) -> None:
    heard, there = talked(BEGIN, b"DATA\r\n", message(subject), b"QUIT\r\n")

    assert heard[4].startswith("250 2.0.0 Held")
    assert heard[4].endswith("h1")
    assert len(there.checkpoint.held) == 1
    assert there.hop.taken == []
    assert there.hop.verbs()[-1] in ("RSET", "QUIT")
    assert "DATA" not in there.hop.verbs()
    assert there.metrics.counts == ["held"]


def test_rejected_mail_says_why_in_several_lines() -> None:
    heard, there = talked(BEGIN, b"DATA\r\n", message("memory reject"))

    lines = heard[-1].split("\n")
    assert lines[0].startswith("550-5.7.1 ")
    assert "5.7.1 37 people would see each other." in lines
    assert lines[-1] == "5.7.1 A recall delivers it again."
    assert there.hop.taken == []
    assert there.metrics.counts == ["rejected"]


@pytest.mark.parametrize("subject", ["break", "memory away"])
def test_trouble_of_ours_is_451_and_nothing_passes(subject: str) -> None:
    heard, there = talked(BEGIN, b"DATA\r\n", message(subject))

    assert heard[-1].startswith("451 4.3.0")
    assert there.hop.taken == []
    assert there.metrics.counts == ["refused"]


def test_a_spool_that_is_away_is_451() -> None:
    heard, there = talked(
        BEGIN, b"DATA\r\n", message("hold"), checkpoint=BySubject(is_spool_away=True)
    )

    assert heard[-1].startswith("451 4.3.0")
    assert there.hop.taken == []


def test_a_judge_that_breaks_logs_no_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        talked(BEGIN, b"DATA\r\n", message("break"))

    assert "RuntimeError" in caplog.text
    assert "ann@" not in caplog.text


@pytest.mark.parametrize(
    ("script", "subject", "settled"),
    [
        pytest.param(Script(), "memory accept", [True], id="taken"),
        pytest.param(
            Script(final="451 4.3.0 Later"), "memory accept", [False], id="refused"
        ),
        pytest.param(
            Script(data="451 4.3.0 Later"), "memory accept", [False], id="DATA refused"
        ),
        pytest.param(Script(final=Fault.CLOSE), "memory accept", [True], id="no reply"),
        pytest.param(Script(data=Fault.CLOSE), "memory accept", [False], id="no DATA"),
        pytest.param(Script(), "accept", [], id="no place"),
    ],
)
def test_memory_hears_what_became_of_the_mail(
    script: Script, subject: str, settled: list[bool]
) -> None:
    _, there = talked(BEGIN, b"DATA\r\n", message(subject), hop=FakeHop(script=script))

    assert there.checkpoint.settled == settled


def test_each_recipient_gets_the_hops_own_answer() -> None:
    rcpts = {"bob": "550 5.1.1 No such user", "cy": "451 4.2.1 Mailbox busy"}
    more = b"RCPT TO:<bob@b.example>\r\nRCPT TO:<cy@c.example>\r\n"

    heard, there = talked(
        BEGIN + more,
        b"DATA\r\n",
        message("accept"),
        hop=FakeHop(script=Script(rcpts=rcpts)),
    )

    assert heard[3:5] == ["550 5.1.1 No such user", "451 4.2.1 Mailbox busy"]
    assert codes(heard)[-1] == 250
    (judged,) = there.checkpoint.judged
    assert len(judged.envelope.recipients) == 1
    assert there.hop.taken[0].rcpts == (b"RCPT TO:<ann@a.example>",)


@pytest.mark.parametrize(
    ("script", "replies"),
    [
        pytest.param(Script(mail="550 5.7.1 Not you"), [550, 503], id="MAIL refused"),
        pytest.param(Script(mail=Fault.CLOSE), [451, 451], id="closes at MAIL"),
        pytest.param(Script(mail=Fault.SILENCE), [451, 451], id="silent at MAIL"),
        pytest.param(
            Script(mail="421 4.3.2 Shutting down"), [451, 451], id="421 at MAIL"
        ),
        pytest.param(Script(mail="354 What?"), [451, 451], id="out of turn"),
        pytest.param(
            Script(rcpts={"ann": Fault.CLOSE}), [250, 451], id="closes at RCPT"
        ),
        pytest.param(
            Script(greeting="554 5.3.2 Not now"), [451, 451], id="no greeting"
        ),
        pytest.param(Script(greeting=Fault.CLOSE), [451, 451], id="closes at once"),
    ],
)
def test_a_hop_that_misbehaves_costs_a_451(script: Script, replies: list[int]) -> None:
    patience = BRIEFLY if Fault.SILENCE in (script.mail, script.final) else LONG

    heard, there = talked(BEGIN, hop=FakeHop(script=script), patience=patience)

    assert codes(heard)[1:] == replies
    assert there.hop.taken == []


@pytest.mark.parametrize(
    ("script", "reply"),
    [
        pytest.param(Script(final="552 5.3.4 Too big"), "552 5.3.4 Too big", id="552"),
        pytest.param(Script(final="250 fine"), "250 fine", id="250"),
        pytest.param(Script(data="554 5.5.1 No"), "554 5.5.1 No", id="DATA refused"),
        pytest.param(Script(data=Fault.CLOSE), "451 4.4.2", id="closes at DATA"),
        pytest.param(Script(content=Fault.CLOSE), "451 4.4.2", id="closes in it"),
        pytest.param(Script(final=Fault.CLOSE), "451 4.4.2", id="closes at the dot"),
        pytest.param(Script(final=Fault.SILENCE), "451 4.4.2", id="silent"),
        pytest.param(Script(final="421 4.3.2 Bye"), "451 4.4.2", id="421"),
        pytest.param(Script(final="354 What?"), "451 4.5.0", id="out of turn"),
    ],
)
def test_the_hops_reply_to_the_content_is_ours(script: Script, reply: str) -> None:
    patience = BRIEFLY if script.final is Fault.SILENCE else LONG

    heard, _ = talked(
        BEGIN,
        b"DATA\r\n",
        message("accept"),
        hop=FakeHop(("PIPELINING",), script),
        patience=patience,
    )

    assert heard[-1].startswith(reply.replace("250 fine", "250 2.0.0 fine"))


def test_a_hop_that_is_away_is_451_at_mail_and_is_found_again() -> None:
    async def scenario() -> tuple[list[str], list[str]]:
        async with guarded() as there:
            await there.hop.stop()
            away = await there.talk(BEGIN, b"RSET\r\n")
            await there.hop.start()
            back = await there.talk(BEGIN, b"DATA\r\n", message("accept"))
            return away, back

    away, back = run(scenario())

    assert away[1].startswith("451 4.4.1")
    assert codes(away) == [250, 451, 451, 250]
    assert codes(back)[-1] == 250


def test_a_kept_connection_that_was_closed_is_replaced_unseen() -> None:
    async def scenario() -> tuple[list[str], FakeHop]:
        async with guarded() as there:
            client = await there.client()
            await client.say(BEGIN)
            await client.say(b"DATA\r\n")
            await client.say(message("accept"))
            for session in tuple(there.hop.sessions):
                session.close_at_next_command()
            heard = await client.say(BEGIN)
            heard += await client.say(b"DATA\r\n")
            heard += await client.say(message("accept"))
            client.close()
            return heard, there.hop

    heard, hop = run(scenario())

    assert codes(heard) == [250, 250, 250, 354, 250]
    assert len(hop.taken) == 2
    assert hop.connections == 2


def test_connections_to_the_hop_are_kept() -> None:
    async def scenario() -> FakeHop:
        async with guarded() as there:
            for _ in range(5):
                await there.talk(BEGIN, b"DATA\r\n", message("accept"), b"QUIT\r\n")
            return there.hop

    hop = run(scenario())

    assert len(hop.taken) == 5
    assert hop.connections == 1


def test_sessions_above_the_hops_connections_wait_for_one() -> None:
    async def scenario() -> FakeHop:
        async with guarded(max_connections=2) as there:
            await asyncio.gather(
                *(there.talk(BEGIN, b"DATA\r\n", message("accept")) for _ in range(20))
            )
            return there.hop

    hop = run(scenario())

    assert len(hop.taken) == 20
    assert hop.connections <= 2


@pytest.mark.parametrize(
    "offers", [EVERYTHING, ("8BITMIME", "SIZE 1000"), ()], ids=["all", "two", "none"]
)
def test_only_what_the_hop_carries_is_offered(offers: tuple[str, ...]) -> None:
    heard, there = talked(BEGIN, b"DATA\r\n", message("accept"), hop=FakeHop(offers))

    lines = heard[0].split("\n")
    for word in ("8BITMIME", "SMTPUTF8", "DSN"):
        assert (word in lines) is (word in offers)
    assert "PIPELINING" in lines
    assert "ENHANCEDSTATUSCODES" in lines
    assert ("SIZE 1000" in lines) is ("SIZE 1000" in offers)
    assert not {"CHUNKING", "REQUIRETLS", "AUTH", "STARTTLS"} & set(lines)
    assert codes(heard)[-1] == 250
    assert there.hop.violations == []


def test_parameters_reach_the_hop() -> None:
    said = (
        b"EHLO c\r\nMAIL FROM:<sam@council.example> BODY=8BITMIME SMTPUTF8 SIZE=99"
        b" RET=HDRS ENVID=q\r\nRCPT TO:<ann@a.example> NOTIFY=FAILURE,DELAY"
        b" ORCPT=rfc822;ann@a.example\r\n"
    )

    _, there = talked(said, b"DATA\r\n", message("accept"))

    assert there.hop.taken[0].mail == (
        b"MAIL FROM:<sam@council.example>"
        b" BODY=8BITMIME SMTPUTF8 SIZE=99 RET=HDRS ENVID=q"
    )
    assert there.hop.taken[0].rcpts == (
        b"RCPT TO:<ann@a.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;ann@a.example",
    )


@pytest.mark.parametrize(
    ("said", "reply"),
    [
        pytest.param(b"MAIL FROM:<> BODY=8BITMIME\r\n", "554 5.6.3", id="8BITMIME"),
        pytest.param(b"MAIL FROM:<> SMTPUTF8\r\n", "553 5.6.7", id="SMTPUTF8"),
        pytest.param(b"MAIL FROM:<> RET=FULL\r\n", "555 5.5.4", id="DSN"),
        pytest.param(b"MAIL FROM:<> REQUIRETLS\r\n", "555 5.5.4", id="REQUIRETLS"),
    ],
)
def test_what_the_hop_cannot_carry_is_refused(said: bytes, reply: str) -> None:
    heard, _ = talked(b"EHLO c\r\n", said, hop=FakeHop(()))

    assert heard[-1].startswith(reply)


def test_eight_bit_content_is_refused_where_the_hop_has_seven() -> None:
    content = message("accept", body="é")

    heard, there = talked(BEGIN, b"DATA\r\n", content, hop=FakeHop(()))

    assert heard[-1].startswith("554 5.6.3")
    assert there.hop.taken == []


def test_mail_that_goes_round_in_circles_is_refused() -> None:
    fields = ["Received: from a by b; x"] * 51

    heard, there = talked(BEGIN, b"DATA\r\n", message("accept", *fields))

    assert heard[-1].startswith("554 5.4.6")
    assert there.hop.taken == []


def test_rset_reaches_the_hop_and_the_next_mail_is_its_own() -> None:
    heard, there = talked(
        BEGIN,
        b"RSET\r\n",
        b"MAIL FROM:<olive@council.example>\r\nRCPT TO:<bob@b.example>\r\n",
        b"DATA\r\n",
        message("accept"),
    )

    assert codes(heard) == [250, 250, 250, 250, 250, 250, 354, 250]
    (mail,) = there.hop.taken
    assert mail.mail.startswith(b"MAIL FROM:<olive@council.example>")
    assert mail.rcpts == (b"RCPT TO:<bob@b.example>",)
    assert there.hop.verbs().count("RSET") == 1


def test_a_client_that_goes_away_in_the_content_passes_nothing() -> None:
    async def scenario() -> Guarded:
        async with guarded() as there:
            client = await there.client()
            await client.say(BEGIN)
            await client.say(b"DATA\r\n")
            client.writer.write(b"Subject: accept\r\n\r\nTe")
            await asyncio.sleep(0.02)
            client.close()
            await asyncio.sleep(0.05)
            assert there.hop.verbs()[-1] == "RSET"
            return there

    there = run(scenario())

    assert there.hop.taken == []
    assert there.checkpoint.judged == []


def test_a_client_that_goes_away_while_we_decide_passes_nothing() -> None:
    checkpoint = BySubject()
    checkpoint.slow.clear()

    async def scenario() -> Guarded:
        async with guarded(checkpoint=checkpoint) as there:
            client = await there.client()
            await client.say(BEGIN)
            await client.say(b"DATA\r\n")
            client.writer.write(message("memory accept"))
            await asyncio.sleep(0.05)
            client.close()
            await asyncio.sleep(0.05)
            checkpoint.slow.set()
            await asyncio.sleep(0.1)
            return there

    there = run(scenario())

    assert there.hop.taken == []
    assert there.checkpoint.settled == [False]


def test_a_refused_message_ends_the_hops_transaction_too() -> None:
    smuggled = b"Subject: accept\r\n\r\nText\n.\nMAIL FROM:<e@e.test>\r\n.\r\n"

    heard, there = talked(BEGIN, b"DATA\r\n", smuggled, BEGIN[-25:], b"QUIT\r\n")

    assert heard[4].startswith("554 5.6.0")
    assert there.hop.taken == []
    assert "RSET" in there.hop.verbs()


def test_a_pipelining_client_and_a_waiting_one_get_the_same() -> None:
    batch = BEGIN + b"RCPT TO:<bob@b.example>\r\nDATA\r\n"

    ahead, there = talked(batch, message("accept") + b"QUIT\r\n", b"")
    waiting, _ = talked(
        *(line + b"\r\n" for line in batch.split(b"\r\n")[:-1]), message("accept")
    )

    assert ahead[: len(waiting)] == waiting
    assert len(there.hop.taken) == 1


def test_a_hop_without_pipelining_is_never_sent_ahead() -> None:
    batch = BEGIN + b"RCPT TO:<bob@b.example>\r\nRCPT TO:<cy@c.example>\r\nDATA\r\n"
    hop = FakeHop(("8BITMIME",), Script(delay=0.002))

    heard, there = talked(batch, message("accept"), hop=hop)

    assert codes(heard) == [250, 250, 250, 250, 250, 354, 250]
    assert there.hop.violations == []


def test_nobody_but_listed_clients_is_served() -> None:
    listed = (ipaddress.ip_network("192.0.2.0/24"),)

    async def scenario() -> tuple[str, FakeHop]:
        async with guarded(
            settings=SmtpSettings(access=Access(clients=listed))
        ) as there:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", there.endpoint.port
            )
            writer.write(BEGIN + b"DATA\r\n" + message("accept"))
            try:
                heard = (await reader.read()).decode()
            except ConnectionError:
                heard = ""
            writer.close()
            return heard, there.hop

    heard, hop = run(scenario())

    assert heard in ("554 5.7.1 This client is not listed here\r\n", "")
    assert hop.commands == []


def test_a_message_over_the_size_limit_is_552_and_reaches_nobody() -> None:
    async def scenario() -> tuple[list[str], Guarded]:
        async with guarded(settings=SmtpSettings(max_size=10_000)) as there:
            big = message("accept", body="x" * 70 + "\r\n" + "y\r\n" * 10_000)
            heard = await there.talk(BEGIN, b"DATA\r\n", big, b"NOOP\r\n")
            return heard, there

    heard, there = run(scenario())

    assert heard[0].split("\n")[2] == "SIZE 10000"
    assert heard[-2].startswith("552 5.3.4")
    assert codes(heard)[-1] == 250
    assert there.hop.taken == []


def test_a_port_in_use_is_a_clear_error() -> None:
    async def scenario() -> None:
        async with guarded() as one, guarded() as other:
            with pytest.raises(PortInUse):
                await other.endpoint.serve(port=one.endpoint.port)

    run(scenario())


def test_closing_waits_for_the_mail_that_is_being_decided() -> None:
    checkpoint = BySubject()
    checkpoint.slow.clear()

    async def scenario() -> tuple[list[str], Guarded]:
        settings = SmtpSettings(grace=timedelta(seconds=10))
        async with guarded(checkpoint=checkpoint, settings=settings) as there:
            client = await there.client()
            await client.say(BEGIN)
            await client.say(b"DATA\r\n")
            client.writer.write(message("memory accept"))
            await asyncio.sleep(0.05)
            closing = asyncio.create_task(there.endpoint.close())
            await asyncio.sleep(0.05)
            checkpoint.slow.set()
            heard = [await client.reply(), await client.reply()]
            await closing
            client.close()
            return heard, there

    heard, there = run(scenario())

    assert codes(heard) == [250, 421]
    assert len(there.hop.taken) == 1


def test_nothing_hangs_while_the_garbage_collector_runs() -> None:
    async def scenario() -> FakeHop:
        hop = FakeHop(script=Script(delay=0.002))
        async with guarded(hop, max_connections=4) as there:
            mails = [
                there.talk(BEGIN, b"DATA\r\n", message(subject), b"QUIT\r\n")
                for subject in ("accept", "memory accept") * 30
            ]
            sending = asyncio.gather(*mails)
            while not sending.done():
                gc.collect()
                await asyncio.sleep(0.001)
            await sending
            return there.hop

    assert len(run(scenario()).taken) == 60
