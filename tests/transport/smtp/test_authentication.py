# SPDX-License-Identifier: Apache-2.0
"""AUTH without sockets: what a client may say, and what it hears."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.smtp.talking import EVERYTHING, PATIENT, Conversation, codes
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.authentication import Credentials
from undisclosed.transport.smtp.events import Event
from undisclosed.transport.smtp.extensions import read_extensions
from undisclosed.transport.smtp.protocol import Login

OFFERED = replace(EVERYTHING, auth=True)
WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1)


class Answering(Conversation):
    """Takes the login scanner with the password secret, and nobody else."""

    def _answer(self, event: Event) -> None:
        if isinstance(event, Login):
            is_known = event.credentials == Credentials("scanner", "secret")
            answer = replies.LOGIN_OK if is_known else replies.LOGIN_REFUSED
            self.machine.answer(event.number, answer)
        else:
            super()._answer(event)


def encoded(text: str) -> bytes:
    return base64.b64encode(text.encode())


def begun() -> Answering:
    conversation = Answering(offered=OFFERED)
    conversation.send(b"EHLO client.test\r\n")
    return conversation


PLAIN = b"AUTH PLAIN " + encoded("\0scanner\0secret") + b"\r\n"
WRONG = b"AUTH PLAIN " + encoded("\0scanner\0wrong") + b"\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        [PLAIN],
        [b"auth plain " + encoded("scanner\0scanner\0secret") + b"\r\n"],
        [b"AUTH PLAIN\r\n", encoded("\0scanner\0secret") + b"\r\n"],
        [b"AUTH LOGIN\r\n", encoded("scanner") + b"\r\n", encoded("secret") + b"\r\n"],
        [b"AUTH LOGIN " + encoded("scanner") + b"\r\n", encoded("secret") + b"\r\n"],
    ],
    ids=["PLAIN", "PLAIN as oneself", "PLAIN in two", "LOGIN", "LOGIN in two"],
)
def test_every_way_of_saying_the_right_password_logs_in(lines: list[bytes]) -> None:
    conversation = begun()

    said = [codes(conversation.send(line)) for line in lines]

    assert said == [[334]] * (len(lines) - 1) + [[235]]
    assert isinstance(conversation.events[-1], Login)


def test_login_asks_in_the_words_that_clients_know() -> None:
    conversation = begun()

    assert conversation.send(b"AUTH LOGIN\r\n") == b"334 VXNlcm5hbWU6\r\n"
    assert conversation.send(encoded("scanner") + b"\r\n") == b"334 UGFzc3dvcmQ6\r\n"


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([WRONG], 535),
        ([b"AUTH PLAIN " + encoded("eve\0scanner\0secret") + b"\r\n"], 501),
        ([b"AUTH PLAIN " + encoded("scanner\0secret") + b"\r\n"], 501),
        ([b"AUTH PLAIN " + encoded("\0\0secret") + b"\r\n"], 535),
        ([b"AUTH PLAIN =\r\n"], 501),
        ([b"AUTH PLAIN not*base64\r\n"], 501),
        ([b"AUTH PLAIN /w==\r\n"], 501),
        ([b"AUTH PLAIN\r\n", b"*\r\n"], 501),
        ([b"AUTH LOGIN\r\n", b"*\r\n"], 501),
        (
            [b"AUTH LOGIN\r\n", encoded("x" * 300) + b"\r\n", encoded("y") + b"\r\n"],
            535,
        ),
        ([b"AUTH CRAM-MD5\r\n"], 504),
        ([b"AUTH\r\n"], 504),
        ([b"AUTH PLAIN\r\n", b"x\ry\r\n"], 500),
        ([b"AUTH PLAIN\r\n", b"x" * 3000 + b"\r\n"], 500),
        ([b"MAIL FROM:<sam@council.example>\r\n", PLAIN], 503),
        ([PLAIN, PLAIN], 503),
    ],
)
def test_what_is_no_login_is_refused(lines: list[bytes], code: int) -> None:
    conversation = begun()

    said = b"".join(conversation.send(line) for line in lines)

    assert codes(said)[-1] == code
    assert codes(conversation.send(b"NOOP\r\n")) == [250]


def test_a_line_inside_auth_is_no_command() -> None:
    conversation = begun()
    conversation.send(b"AUTH PLAIN\r\n")

    assert codes(conversation.send(b"QUIT\r\n")) == [501]
    assert codes(conversation.send(b"NOOP\r\n")) == [250]


def test_whoever_guesses_three_times_has_to_come_again() -> None:
    conversation = begun()

    said = codes(conversation.send(WRONG + WRONG + WRONG + PLAIN))

    assert said == [535, 535, 535, 421]


def test_auth_is_refused_where_it_is_not_offered() -> None:
    conversation = Answering(offered=EVERYTHING)
    conversation.send(b"EHLO client.test\r\n")

    assert codes(conversation.send(PLAIN)) == [502]


def test_before_tls_the_client_is_told_to_say_starttls() -> None:
    conversation = Answering(offered=replace(EVERYTHING, starttls=True))
    conversation.send(b"EHLO client.test\r\n")

    assert codes(conversation.send(PLAIN)) == [538]


def test_what_was_proved_before_tls_is_proved_again_inside() -> None:
    conversation = begun()
    conversation.send(PLAIN)
    conversation.machine.secured()

    conversation.send(b"EHLO client.test\r\n")

    assert codes(conversation.send(PLAIN)) == [235]


def test_the_reply_to_ehlo_offers_both_mechanisms() -> None:
    assert "AUTH PLAIN LOGIN" in OFFERED.reply("mx.test").lines
    assert read_extensions(OFFERED.reply("mx.test").lines).auth


def test_whose_mail_it_was_for_an_earlier_server_is_read_and_dropped() -> None:
    conversation = begun()

    said = conversation.send(b"MAIL FROM:<sam@council.example> AUTH=<>\r\n")

    assert codes(said) == [250]
    assert getattr(conversation.events[-1], "parameters", None) == ()


def test_neither_login_nor_password_is_printed() -> None:
    assert "secret" not in repr(Login(1, Credentials("scanner", "secret")))
    assert "scanner" not in repr(Credentials("scanner", "secret"))


@PATIENT
@given(WORDS, WORDS)
def test_plain_and_login_say_the_same(login: str, password: str) -> None:
    plain, by_login = begun(), begun()

    plain.send(b"AUTH PLAIN " + encoded(f"\0{login}\0{password}") + b"\r\n")
    for text in ("", login, password):
        line = encoded(text) if text else b"AUTH LOGIN"
        by_login.send(line + b"\r\n")

    assert [getattr(event, "credentials", None) for event in plain.events] == [
        getattr(event, "credentials", None) for event in by_login.events
    ]


@PATIENT
@given(st.lists(st.binary(max_size=40).map(base64.b64encode), max_size=4), st.data())
def test_pieces_of_any_size_lead_to_the_same(
    lines: list[bytes], data: st.DataObject
) -> None:
    stream = b"EHLO c.test\r\nAUTH LOGIN\r\n" + b"".join(x + b"\r\n" for x in lines)
    cut = data.draw(st.integers(0, len(stream)))
    whole, pieces = Answering(offered=OFFERED), Answering(offered=OFFERED)

    whole.send(stream)
    pieces.send(stream[:cut])
    pieces.send(stream[cut:])

    assert whole.outcome()[1] == pieces.outcome()[1]
