# SPDX-License-Identifier: Apache-2.0
"""An MTA for tests: it asks a milter about mail, as Postfix does.

It shares no code with the milter of this package, so that a mistake there does not
hide here. What the milter asks for is done to the mail as an MTA does it: deleting
a field makes the MTA count anew.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

POSTFIX_STEPS = 0x1FFFFF
"""Everything that Postfix offers: no answers in between, leading white space."""

POSTFIX_ACTIONS = 0x1FF
CHUNK = 65_535
"""Bytes of one piece of a body (MILTER_CHUNK_SIZE)."""

_NO_ANSWER = {
    **{"C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000},
    **{"T": 0x10000, "L": 0x80, "N": 0x40000, "B": 0x80000},
}
_LEFT_OUT = {"H": 0x2, "N": 0x40, "T": 0x200}
_LEADING_SPACE = 0x100000


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail as an MTA has it: fields as name and body, lines of the body as CR LF.

    ``mail`` and each of ``rcpts`` are a path and its parameters.
    """

    mail: tuple[bytes, ...] = (b"<sam@council.example>",)
    rcpts: tuple[tuple[bytes, ...], ...] = ((b"<ann@a.example>",),)
    fields: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"Text\r\n", repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the milter decided, and what is left of the fields after its changes.

    ``outcome`` is the letter of the packet: a, c, d, r, t, or y with its ``text``.
    """

    outcome: str
    text: str = ""
    fields: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    deleted: int = 0


class WrongAnswer(AssertionError):
    """The milter said what no milter may say here."""


class FakeMta:
    """One connection of an MTA to a milter."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._reader = reader
        self.writer = writer
        self.version = self.actions = self.steps = 0

    @classmethod
    async def connect(
        cls,
        where: Path | int,
        *,
        steps: int = POSTFIX_STEPS,
        actions: int = POSTFIX_ACTIONS,
        version: int = 6,
        client: bytes = b"192.0.2.7",
    ) -> Self:
        """Connect to a path or a port of loopback, negotiate, and name the client."""
        if isinstance(where, int):
            streams = await asyncio.open_connection("127.0.0.1", where)
        else:
            streams = await asyncio.open_unix_connection(where)
        mta = cls(*streams)
        try:
            await mta._agree(version, actions, steps)
        except BaseException:
            mta.close()
            raise
        mta.macros("C", j=b"mta.council.example")
        await mta.tell("C", b"client.test\0" + b"4" + b"\x12\x34" + client + b"\0")
        await mta.tell("H", b"client.test\0")
        return mta

    async def _agree(self, version: int, actions: int, steps: int) -> None:
        numbers = (version, actions, steps)
        self.say("O", b"".join(number.to_bytes(4, "big") for number in numbers))
        letter, offer = await self.hear()
        if letter != "O" or len(offer) < 12:
            raise WrongAnswer(f"{letter} instead of an offer")
        self.version, self.actions, self.steps = (
            int.from_bytes(offer[at : at + 4], "big") for at in (0, 4, 8)
        )
        if self.actions & ~actions or self.steps & ~steps or self.version > version:
            raise WrongAnswer("more was taken than was offered")

    async def hand_in(
        self, letter: Letter, *, queue_id: bytes = b"4ABCDEF", login: bytes = b""
    ) -> Answered:
        """Ask about one mail, from MAIL to the milter's answer."""
        await self.begin(letter, queue_id=queue_id, login=login)
        return await self.end(letter)

    async def begin(
        self, letter: Letter, *, queue_id: bytes = b"4ABCDEF", login: bytes = b""
    ) -> None:
        """Tell everything but the end of the body."""
        self.macros("M", auth_authen=login, mail_host=b"council.example")
        await self.tell("M", _strings(letter.mail))
        for rcpt in letter.rcpts:
            self.macros("R", rcpt_host=b"a.example")
            await self.tell("R", _strings(rcpt))
        await self.tell("T", b"")
        for name, body in letter.fields:
            plain = body if self.steps & _LEADING_SPACE else body.removeprefix(b" ")
            await self.tell("L", name + b"\0" + plain + b"\0")
        self.macros("N", i=queue_id)
        await self.tell("N", b"")
        for start in range(0, len(letter.body), CHUNK):
            await self.tell("B", letter.body[start : start + CHUNK])

    async def end(self, letter: Letter) -> Answered:
        """Tell the end of the body; what comes of it."""
        self.say("E", b"")
        fields, deleted = list(letter.fields), 0
        while True:
            word, data = await self.hear()
            match word:
                case "m":
                    _change(fields, data)
                    deleted += 1
                case "a" | "c" | "d" | "r" | "t":
                    return Answered(word, "", tuple(fields), deleted)
                case "y":
                    text = data.rstrip(b"\0").decode("ascii").replace("%%", "%")
                    return Answered(word, text, tuple(fields), deleted)
                case _:
                    raise WrongAnswer(f"{word} at the end of a mail")

    def macros(self, command: str, **values: bytes) -> None:
        """Tell macros; a name of more than a letter is written in braces."""
        pairs = [
            (name if len(name) == 1 else f"{{{name}}}").encode() + b"\0" + value + b"\0"
            for name, value in values.items()
            if value
        ]
        self.say("D", command.encode() + b"".join(pairs))

    async def tell(self, command: str, data: bytes) -> None:
        """Tell one command, and hear *continue* where it was not agreed away."""
        if self.steps & _LEFT_OUT.get(command, 0):
            return
        self.say(command, data)
        if not self.steps & _NO_ANSWER.get(command, 0):
            letter, _ = await self.hear()
            if letter != "c":
                raise WrongAnswer(f"{letter} in answer to {command}")

    def say(self, command: str, data: bytes) -> None:
        """Write one packet."""
        length = (len(data) + 1).to_bytes(4, "big")
        self.writer.write(length + command.encode() + data)

    async def hear(self) -> tuple[str, bytes]:
        """Read one packet. Raises IncompleteReadError where the milter went away."""
        length = int.from_bytes(await self._reader.readexactly(4), "big")
        packet = await self._reader.readexactly(length)
        return chr(packet[0]), packet[1:]

    def close(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()


def _strings(words: Sequence[bytes]) -> bytes:
    return b"".join(word + b"\0" for word in words)


def _change(fields: list[tuple[bytes, bytes]], data: bytes) -> None:
    """Do what SMFIR_CHGHEADER asks for: an empty new body deletes the field."""
    number = int.from_bytes(data[:4], "big")
    name, body, rest = data[4:].split(b"\0")
    if rest or not number:
        raise WrongAnswer("a change of a field that is none")
    places = [at for at, one in enumerate(fields) if one[0].lower() == name.lower()]
    if number > len(places):
        raise WrongAnswer("a change of a field that is not there")
    if body:
        fields[places[number - 1]] = (name, body)
    else:
        del fields[places[number - 1]]
