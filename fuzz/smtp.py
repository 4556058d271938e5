# SPDX-License-Identifier: Apache-2.0
"""``python -m fuzz.smtp``: any bytes into both ends of an SMTP session.

Nothing may raise, hang or grow; and the same bytes in other pieces must lead to the
same replies. By chance the bytes are made of the protocol's own words.
"""

import contextlib
import random

from fuzz.guiding import main
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.errors import PeerError
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.limits import Budget, Limits
from undisclosed.transport.smtp.protocol import (
    ClientProtocol,
    Hello,
    Message,
    MessageRefused,
    Reset,
    ServerProtocol,
)

OFFERED = Extensions(
    pipelining=True,
    size=5_000,
    eight_bit=True,
    utf8=True,
    dsn=True,
    enhanced_status=True,
    auth=True,
    requiretls=True,
)
WORDS = (
    *(b"EHLO a", b"HELO a", b"MAIL FROM:<", b"RCPT TO:<", b"a@b.example>", b"<>"),
    *(b"DATA\r\n", b"RSET\r\n", b"NOOP\r\n", b"QUIT\r\n", b"STARTTLS\r\n", b"VRFY x"),
    *(b" SIZE=", b" BODY=8BITMIME", b" SMTPUTF8", b" RET=HDRS", b" NOTIFY=NEVER"),
    *(b" ORCPT=rfc822;a@b", b'"a b"@c.example>', b"@x,@y:z@w>", b"\xc3\xa9@a>"),
    *(b"AUTH PLAIN ", b"AUTH LOGIN\r\n", b"AGEAYg==\r\n", b"*\r\n", b" REQUIRETLS"),
    *(b"\r\n", b"\n", b"\r", b".", b"\r\n.\r\n", b"\n.\n", b"\r\n..", b"\0", b"\xff"),
    *(b"Subject: x\r\n\r\n", b"x" * 600, b"250 ok\r\n", b"250-a\r\n", b"354 go\r\n"),
    b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n",
)
MAX_BACKLOG = 10_000


def serve(pieces: list[bytes]) -> bytes:
    """Everything that a server says to these pieces, taken all as one session."""
    budget = Budget(6_000)
    limits = Limits(max_size=5_000, max_recipients=5, max_errors=50, budget=budget)
    machine = ServerProtocol("mx.test", limits)
    machine.greet(replies.reply(220, "mx.test ESMTP"))
    said = b""
    for piece in pieces:
        machine.receive(piece)
        answer_all(machine)
        said += machine.data_to_send()
        assert budget.used <= budget.total
    assert machine.backlog <= MAX_BACKLOG, "bytes are kept that nobody reads"
    machine.close()
    assert budget.used == 0, "bytes are counted that are no longer there"
    return said


def answer_all(machine: ServerProtocol) -> None:
    """Answer every event as a willing server does."""
    while (event := machine.next_event()) is not None:
        match event:
            case Hello():
                machine.offer(event.number, OFFERED)
            case Reset() | MessageRefused():
                pass
            case Message():
                content = event.mail.content
                assert content.count(b"\n") == content.count(b"\r\n"), "smuggled"
                machine.answer(event.number, replies.OK)
            case _:
                machine.answer(event.number, replies.OK)


def check(data: bytes) -> None:
    """One session from both ends. Raises whatever is wrong."""
    cut = data[0] + 1 if data else 1
    pieces = [data[start : start + cut] for start in range(0, len(data), cut)] or [data]
    assert serve(pieces) == serve([data]), "other pieces, other replies"
    client: ClientProtocol[int] = ClientProtocol()
    client.pipelining = bool(cut % 2)
    for token in range(5):
        client.command(b"NOOP\r\n", token)
    with contextlib.suppress(PeerError):
        for piece in pieces:
            client.receive(piece)
            while client.next_reply() is not None:
                pass


def by_chance(chance: random.Random) -> bytes:
    """One input, made of the protocol's words."""
    words = [chance.choice(WORDS) for _ in range(chance.randint(1, 40))]
    if chance.random() < 0.3:
        words.append(chance.randbytes(chance.randint(1, 50)))
        chance.shuffle(words)
    return b"".join(words)


if __name__ == "__main__":
    main(check, by_chance)
