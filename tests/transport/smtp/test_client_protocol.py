# SPDX-License-Identifier: Apache-2.0
"""The client's state machine: whose reply is whose, and what may be sent ahead."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transport.smtp.talking import PATIENT
from undisclosed.transport.smtp.client_protocol import MAX_REPLY
from undisclosed.transport.smtp.errors import PeerError
from undisclosed.transport.smtp.protocol import ClientProtocol
from undisclosed.transport.smtp.replies import Reply

STREAM = (
    b"250 one\r\n250-two\r\n250 more\r\n354 three\r\n550-5.1.1 no\r\n550 5.1.1 no\r\n"
)


def answered(machine: ClientProtocol[str]) -> list[tuple[str, Reply]]:
    """Every reply that is there."""
    found = []
    while (pair := machine.next_reply()) is not None:
        found.append(pair)
    return found


@PATIENT
@given(st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_any_pieces_of_the_replies_are_the_same_replies(cuts: list[int]) -> None:
    machine: ClientProtocol[str] = ClientProtocol()
    machine.pipelining = True
    for token in "abcd":
        machine.command(b"NOOP\r\n", token)
    found = []

    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        machine.receive(STREAM[start:end])
        found += answered(machine)

    assert [(token, reply.code) for token, reply in found] == [
        ("a", 250),
        ("b", 250),
        ("c", 354),
        ("d", 550),
    ]
    assert found[1][1].lines == ("two", "more")


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_replies_or_a_peer_error(data: bytes) -> None:
    machine: ClientProtocol[str] = ClientProtocol()
    machine.command(b"NOOP\r\n", "a")

    machine.receive(data)

    try:
        answered(machine)
    except PeerError as error:
        assert error.message


def test_without_pipelining_one_command_goes_at_a_time() -> None:
    machine: ClientProtocol[str] = ClientProtocol()

    machine.command(b"MAIL\r\n", "mail")
    machine.command(b"RCPT\r\n", "rcpt")

    assert machine.data_to_send() == b"MAIL\r\n"
    machine.receive(b"250 OK\r\n")
    assert machine.next_reply() is not None
    assert machine.data_to_send() == b"RCPT\r\n"


def test_nothing_is_sent_behind_the_last_command_of_a_group() -> None:
    machine: ClientProtocol[str] = ClientProtocol()
    machine.pipelining = True

    machine.command(b"RCPT\r\n", "rcpt")
    machine.command(b"DATA\r\n", "data", is_last=True)
    machine.command(b"RSET\r\n", "rset")

    assert machine.data_to_send() == b"RCPT\r\nDATA\r\n"
    machine.receive(b"250 OK\r\n550 no\r\n")
    answered(machine)
    assert machine.data_to_send() == b"RSET\r\n"


def test_a_reply_that_nobody_asked_for_is_an_error() -> None:
    machine: ClientProtocol[str] = ClientProtocol()

    machine.receive(b"421 4.4.2 closing\r\n")

    with pytest.raises(PeerError):
        machine.next_reply()


@pytest.mark.parametrize("line", [b"hello\r\n", b"99 x\r\n", b"999 x\r\n", b"250x\r\n"])
def test_what_is_no_reply_is_an_error(line: bytes) -> None:
    machine: ClientProtocol[str] = ClientProtocol()
    machine.command(b"NOOP\r\n", "a")

    machine.receive(line)

    with pytest.raises(PeerError):
        machine.next_reply()


def test_a_reply_without_end_is_an_error() -> None:
    machine: ClientProtocol[str] = ClientProtocol()
    machine.command(b"NOOP\r\n", "a")

    machine.receive(b"250-" + b"x" * MAX_REPLY)

    with pytest.raises(PeerError):
        machine.next_reply()


def test_everyone_who_waits_is_named_when_the_connection_is_given_up() -> None:
    machine: ClientProtocol[str] = ClientProtocol()
    machine.command(b"MAIL\r\n", "mail")
    machine.command(b"RCPT\r\n", "rcpt")

    assert machine.give_up() == ["mail", "rcpt"]
    assert machine.waiting == 0
