# SPDX-License-Identifier: Apache-2.0
"""``python -m fuzz.milter``: any bytes into the milter's end of a session.

Nothing may raise but MtaError, hang or grow; the same bytes in other pieces must
lead to the same answers; nothing is accepted that has no recipient; and what is to be
deleted at the MTA leaves exactly the rest. By chance the bytes are made of the
protocol's own packets.
"""

import random

from fuzz.guiding import main
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


def check(data: bytes) -> None:
    """One session. Raises whatever is wrong."""
    cut = data[0] + 1 if data else 1
    pieces = [data[start : start + cut] for start in range(0, len(data), cut)]
    assert serve(pieces) == serve([data]), "other pieces, other answers"
    # Past the offer, where bytes of chance seldom get.
    serve([OFFERS[0], data, WHOLE])


def by_chance(chance: random.Random) -> bytes:
    """One input, made of the protocol's packets."""
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
    return bytes(data)


if __name__ == "__main__":
    main(check, by_chance)
