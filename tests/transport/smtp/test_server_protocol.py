# SPDX-License-Identifier: Apache-2.0
"""The server's state machine: any bytes, any pieces, every reply in its place."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.smtp.talking import PATIENT, Conversation, codes
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.limits import Budget, Limits
from undisclosed.transport.smtp.protocol import (
    MailFrom,
    Message,
    MessageRefused,
    RcptTo,
    ServerProtocol,
    ServerState,
    StartTls,
)

CORPUS = Path("../shared/corpora/smtp/eod_sequences.json")

LINES = st.sampled_from(
    [
        b"EHLO client.test\r\n",
        b"HELO client.test\r\n",
        b"EHLO\r\n",
        b"MAIL FROM:<sam@council.example>\r\n",
        b"MAIL FROM:<>\r\n",
        b"mail from: <sam@council.example> SIZE=12 BODY=8BITMIME RET=HDRS ENVID=q\r\n",
        b"MAIL FROM:<sam@council.example> SIZE=99999\r\n",
        b"RCPT TO:<ann@a.example> NOTIFY=NEVER\r\n",
        b"RCPT TO:<refused@a.example>\r\n",
        b"RCPT TO:<\xc3\xa9@a.example>\r\n",
        b'RCPT TO:<"a > b"@a.example>\r\n',
        b"DATA\r\n",
        b"Subject: x\r\n",
        b"\r\n",
        b"..dotted\r\n",
        b".single\r\n",
        b".\r\n",
        b".\n",
        b"bare\nline\r\n",
        b"RSET\r\n",
        b"NOOP\r\n",
        b"VRFY ann\r\n",
        b"AUTH PLAIN x\r\n",
        b"QUIT\r\n",
        b"x" * 3000 + b"\r\n",
    ]
)
STREAMS = st.lists(LINES, max_size=30).map(
    lambda lines: b"EHLO client.test\r\n" + b"".join(lines)
)
BEGIN = (
    b"EHLO client.test\r\nMAIL FROM:<sam@council.example>\r\n"
    b"RCPT TO:<ann@a.example>\r\nDATA\r\n"
)


def begun(limits: Limits | None = None) -> Conversation:
    """A conversation in which the content comes next."""
    conversation = Conversation(limits)
    conversation.send(BEGIN)
    conversation.said = b""
    return conversation


@PATIENT
@given(STREAMS, st.lists(st.integers(0, 5000), max_size=40))
def test_any_pieces_of_one_stream_lead_to_the_same_events(
    stream: bytes, cuts: list[int]
) -> None:
    whole, pieces = Conversation(), Conversation()

    whole.send(stream)
    edges = [0, *sorted({cut % (len(stream) + 1) for cut in cuts}), len(stream)]
    for start, end in pairwise(edges):
        pieces.send(stream[start:end])

    assert pieces.outcome() == whole.outcome()


@PATIENT
@given(st.lists(LINES, max_size=30))
def test_a_pipelining_client_hears_what_a_waiting_one_hears(lines: list[bytes]) -> None:
    waiting, ahead = Conversation(), Conversation()

    for line in [b"EHLO client.test\r\n", *lines]:
        waiting.send(line)
    ahead.send(b"EHLO client.test\r\n" + b"".join(lines))

    assert ahead.outcome() == waiting.outcome()


@PATIENT
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_bytes_raise(pieces: list[bytes]) -> None:
    conversation = Conversation()

    for piece in pieces:
        conversation.send(piece)

    assert conversation.machine.backlog <= Limits().max_line


@PATIENT
@given(st.lists(st.binary(max_size=200), max_size=20))
def test_no_content_raises_or_stays(pieces: list[bytes]) -> None:
    budget = Budget(100_000)
    conversation = begun(Limits(budget=budget))

    for piece in pieces:
        conversation.send(piece)
    conversation.machine.close()

    assert budget.used == 0


@PATIENT
@given(st.lists(st.text("ab. ", max_size=5), max_size=20))
def test_dots_at_the_beginning_of_lines_are_undone(lines: list[str]) -> None:
    content = "".join(f"{line}\r\n" for line in lines).encode()
    stuffed = "".join(
        f".{line}\r\n" if line.startswith(".") else f"{line}\r\n" for line in lines
    ).encode()
    conversation = begun()

    conversation.send(stuffed + b".\r\n")

    message = conversation.events[-1]
    assert isinstance(message, Message)
    assert message.mail.content == content


def test_the_envelope_is_what_was_said_and_taken() -> None:
    conversation = Conversation()

    conversation.send(
        b"EHLO client.test\r\n"
        b"MAIL FROM:<sam@council.example> BODY=8BITMIME smtputf8 RET=HDRS ENVID=q1\r\n"
        b"RCPT TO:<ann@a.example> NOTIFY=FAILURE ORCPT=rfc822;ann@a.example\r\n"
        b"RCPT TO:<refused@a.example>\r\n"
        b"RCPT TO:<@relay.example,@b.example:bob@b.example>\r\nDATA\r\n"
        b"Subject: x\r\n\r\nText\r\n.\r\n"
    )

    message = conversation.events[-1]
    assert isinstance(message, Message)
    envelope = message.mail.envelope
    assert envelope.mail_from is not None
    assert envelope.mail_from.spelled_out() == "sam@council.example"
    assert envelope.parameters == (
        "BODY=8BITMIME",
        "SMTPUTF8",
        "RET=HDRS",
        "ENVID=q1",
    )
    assert [r.address.spelled_out() for r in envelope.recipients] == [
        "ann@a.example",
        "bob@b.example",
    ]
    assert envelope.recipients[0].parameters == (
        "NOTIFY=FAILURE",
        "ORCPT=rfc822;ann@a.example",
    )
    assert message.mail.content == b"Subject: x\r\n\r\nText\r\n"


def test_the_null_sender_is_none() -> None:
    conversation = Conversation()

    conversation.send(b"EHLO c.test\r\nMAIL FROM:<>\r\n")

    event = conversation.events[-1]
    assert isinstance(event, MailFrom)
    assert event.mail_from is None


@pytest.mark.parametrize(
    ("said", "code"),
    [
        pytest.param(b"MAIL FROM:<a@b.example>\r\n", 503, id="MAIL before EHLO"),
        pytest.param(b"EHLO c\r\nRCPT TO:<a@b.example>\r\n", 503, id="RCPT first"),
        pytest.param(b"EHLO c\r\nDATA\r\n", 503, id="DATA first"),
        pytest.param(
            b"EHLO c\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\n", 503, id="nested MAIL"
        ),
        pytest.param(b"EHLO c\r\nMAIL FROM:<>\r\nDATA\r\n", 503, id="no RCPT"),
        pytest.param(
            b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<refused@x.example>\r\nDATA\r\n",
            554,
            id="no valid recipient",
        ),
        pytest.param(b"EHLO\r\n", 501, id="EHLO without a name"),
        pytest.param(b"EHLO c\r\nMAIL TO:<a@b.example>\r\n", 501, id="MAIL TO"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<a@b.example\r\n", 501, id="no bracket"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<a@>\r\n", 501, id="no domain"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<a b@c.example>\r\n", 501, id="a space"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<a@b\x0bc>\r\n", 501, id="a control"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<a@b.example>X=1\r\n", 501, id="glued"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<> FOO=1\r\n", 555, id="unknown"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<> REQUIRETLS\r\n", 555, id="REQUIRETLS"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<> AUTH=<>\r\n", 555, id="AUTH="),
        pytest.param(b"EHLO c\r\nMAIL FROM:<> SIZE=x\r\n", 501, id="SIZE=x"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<> SIZE=1 SIZE=1\r\n", 501, id="twice"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<> SIZE=10001\r\n", 552, id="too big"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<> BODY=BINARYMIME\r\n", 501, id="binary"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<> RET=ALL\r\n", 501, id="RET=ALL"),
        pytest.param(b"HELO c\r\nMAIL FROM:<> RET=HDRS\r\n", 555, id="after HELO"),
        pytest.param(b"HELO c\r\nMAIL FROM:<> BODY=7BIT\r\n", 250, id="7BIT"),
        pytest.param(
            b"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.example> NOTIFY=NEVER,DELAY\r\n",
            501,
            id="NOTIFY",
        ),
        pytest.param(b"EHLO c\r\nMAIL FROM:<\xc3\xa9@b.example>\r\n", 553, id="UTF-8"),
        pytest.param(b"EHLO c\r\nMAIL FROM:<\xff@b.example>\r\n", 501, id="not UTF-8"),
        pytest.param(b"EHLO c\r\nAUTH PLAIN AGE=\r\n", 502, id="AUTH"),
        pytest.param(b"EHLO c\r\nBDAT 12 LAST\r\n", 502, id="BDAT"),
        pytest.param(b"EHLO c\r\nSTARTTLS\r\n", 502, id="STARTTLS not offered"),
        pytest.param(b"GET / HTTP/1.1\r\n", 500, id="another protocol"),
        pytest.param(b"NOOP\n", 500, id="bare LF"),
        pytest.param(b"NOOP\rNOOP\r\n", 500, id="bare CR"),
        pytest.param(b"NO\0OP\r\n", 500, id="NUL"),
        pytest.param(b"NOOP " + b"x" * 3000 + b"\r\n", 500, id="long line"),
        pytest.param(b"VRFY ann\r\n", 252, id="VRFY"),
        pytest.param(b"HELP\r\n", 214, id="HELP"),
        pytest.param(b"noop\r\n", 250, id="NOOP in small letters"),
        pytest.param(b"QUIT\r\n", 221, id="QUIT"),
    ],
)
def test_each_command_has_its_reply(said: bytes, code: int) -> None:
    conversation = Conversation()

    conversation.send(said)

    assert codes(conversation.said)[-1] == code


def test_unknown_commands_without_end_close_the_session() -> None:
    conversation = Conversation(Limits(max_errors=3))

    conversation.send(b"FOO\r\n" * 10)

    assert codes(conversation.said) == [220, 500, 500, 500, 500, 421]
    assert conversation.machine.state is ServerState.CLOSED


def test_recipients_above_the_limit_wait_for_the_next_transaction() -> None:
    conversation = Conversation(Limits(max_recipients=2))

    conversation.send(
        b"EHLO c.test\r\nMAIL FROM:<>\r\n" + b"RCPT TO:<ann@a.example>\r\n" * 4
    )

    assert codes(conversation.said)[-4:] == [250, 250, 452, 452]


@pytest.mark.parametrize("piece", [1, 7, 100_000])
def test_content_above_the_size_limit_is_drained_without_being_stored(
    piece: int,
) -> None:
    conversation = begun(Limits(max_size=1000))
    conversation.machine.extensions = Extensions()
    content = b"x" * 70 + b"\r\n"
    stream = content * 100 + b".\r\nNOOP\r\n"

    for start in range(0, len(stream), piece):
        conversation.send(stream[start : start + piece])
        assert conversation.machine.backlog <= 1010

    assert codes(conversation.said) == [552, 250]
    assert isinstance(conversation.events[-1], MessageRefused)


def test_content_of_exactly_the_limit_is_taken() -> None:
    conversation = begun(Limits(max_size=1000))
    conversation.machine.extensions = Extensions()

    conversation.send(b"x" * 998 + b"\r\n.\r\n")

    assert codes(conversation.said) == [250]


def test_content_above_the_budget_in_flight_is_drained() -> None:
    budget = Budget(5000)
    conversation, other = begun(Limits(budget=budget)), begun(Limits(budget=budget))

    other.send(b"x" * 4000)
    conversation.send(b"x" * 4000 + b"\r\n.\r\n")
    other.send(b"\r\n.\r\n")

    assert codes(conversation.said) == [452]
    assert codes(other.said) == [250]
    assert budget.used == 0


def test_a_size_that_the_budget_has_no_room_for_is_refused_at_mail() -> None:
    conversation = Conversation(Limits(budget=Budget(100)))

    conversation.send(b"EHLO c.test\r\nMAIL FROM:<> SIZE=200\r\n")

    assert codes(conversation.said)[-1] == 452


def smuggling() -> list[object]:
    if not CORPUS.exists():
        reason = "the corpus of end-of-data sequences is not there"
        return [pytest.param(b"", marks=pytest.mark.skip(reason), id="no corpus")]
    sequences = json.loads(CORPUS.read_text())["sequences"]
    return [pytest.param(text.encode(), id=name) for name, text in sequences.items()]


@pytest.mark.parametrize("sequence", smuggling())
def test_a_false_end_of_data_neither_ends_data_nor_passes(sequence: bytes) -> None:
    conversation = begun()

    conversation.send(
        b"Subject: x\r\n\r\nText" + sequence + b"MAIL FROM:<e@e.test>\r\n"
    )

    assert conversation.said == b""
    conversation.send(b".\r\n")
    assert codes(conversation.said) == [554]
    assert isinstance(conversation.events[-1], MessageRefused)


def test_a_line_above_the_limit_is_refused() -> None:
    conversation = begun(Limits(max_text_line=100))

    conversation.send(b"x" * 50 + b"\r\n" + b"x" * 200 + b"\r\n.\r\n")

    assert codes(conversation.said) == [554]


def test_replies_leave_in_the_order_of_the_commands() -> None:
    machine = ServerProtocol("mx.test", Limits())
    machine.receive(b"HELO c.test\r\n")
    hello = machine.next_event()
    assert hello is not None
    machine.offer(1, Extensions())
    machine.receive(
        b"MAIL FROM:<>\r\nRCPT TO:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nRCPT\r\n"
    )
    events = [machine.next_event() for _ in range(4)]
    machine.data_to_send()

    machine.answer(4, replies.reply(250, "2.1.5 b"))
    machine.answer(3, replies.reply(250, "2.1.5 a"))
    assert machine.data_to_send() == b""
    machine.answer(2, replies.SENDER_OK)

    assert [type(e) for e in events] == [MailFrom, RcptTo, RcptTo, type(None)]
    said = machine.data_to_send()
    assert codes(said) == [250, 250, 250, 501]
    assert said.index(b"2.1.5 a") < said.index(b"2.1.5 b")


def test_data_waits_until_every_recipient_is_answered() -> None:
    machine = ServerProtocol("mx.test", Limits())
    machine.receive(b"HELO c.test\r\n")
    machine.next_event()
    machine.offer(1, Extensions())
    machine.receive(b"MAIL FROM:<>\r\nRCPT TO:<a@a.example>\r\nDATA\r\n")
    while machine.next_event() is not None:
        pass
    machine.data_to_send()

    machine.answer(2, replies.SENDER_OK)
    assert machine.next_event() is None
    assert machine.waiting == 1
    machine.answer(3, replies.RECIPIENT_OK)
    assert machine.next_event() is None

    assert machine.state is ServerState.CONTENT
    assert codes(machine.data_to_send()) == [250, 250, 354]


def test_a_recipient_read_ahead_of_a_refused_sender_is_not_kept() -> None:
    machine = ServerProtocol("mx.test", Limits())
    machine.receive(b"HELO c.test\r\n")
    machine.next_event()
    machine.offer(1, Extensions())
    machine.receive(b"MAIL FROM:<>\r\nRCPT TO:<a@a.example>\r\nDATA\r\n")
    while machine.next_event() is not None:
        pass
    machine.data_to_send()

    machine.answer(2, replies.reply(550, "5.7.1 No"))
    machine.answer(3, replies.RECIPIENT_OK)
    machine.next_event()

    assert codes(machine.data_to_send()) == [550, 503, 503]


def secure(conversation: Conversation) -> Conversation:
    conversation.offered = Extensions(starttls=True, size=0)
    conversation.send(b"EHLO c.test\r\nMAIL FROM:<>\r\n")
    conversation.send(b"RSET\r\n")
    conversation.said = b""
    return conversation


def test_after_tls_everything_is_forgotten() -> None:
    conversation = secure(Conversation())

    conversation.send(b"STARTTLS\r\n")
    assert isinstance(conversation.events[-1], StartTls)
    assert conversation.machine.state is ServerState.TLS
    conversation.machine.secured()
    conversation.send(b"MAIL FROM:<>\r\n")

    assert codes(conversation.said) == [250, 503]
    conversation.said = b""
    conversation.send(b"EHLO c.test\r\nSTARTTLS\r\n")
    assert codes(conversation.said) == [250, 503]


def test_commands_behind_starttls_are_not_taken_into_it() -> None:
    conversation = secure(Conversation())

    conversation.send(b"STARTTLS\r\nMAIL FROM:<e@e.test>\r\n")

    assert codes(conversation.said) == [554]
    assert conversation.machine.state is ServerState.CLOSED
    assert not any(isinstance(event, StartTls) for event in conversation.events)


def test_a_shut_down_waits_for_the_open_transaction() -> None:
    conversation = begun()

    assert not conversation.machine.shut_down()
    conversation.send(b"Text\r\n.\r\n")

    assert codes(conversation.said) == [250, 421]
    assert conversation.machine.state is ServerState.CLOSED


def test_a_shut_down_between_transactions_is_at_once() -> None:
    conversation = Conversation()
    conversation.send(b"EHLO c.test\r\n")

    assert conversation.machine.shut_down()
    assert codes(conversation.machine.data_to_send()) == [421]


def test_nothing_that_is_said_stands_in_a_repr() -> None:
    conversation = Conversation()

    conversation.send(
        b"EHLO c.test\r\nMAIL FROM:<sam@council.example> ENVID=sam@council.example\r\n"
        b"RCPT TO:<ann@a.example> ORCPT=rfc822;ann@a.example\r\nDATA\r\n"
        b"To: ann@a.example\r\n.\r\n"
    )

    printed = repr(conversation.events)
    assert "sam@" not in printed
    assert "ann@" not in printed
