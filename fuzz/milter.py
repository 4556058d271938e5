# SPDX-License-Identifier: Apache-2.0
"""``python fuzz/milter.py [SECONDS]``: any bytes into the milter's end of a session.

Nothing may raise but MtaError, hang or grow; the same bytes in other pieces must
lead to the same answers; nothing is accepted that has no recipient; and what is to be
deleted at the MTA leaves exactly the rest. With atheris installed its coverage guides
the bytes; without it they are made of the protocol's own packets and of chance. A
find is printed as the bytes that lead to it.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator

from undisclosed.core.verdict import Removal
from undisclosed.transport.milter.deletions import deletions_of, remaining
from undisclosed.transport.milter.errors import MtaError
from undisclosed.transport.milter.events import GivenUp, Message, MessageRefused
from undisclosed.transport.milter.protocol import MilterProtocol, MilterState
from undisclosed.transport.milter.responses import ACCEPTED, Response, refused
from undisclosed.transport.smtp.limits import Budget, Limits

MAX_BACKLOG = 17 * 1024 * 1024


def packet(letter: bytes, data: bytes = b"") -> bytes:
    """One packet."""
    return (len(data) + 1).to_bytes(4, "big") + letter + data


OFFERS = tuple(
    packet(b"O", b"".join(number.to_bytes(4, "big") for number in numbers))
    for numbers in ((6, 0x1FF, 0x1FFFFF), (2, 0x3F, 0x7F), (6, 0, 0), (1, 0, 0))
)
PACKETS = (
    packet(b"C", b"client.test\x004\x12\x34192.0.2.7\0"),
    packet(b"C", b"localhost\0U"),
    packet(b"H", b"client.test\0"),
    packet(b"D", b"Mi\x004ABCDEF\0{auth_authen}\0sam\0"),
    packet(b"D", b"M{auth_authen}\0sam"),
    packet(b"D"),
    packet(b"M", b"<sam@council.example>\0SIZE=99\0"),
    packet(b"M", b"<>\0"),
    packet(b"M", b"<sam@\0"),
    packet(b"R", b"<ann@a.example>\0NOTIFY=NEVER\0"),
    packet(b"R", b"\xc3\xa9@a.example\0"),
    packet(b"R", b"\0"),
    packet(b"T"),
    packet(b"L", b"To\0 ann@a.example,\n\tbob@b.example\0"),
    packet(b"L", b"to \0 ann@a.example\0"),
    packet(b"L", b"Bcc\0\xff\r\n x\rTo: y\0"),
    packet(b"L", b"To\0"),
    packet(b"N"),
    packet(b"B", b"Text\r\n"),
    packet(b"B", b"x" * 3000 + b"\r\n"),
    packet(b"B", b"\n.\n\0"),
    packet(b"E"),
    packet(b"E", b"Last\r\n"),
    packet(b"A"),
    packet(b"K"),
    packet(b"Q"),
    packet(b"U", b"XYZZY\0"),
    packet(b"?"),
    b"\0\0\0\0",
    b"\xff\xff\xff\xffL",
)
WHOLE = b"".join(
    (
        packet(b"M", b"<sam@council.example>\0"),
        packet(b"R", b"<ann@a.example>\0"),
        packet(b"L", b"To\0 ann@a.example\0"),
        packet(b"E"),
    )
)


def serve(pieces: list[bytes]) -> bytes:
    """Everything that the milter says to these pieces, taken all as one session."""
    budget = Budget(6_000_000)
    machine = MilterProtocol(Limits(max_size=5_000, max_recipients=5, budget=budget))
    said = b""
    for piece in pieces:
        machine.receive(piece)
        try:
            while (event := machine.next_event()) is not None:
                if not isinstance(event, GivenUp):
                    machine.answer(answer_to(event))
        except MtaError:
            break
        finally:
            said += machine.data_to_send()
        assert budget.used <= budget.total
        assert machine.backlog <= MAX_BACKLOG, "bytes are kept that nobody reads"
    machine.close()
    assert machine.state is MilterState.CLOSED
    assert budget.used == 0, "bytes are counted that are no longer there"
    return said


def answer_to(event: Message | MessageRefused) -> Response:
    """Delete every second field of what can be judged."""
    if isinstance(event, MessageRefused):
        return refused(event.why)
    mail, fields = event.mail, event.fields
    assert mail.envelope.recipients, "a mail without recipients"
    assert mail.content.startswith(b"".join(fields)), "fields that are not its own"
    assert mail.content.count(b"\n") == mail.content.count(b"\r\n"), "smuggled"
    removals, start = [], 0
    for number, field in enumerate(fields):
        if number % 2:
            removals.append(Removal("x", start, start + len(field)))
        start += len(field)
    deletions = deletions_of(fields, removals)
    assert deletions is not None, "fields that cannot be deleted"
    assert remaining(fields, deletions) == list(fields[::2])
    return Response(ACCEPTED.outcome, deletions=deletions)


def one_input(data: bytes) -> None:
    """One session. Raises whatever is wrong."""
    cut = data[0] + 1 if data else 1
    pieces = [data[start : start + cut] for start in range(0, len(data), cut)]
    assert serve(pieces) == serve([data]), "other pieces, other answers"
    # Past the offer, where bytes of chance seldom get.
    serve([OFFERS[0], data, WHOLE])


def by_chance(seed: int) -> Iterator[bytes]:
    """Inputs without end, made of the protocol's packets."""
    chance = random.Random(seed)
    while True:
        packets = [chance.choice(PACKETS) for _ in range(chance.randint(1, 30))]
        if chance.random() < 0.5:
            packets.insert(chance.randint(0, len(packets)), WHOLE)
        if chance.random() < 0.3:
            packets.append(chance.randbytes(chance.randint(1, 50)))
            chance.shuffle(packets)
        if chance.random() < 0.9:
            packets.insert(0, chance.choice(OFFERS))
        data = bytearray(b"".join(packets))
        if chance.random() < 0.3:
            data[chance.randrange(len(data))] = chance.randrange(256)
        yield bytes(data)


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
