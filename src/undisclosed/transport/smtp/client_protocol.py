# SPDX-License-Identifier: Apache-2.0
"""The client's end of an SMTP session without I/O. ``protocol.py`` says how it goes."""

import re
from collections import deque
from typing import Generic, TypeVar

from undisclosed.transport.smtp.errors import PeerError
from undisclosed.transport.smtp.replies import Reply

Token = TypeVar("Token")

MAX_REPLY = 64 * 1024
"""Longest reply taken, in bytes, all its lines together."""

# A reply of one line, as nearly all are. What may not stand in it is left to the
# slower way.
_USUAL_REPLY = re.compile(rb"([2-5][0-9][0-9]) ([ -~]*)\r\n")

_CODES = {str(code).encode(): code for code in range(200, 600)}  # RFC 5321 §4.2


class ClientProtocol(Generic[Token]):
    """Sends commands in order and says which reply belongs to which."""

    def __init__(self) -> None:
        self.pipelining = False
        self._buffer = bytearray()
        self._lines: list[str] = []
        self._size = 0
        self._out: list[bytes] = []
        self._queued: deque[tuple[bytes, Token, bool]] = deque()
        self._sent: deque[tuple[Token, bool]] = deque()

    def command(self, line: bytes, token: Token, *, is_last: bool = False) -> None:
        """Send a command when its turn has come.

        ``is_last``: nothing may be sent behind it before its reply (RFC 2920
        §3.1: EHLO, DATA, STARTTLS, QUIT, NOOP; and the content itself).
        """
        self._queued.append((line, token, is_last))
        self._advance()

    def expect(self, token: Token) -> None:
        """Wait for a reply that no command asks for: the greeting."""
        self._sent.append((token, True))

    def data_to_send(self) -> bytes:
        """What is to be written now, once."""
        out = self._out
        if not out:
            return b""
        self._out = []
        return out[0] if len(out) == 1 else b"".join(out)

    def receive(self, data: bytes) -> None:
        """Take in any piece of what the server sent."""
        self._buffer += data

    def next_reply(self) -> tuple[Token, Reply] | None:
        """The next whole reply and whose it is; None until more bytes come.

        Raises PeerError where it is no reply or nobody asked for it. An unasked
        421 (RFC 5321 §3.8) is such a reply: the server is about to close.
        """
        if not self._buffer:
            return None
        reply = self._usual_reply() or self._read_reply()
        if reply is None:
            return None
        if not self._sent:
            raise PeerError(
                "The server sent a reply nobody asked for.", code=reply.code
            )
        token, _ = self._sent.popleft()
        self._advance()
        return token, reply

    @property
    def waiting(self) -> int:
        """How many replies are outstanding, those of unsent commands included."""
        return len(self._sent) + len(self._queued)

    def give_up(self) -> list[Token]:
        """The connection is gone: everyone who still waits for a reply, in order."""
        tokens = [token for token, _ in self._sent]
        tokens += [token for _, token, _ in self._queued]
        self._sent.clear()
        self._queued.clear()
        self._out.clear()
        return tokens

    def _advance(self) -> None:
        while self._queued and self._may_send():
            line, token, is_last = self._queued.popleft()
            self._out.append(line)
            self._sent.append((token, is_last))

    def _may_send(self) -> bool:
        if not self._sent:
            return True
        return self.pipelining and not self._sent[-1][1]

    def _usual_reply(self) -> Reply | None:
        """The reply where it came whole, and has one line: nearly always."""
        if self._lines or len(self._buffer) > MAX_REPLY:
            return None
        usual = _USUAL_REPLY.match(self._buffer)
        if usual is None:
            return None
        code, text = usual.groups()
        del self._buffer[: usual.end()]
        return Reply(_CODES[bytes(code)], (text.decode("ascii"),))

    def _read_reply(self) -> Reply | None:
        buffer = self._buffer
        while buffer:
            end = buffer.find(b"\n")
            if end < 0:
                break
            line = bytes(buffer[:end])
            del buffer[: end + 1]
            self._size += end
            if self._size > MAX_REPLY:
                break
            code = _code_of(line)
            self._lines.append(_text_of(line))
            if line[3:4] != b"-":
                lines, self._lines, self._size = tuple(self._lines), [], 0
                return Reply(code, lines)
        if self._size + len(buffer) > MAX_REPLY:
            raise PeerError("The server's reply does not end.")
        return None


def _code_of(line: bytes) -> int:
    """The code of one reply line (RFC 5321 §4.2). Raises PeerError."""
    code = _CODES.get(line[:3])
    if code is None or line[3:4] not in b" -\r":
        raise PeerError("The server sent something that is no reply.")
    return code


def _text_of(line: bytes) -> str:
    text = line[4:].rstrip(b"\r").decode("utf-8", "replace")
    return text.replace("\r", " ") if "\r" in text else text
