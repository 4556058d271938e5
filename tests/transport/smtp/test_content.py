# SPDX-License-Identifier: Apache-2.0
"""Content on the wire: dots, removals, line ends."""

from hypothesis import given
from hypothesis import strategies as st

from tests.transport.smtp.talking import PATIENT, Conversation
from undisclosed.core.verdict import Removal
from undisclosed.transport.smtp.content import hops, why_refused, wire, with_line_ends
from undisclosed.transport.smtp.protocol import Message

LINES = st.lists(st.binary(max_size=8), max_size=20).map(
    lambda lines: b"".join(line.translate(None, b"\r\n\0") + b"\r\n" for line in lines)
)
BEGIN = b"HELO c.test\r\nMAIL FROM:<>\r\nRCPT TO:<ann@a.example>\r\nDATA\r\n"


def received(wire_content: bytes) -> bytes:
    """What a server takes from the wire."""
    conversation = Conversation()
    conversation.send(BEGIN + wire_content)
    (message,) = [e for e in conversation.events if isinstance(e, Message)]
    return message.mail.content


@PATIENT
@given(LINES)
def test_what_is_sent_is_what_is_received(content: bytes) -> None:
    assert received(wire(content)) == content


@PATIENT
@given(LINES, LINES, LINES)
def test_removals_are_cut_out_and_nothing_else(
    before: bytes, removed: bytes, after: bytes
) -> None:
    start, end = len(before), len(before) + len(removed)
    trace = b"Received: x\r\n"

    sent = wire(before + removed + after, trace, (Removal("bcc", start, end),))

    assert received(sent) == trace + before + after


def test_several_removals_in_any_order_are_cut() -> None:
    content = b"A: 1\r\nB: 2\r\nC: 3\r\n\r\n.dot\r\n"

    sent = wire(content, b"", (Removal("c", 12, 18), Removal("a", 0, 6)))

    assert sent == b"B: 2\r\n\r\n..dot\r\n.\r\n"


@PATIENT
@given(st.binary(max_size=200))
def test_any_content_gets_line_ends_that_pass(content: bytes) -> None:
    ended = with_line_ends(content.translate(None, b"\0"))

    assert why_refused(ended, 1000) is None


def test_content_without_a_last_line_end_gets_one() -> None:
    assert wire(b"Text") == b"Text\r\n.\r\n"


def test_only_the_header_block_is_counted_for_hops() -> None:
    content = b"Received: a\r\nRECEIVED: b\r\n\r\nReceived: c\r\n"

    assert hops(content) == 2


def test_a_message_without_a_header_block_has_no_hops() -> None:
    assert hops(b"\r\nReceived: a\r\n\r\n") == 0
