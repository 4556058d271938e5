# SPDX-License-Identifier: Apache-2.0
"""The milter's end as a state machine: what an MTA tells becomes one mail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.milter.telling import (
    CONNECT,
    events,
    heard,
    offer,
    packet,
    strings,
    told,
)
from undisclosed.core.address import Address
from undisclosed.transport.milter.errors import MtaError
from undisclosed.transport.milter.events import GivenUp, Message, MessageRefused
from undisclosed.transport.milter.protocol import MilterProtocol, MilterState
from undisclosed.transport.milter.responses import (
    ACCEPTED,
    KEPT,
    Deletion,
    Outcome,
    Response,
    refused,
)
from undisclosed.transport.smtp.limits import Budget, Limits
from undisclosed.transport.smtp.replies import Reply

TO = (b"To", b" ann@a.example")
SUBJECT = (b"Subject", b" Rates")

names = st.from_regex(rb"[A-Za-z][A-Za-z-]{0,12}", fullmatch=True)
values = st.from_regex(rb"(?: [!-~]{1,20}(?:\n [!-~]{1,20}){0,2}){0,2}", fullmatch=True)
bodies = st.lists(
    st.sampled_from([b"Text\r\n", b".\r\n", b"\r\n", b"x" * 99 + b"\r\n"])
)


def machine(limits: Limits | None = None, first: bytes = b"") -> MilterProtocol:
    """A machine that has agreed on everything, or on what ``first`` offers."""
    made = MilterProtocol(limits or Limits())
    made.receive(first or offer())
    assert made.next_event() is None
    made.data_to_send()
    return made


@given(st.lists(st.tuples(names, values), max_size=8), bodies, st.integers(1, 70))
def test_the_content_is_put_together_whatever_the_pieces(fields, lines, size):
    stream = CONNECT + told(*fields, body=b"".join(lines))
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]

    (message,) = events(machine(), *pieces)

    assert isinstance(message, Message)
    header = b"".join(
        name + b":" + value.replace(b"\n", b"\r\n") + b"\r\n" for name, value in fields
    )
    assert message.mail.content == header + b"\r\n" + b"".join(lines)
    assert b"".join(message.fields) == header


def test_envelope_and_client_are_those_that_were_told():
    auth = packet(b"D", b"M" + strings(b"{auth_authen}", b"sam"))
    queue = packet(b"D", b"E" + strings(b"i", b"4ABCDEF"))
    mail = told(
        TO,
        mail=(b"<sam@council.example>", b"SIZE=99", b"BODY=8BITMIME", b"X-NEW=1"),
        rcpts=(b"<ann@a.example>\0NOTIFY=NEVER\0AUTH=x", b"bob@b.example"),
    )
    end = len(mail) - len(packet(b"E"))

    (message,) = events(machine(), CONNECT + auth + mail[:end] + queue + mail[end:])

    assert isinstance(message, Message)
    envelope = message.mail.envelope
    assert envelope.mail_from == Address("sam", "council.example")
    assert envelope.parameters == ("SIZE=99", "BODY=8BITMIME")
    assert envelope.rcpt_tos == (
        Address("ann", "a.example"),
        Address("bob", "b.example"),
    )
    assert [one.parameters for one in envelope.recipients] == [("NOTIFY=NEVER",), ()]
    client = message.client
    assert (client.address, client.login, client.queue_id) == (
        *("192.0.2.7", "sam"),
        "4ABCDEF",
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param(b"<>", None, id="null sender"),
        pytest.param(b"sam@council.example", "sam@council.example", id="no brackets"),
        pytest.param("<jürgen@a.example>".encode(), "jürgen@a.example", id="UTF-8"),
        pytest.param(b"<root>", "root", id="a local name"),
    ],
)
def test_senders_are_read_as_mtas_write_them(path, expected):
    (message,) = events(machine(), told(TO, mail=(path,)))

    assert isinstance(message, Message)
    sender = message.mail.envelope.mail_from
    assert (sender.spelled_out() if sender else None) == expected


def test_an_ipv6_client_has_its_tag_taken_off():
    connect = packet(b"C", b"client.test\x006\x12\x34IPv6:2001:db8::7\0")

    (message,) = events(machine(), connect + told(TO))

    assert message.client.address == "2001:db8::7"


@pytest.mark.parametrize("family", [b"U", b"L\0\0/run/s\0"], ids=["unknown", "local"])
def test_a_client_without_an_ip_address_has_none(family):
    (message,) = events(machine(), packet(b"C", b"localhost\0" + family) + told(TO))

    assert message.client.address == ""


def test_nothing_is_answered_before_the_end_where_the_mta_does_not_wait():
    made = machine()

    events(made, CONNECT + told(TO, SUBJECT))

    assert heard(made) == [(b"a", b"")]


def test_every_command_is_answered_where_the_mta_waits_for_it():
    made = machine(first=offer(steps=0))
    helo, data, end = packet(b"H", b"client.test\0"), packet(b"T"), packet(b"N")
    unknown = packet(b"U", b"XYZZY\0")

    events(made, CONNECT + helo + unknown + told(TO, SUBJECT)[: -len(packet(b"E"))])
    said = heard(made)
    events(made, data + end)

    # CONNECT, HELO, UNKNOWN, MAIL, RCPT, two fields, the body.
    assert said == [(b"c", b"")] * 8
    assert heard(made) == [(b"c", b"")] * 2


def test_without_leading_space_a_field_gets_its_one_blank_back():
    made = machine(first=offer(steps=0))

    (message,) = events(made, told((b"To", b"ann@a.example")))

    assert message.mail.content.startswith(b"To: ann@a.example\r\n\r\n")


def test_only_what_was_offered_is_taken_and_never_a_right_over_recipients():
    made = MilterProtocol(Limits())

    events(made, offer(version=2, actions=0x1FF, steps=0x7F))

    ((letter, data),) = heard(made)
    version, actions, steps = (
        int.from_bytes(data[at : at + 4], "big") for at in (0, 4, 8)
    )
    assert (letter, version, actions) == (b"O", 2, 0x10)
    assert steps == 0x42


def test_an_mta_that_lets_no_field_be_changed_is_known_as_such():
    (message,) = events(machine(first=offer(actions=0)), told(TO))

    assert message.may_change_header is False


def test_several_mails_come_over_one_connection():
    made = machine()

    found = events(
        made, told(TO) + packet(b"A") + told(SUBJECT), packet(b"K") + CONNECT
    )
    found += events(made, told(TO))

    assert [event.mail.content[:3] for event in found] == [b"To:", b"Sub", b"To:"]


def test_an_abort_forgets_what_was_told():
    made = machine()
    begun = told(TO, SUBJECT)[: -len(packet(b"E"))]

    events(made, begun + packet(b"A"))
    (message,) = events(made, told(SUBJECT))

    assert message.mail.content == b"Subject: Rates\r\n\r\nText\r\n"
    assert len(message.mail.envelope.recipients) == 1


@pytest.mark.parametrize("letter", [b"A", b"Q", b"K"], ids=["abort", "quit", "new"])
def test_a_mail_that_waits_for_its_answer_may_be_given_up(letter):
    made = machine()
    made.receive(told(TO))
    assert isinstance(made.next_event(), Message)

    made.receive(packet(letter))

    assert isinstance(made.next_event(), GivenUp)
    made.answer(KEPT)
    assert made.data_to_send() == b""


def test_the_end_of_the_body_may_bring_the_last_of_it():
    made = machine()
    mail = told(TO, body=b"")[: -len(packet(b"E"))]

    (message,) = events(made, mail + packet(b"E", b"Last\r\n"))

    assert message.mail.content.endswith(b"\r\n\r\nLast\r\n")


# What cannot be judged.


def codes(found):
    assert all(isinstance(event, MessageRefused) for event in found)
    return [event.why.code for event in found]


@pytest.mark.parametrize(
    ("mail", "code"),
    [
        pytest.param(told(TO, rcpts=()), 554, id="no recipients"),
        pytest.param(told(TO, rcpts=(b"<ann@a.example",)), 501, id="unreadable"),
        pytest.param(told(TO, mail=(b"<sam@>",)), 501, id="unreadable sender"),
        pytest.param(told(TO, body=b"a\rb\r\n"), 554, id="bare CR"),
        pytest.param(told(TO, body=b"a\nb\r\n"), 554, id="bare LF"),
        pytest.param(told(TO, body=b"a\0b\r\n"), 554, id="NUL"),
        pytest.param(told((b"To", b" a\rBcc: b@c.example")), 554, id="CR in a field"),
        pytest.param(told(TO, body=b"x" * 3000 + b"\r\n"), 552, id="too big"),
        pytest.param(told((b"To", b"x" * 3000)), 552, id="too big a field"),
        pytest.param(told(TO, rcpts=(b"<a@b.example>",) * 4), 554, id="too many"),
    ],
)
def test_what_cannot_be_judged_is_said_at_the_end(mail, code):
    made = machine(Limits(max_size=2000, max_recipients=3))

    assert codes(events(made, mail)) == [code]
    assert len(events(made, told(TO))) == 1


def test_what_has_no_room_among_all_that_is_in_flight_is_for_later():
    budget = Budget(1000)
    limits = Limits(budget=budget)
    one, other = machine(limits), machine(limits)
    other.receive(told(TO, body=b"x" * 600 + b"\r\n")[: -len(packet(b"E"))])
    other.next_event()

    found = events(one, told(TO, body=b"x" * 600 + b"\r\n"))
    other.close()

    assert codes(found) == [452]
    assert budget.used == 0


def test_nothing_is_in_flight_once_the_answer_is_given():
    limits = Limits()
    made = machine(limits)
    made.receive(told(TO, body=b"x" * 600 + b"\r\n"))
    assert made.next_event() is not None
    assert limits.budget.used > 600

    made.answer(ACCEPTED)

    assert limits.budget.used == 0


def test_a_packet_that_grows_without_end_counts_as_in_flight():
    limits = Limits(budget=Budget(200_000))
    made = machine(limits)
    made.receive((10_000_000).to_bytes(4, "big") + b"L" + b"x" * 150_000)
    assert made.next_event() is None
    assert limits.budget.used >= 150_000

    made.receive(b"x" * 100_000)

    with pytest.raises(MtaError):
        made.next_event()
    assert made.state is MilterState.CLOSED
    assert limits.budget.used == 0


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(told(TO), id="no offer"),
        pytest.param(packet(b"O", b"\0\0\0\6"), id="a short offer"),
        pytest.param(offer(version=1), id="an old version"),
        pytest.param(offer() + offer(), id="two offers"),
        pytest.param(offer() + packet(b"?"), id="an unknown command"),
        pytest.param(offer() + b"\0\0\0\0A", id="no length"),
        pytest.param(offer() + b"\xff\xff\xff\xffL", id="an endless packet"),
        pytest.param(offer() + packet(b"E"), id="an end without a mail"),
        pytest.param(offer() + packet(b"R", b"<a@b>\0"), id="RCPT without MAIL"),
        pytest.param(offer() + packet(b"M", b"<a@b>"), id="a string without end"),
        pytest.param(
            offer() + packet(b"M", b"<a@b>\0") + packet(b"L", b"To\0"),
            id="half a field",
        ),
        pytest.param(
            offer() + packet(b"M", b"<a@b>\0") + packet(b"L", b"To\0a\0b\0"),
            id="a NUL in a field",
        ),
        pytest.param(b"EHLO there\r\n", id="another protocol"),
    ],
)
def test_what_is_no_milter_protocol_ends_the_session(stream):
    made = MilterProtocol(Limits())
    made.receive(stream)

    with pytest.raises(MtaError):
        while made.next_event() is not None:
            made.answer(ACCEPTED)
    assert made.state is MilterState.CLOSED
    made.receive(told(TO))
    assert made.next_event() is None


def test_an_mta_that_does_not_wait_for_its_answer_is_no_mta():
    made = machine()
    made.receive(told(TO) + told(SUBJECT))
    assert isinstance(made.next_event(), Message)

    with pytest.raises(MtaError):
        made.next_event()


def test_after_quit_nothing_is_read():
    made = machine()

    assert events(made, packet(b"Q") + told(TO)) == []
    assert made.state is MilterState.CLOSED


def test_an_error_says_no_address():
    made = machine()
    made.receive(packet(b"M", b"<ann@a.example>"))

    with pytest.raises(MtaError) as caught:
        made.next_event()

    assert "ann" not in str(caught.value)
    assert "ann@a.example" not in repr(events(machine(), told(TO)))


# Answers.


def test_a_refusal_is_told_in_all_its_lines():
    reply = Reply(550, ("5.7.1 Refused", "5.7.1 37 people, 100 % outsiders"))

    assert refused(reply).wire[5:] == (
        b"550-5.7.1 Refused\r\n550 5.7.1 37 people, 100 %% outsiders\0"
    )
    assert refused(reply).outcome is Outcome.REJECT
    assert refused(Reply(451, ("4.3.0 x",))).outcome is Outcome.TEMPFAIL


@pytest.mark.parametrize(
    ("outcome", "letter"),
    list(zip(Outcome, (b"a", b"d", b"r", b"t"), strict=True)),
    ids=lambda one: getattr(one, "value", None),
)
def test_every_outcome_has_its_letter(outcome, letter):
    assert Response(outcome).wire == b"\0\0\0\1" + letter


def test_deletions_come_before_the_outcome():
    response = Response(Outcome.ACCEPT, deletions=(Deletion(b"To", 2),))

    assert response.wire == b"\0\0\0\x09m\0\0\0\2To\0\0" + b"\0\0\0\1a"


def test_no_response_touches_a_recipient_or_the_body():
    letters = {Response(one).wire[4:5] for one in Outcome}

    assert (letters | {Deletion(b"x", 1).wire[4:5]}).isdisjoint(b"+ - 2 b e".split())
