# SPDX-License-Identifier: Apache-2.0
"""Packets of the milter protocol: a length, one letter, and bytes.

There is no RFC: the protocol is what Sendmail's ``mfdef.h`` names (SMFIC_* is what
the MTA says, SMFIR_* what a milter answers), version 6, and what Postfix makes of
it. The length counts the letter, is 32 bits wide and big-endian.
"""

import struct
from enum import IntEnum

from undisclosed.transport.milter.errors import MtaError

LONGEST_PACKET = 16 * 1024 * 1024
"""Bytes of one packet. A body comes in pieces of 64 KiB, a header field in one piece:
this is To with more than the hundred thousand recipients that a policy counts."""

_LENGTH = struct.Struct("!I")
_HEAD = _LENGTH.size + 1


class Command(IntEnum):
    """What the MTA says (SMFIC_*)."""

    ABORT = ord("A")
    BODY = ord("B")
    CONNECT = ord("C")
    MACROS = ord("D")
    END_OF_BODY = ord("E")
    HELO = ord("H")
    QUIT_NEW_CONNECTION = ord("K")
    HEADER = ord("L")
    MAIL = ord("M")
    END_OF_HEADER = ord("N")
    NEGOTIATE = ord("O")
    QUIT = ord("Q")
    RCPT = ord("R")
    DATA = ord("T")
    UNKNOWN = ord("U")


class PacketReader:
    """Cuts a stream of bytes into packets, however it comes.

    What comes whole is cut as it is; only what does not is put together first.
    """

    __slots__ = ("_buffer", "_position")

    def __init__(self) -> None:
        self._buffer: bytes | bytearray = b""
        self._position = 0

    def receive(self, data: bytes) -> None:
        """Take in any piece of the stream."""
        if self._position == len(self._buffer):
            self._buffer = data
            self._position = 0
        elif isinstance(self._buffer, bytearray):
            del self._buffer[: self._position]
            self._buffer += data
            self._position = 0
        else:
            self._buffer = bytearray(self._buffer[self._position :]) + data
            self._position = 0

    def next_packet(self) -> tuple[int, bytes] | None:
        """The next whole packet, its letter first; None until more bytes come.

        Raises MtaError for a length that no packet has.
        """
        buffer, start = self._buffer, self._position
        body_start = start + _HEAD
        if len(buffer) < body_start:
            return None
        (length,) = _LENGTH.unpack_from(buffer, start)
        if not 0 < length <= LONGEST_PACKET:
            raise MtaError("A packet has an impossible length.", length=length)
        end = body_start + length - 1
        if len(buffer) < end:
            return None
        self._position = end
        return buffer[body_start - 1], bytes(buffer[body_start:end])

    @property
    def backlog(self) -> int:
        """Bytes received that are not cut yet."""
        return len(self._buffer) - self._position

    def forget(self) -> None:
        """Drop whatever has come."""
        self._buffer = b""
        self._position = 0


def packet(letter: bytes, data: bytes = b"") -> bytes:
    """One packet as it is sent."""
    return _LENGTH.pack(len(data) + 1) + letter + data


def strings(data: bytes) -> list[bytes]:
    """The NUL-terminated strings that a packet holds. Raises MtaError."""
    if not data.endswith(b"\0"):
        raise MtaError("A packet's last string has no end.")
    return data[:-1].split(b"\0")
