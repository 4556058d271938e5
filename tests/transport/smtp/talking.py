# SPDX-License-Identifier: Apache-2.0
"""Ways to talk to the state machines and to servers, for the tests beside it."""

import asyncio
from collections.abc import Coroutine
from dataclasses import astuple
from typing import Any, TypeVar

from hypothesis import settings

from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.extensions import Extensions
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.protocol import (
    Event,
    Hello,
    MessageRefused,
    RcptTo,
    Reset,
    ServerProtocol,
)

Result = TypeVar("Result")

PATIENT = settings(deadline=None)
"""No test of ours fails because a machine is busy."""

EVERYTHING = Extensions(
    pipelining=True,
    size=10_000,
    eight_bit=True,
    utf8=True,
    dsn=True,
    enhanced_status=True,
)
GREETING = replies.reply(220, "mx.test ESMTP")


def run(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; what takes over a minute hangs."""

    async def limited() -> Result:
        async with asyncio.timeout(60):
            return await coroutine

    return asyncio.run(limited())


class Conversation:
    """A server machine whose handler takes everybody but those called refused."""

    def __init__(
        self, limits: Limits | None = None, offered: Extensions = EVERYTHING
    ) -> None:
        self.machine = ServerProtocol("mx.test", limits or Limits())
        self.machine.greet(GREETING)
        self.offered = offered
        self.events: list[Event] = []
        self.said = b""

    def send(self, data: bytes) -> bytes:
        """Give it a piece of the stream; what it says to that."""
        self.machine.receive(data)
        while (event := self.machine.next_event()) is not None:
            self.events.append(event)
            self._answer(event)
        said = self.machine.data_to_send()
        self.said += said
        return said

    def _answer(self, event: Event) -> None:
        match event:
            case Hello():
                self.machine.offer(event.number, self.offered)
            case RcptTo() if event.recipient.address.local_part == "refused":
                refusal = replies.reply(550, "5.1.1 Unknown")
                self.machine.answer(event.number, refusal)
            case Reset() | MessageRefused():
                pass
            case _:
                self.machine.answer(event.number, replies.OK)

    def outcome(self) -> tuple[list[object], bytes]:
        """Everything that happened and was said, to compare two conversations."""
        return [
            (type(e).__name__, _spelled(astuple(e))) for e in self.events
        ], self.said


def _spelled(value: object) -> object:
    if isinstance(value, tuple | list):
        return tuple(_spelled(item) for item in value)
    spelled_out = getattr(value, "spelled_out", None)
    return spelled_out() if spelled_out else value


def codes(said: bytes) -> list[int]:
    """The codes of all replies, one for each."""
    lines = said.decode().split("\r\n")
    return [int(line[:3]) for line in lines if line and line[3:4] != "-"]
