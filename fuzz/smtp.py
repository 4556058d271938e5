# SPDX-License-Identifier: Apache-2.0
"""``python fuzz/smtp.py [SECONDS]``: any bytes into both ends of an SMTP session.

Nothing may raise, hang or grow; and the same bytes in other pieces must lead to
the same replies. With atheris installed its coverage guides the bytes; without
it they are made of the protocol's own words and of chance. A find is printed as
the bytes that lead to it.
"""

import contextlib
import random
import sys
import time
from collections.abc import Callable, Iterator

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


def one_input(data: bytes) -> None:
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


def by_chance(seed: int) -> Iterator[bytes]:
    """Inputs without end, made of the protocol's words."""
    chance = random.Random(seed)
    while True:
        words = [chance.choice(WORDS) for _ in range(chance.randint(1, 40))]
        if chance.random() < 0.3:
            words.append(chance.randbytes(chance.randint(1, 50)))
            chance.shuffle(words)
        yield b"".join(words)


def run(seconds: float, seed: int = 0) -> int:
    """Try inputs for so long; how many were tried. Raises at the first find."""
    until = time.monotonic() + seconds
    tried = 0
    for data in by_chance(seed):
        try:
            one_input(data)
        except Exception:
            print(f"found by {data!r}", file=sys.stderr)
            raise
        tried += 1
        if time.monotonic() > until:
            return tried
    return tried


def guided(one: Callable[[bytes], None]) -> bool:
    """Let atheris guide the bytes; False where it is not installed."""
    try:
        import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        return False
    atheris.instrument_all()
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
    return True


if __name__ == "__main__":
    is_timed = len(sys.argv) > 1 and sys.argv[1].isdigit()
    if is_timed or not guided(one_input):
        count = run(float(sys.argv[1]) if is_timed else 60.0, seed=time.time_ns())
        print(f"{count:,} sessions, nothing found")
