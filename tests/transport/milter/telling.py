# SPDX-License-Identifier: Apache-2.0
"""What an MTA writes, packet by packet, for tests of the machine without a socket."""

from undisclosed.transport.milter.events import Event
from undisclosed.transport.milter.protocol import MilterProtocol
from undisclosed.transport.milter.responses import ACCEPTED

EVERYTHING = 0x1FFFFF


def packet(letter: bytes, data: bytes = b"") -> bytes:
    """One packet."""
    return (len(data) + 1).to_bytes(4, "big") + letter + data


def strings(*words: bytes) -> bytes:
    """NUL-terminated strings."""
    return b"".join(word + b"\0" for word in words)


def offer(version: int = 6, actions: int = 0x1FF, steps: int = EVERYTHING) -> bytes:
    """The first packet."""
    numbers = (version, actions, steps)
    return packet(b"O", b"".join(number.to_bytes(4, "big") for number in numbers))


CONNECT = packet(b"C", b"client.test\x004\x12\x34192.0.2.7\0")


def told(
    *fields: tuple[bytes, bytes],
    rcpts: tuple[bytes, ...] = (b"<ann@a.example>",),
    mail: tuple[bytes, ...] = (b"<sam@council.example>",),
    body: bytes = b"Text\r\n",
) -> bytes:
    """One mail from MAIL to the end of its body."""
    packets = [packet(b"M", strings(*mail))]
    packets += [packet(b"R", strings(rcpt)) for rcpt in rcpts]
    packets += [packet(b"L", strings(name, value)) for name, value in fields]
    if body:
        packets.append(packet(b"B", body))
    return b"".join([*packets, packet(b"E")])


def events(machine: MilterProtocol, *pieces: bytes) -> list[Event]:
    """Every event that these pieces lead to; each is answered with *accept*."""
    found = []
    for piece in pieces:
        machine.receive(piece)
        while (event := machine.next_event()) is not None:
            found.append(event)
            machine.answer(ACCEPTED)
    return found


def heard(machine: MilterProtocol) -> list[tuple[bytes, bytes]]:
    """What the machine says, cut into letters and data."""
    data, found = machine.data_to_send(), []
    while data:
        length = int.from_bytes(data[:4], "big")
        found.append((data[4:5], data[5 : 4 + length]))
        data = data[4 + length :]
    return found
