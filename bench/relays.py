# SPDX-License-Identifier: Apache-2.0
"""``python -m bench.relays NAME PORT HOP_PORT``: one relay in a process of its own.

``guard`` is the SMTP endpoint with a checkpoint without a database, so
that only the path of accepted mail is measured. ``passes`` is the same endpoint with
a checkpoint that reads nothing. ``aiosmtpd`` is what one would
write with aiosmtpd and aiosmtplib: ten kept connections, nothing judged.
"""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from datetime import datetime, timedelta
from typing import cast

import aiosmtplib
from aiosmtpd.smtp import SMTP, Envelope, Session

from undisclosed.core.address import Address
from undisclosed.core.held import Reservation, WaveState
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Mail
from undisclosed.core.mailing import Wave
from undisclosed.core.policy import Policy
from undisclosed.core.verdict import Action, Verdict
from undisclosed.guard.checkpoint import Checkpoint, Decision
from undisclosed.guard.endpoints.settings import SmtpSettings
from undisclosed.guard.endpoints.smtp import SmtpEndpoint, utc_now
from undisclosed.guard.identity import KeyedIds
from undisclosed.guard.links import LinkSigner
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.guard.notices import Notices, NoticeSettings
from undisclosed.guard.origin import Origin
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.guard.testing import MemorySpool, RecordingJournal
from undisclosed.transport.smtp.client import ClientSettings

with suppress(ImportError):
    import uvloop

CONNECTIONS = 10
POLICY = Policy(own_domains=frozenset({"council.example"}))


class NothingKnown:
    """A Memory that keeps nothing and answers at once, as if all were new."""

    def reserve(self, wave: Wave, *, window: timedelta, now: datetime) -> Reservation:
        """A place, and nothing known."""
        return Reservation("place", NOTHING_KNOWN)

    def settle(self, reservation_id: str, state: WaveState) -> None:
        """Nothing to settle."""


def checkpoint(metrics: GuardMetrics) -> Checkpoint:
    """The real checkpoint, without a database."""
    name = KeyedIds(bytes(32))
    notices = Notices(
        NoticeSettings(Address("guard", "council.example")),
        LinkSigner(bytes(32)).sign,
        name,
    )
    return Checkpoint(
        POLICY,
        NothingKnown(),
        MemorySpool(),
        utc_now,
        name=name,
        notices=notices,
        journal=RecordingJournal(),
        metrics=metrics,
    )


async def guard(port: int, hop_port: int) -> None:
    """Our endpoint, until the process is told to end."""
    metrics = GuardMetrics()
    client = ClientSettings("127.0.0.1", hop_port, "guard.council.example")
    endpoint = SmtpEndpoint(
        checkpoint(metrics), lambda: Hop(HopSettings(client)), SmtpSettings(), metrics
    )
    await endpoint.serve("127.0.0.1", port)
    await told_to_end()
    await endpoint.close()


class Unread:
    """A checkpoint that accepts every mail and reads none."""

    _accepted = Decision(Verdict(Action.ACCEPT), None, None, "", b"", False)

    def at_once(self, mail: Mail, origin: Origin) -> Decision:
        """Accept."""
        return self._accepted


async def passes(port: int, hop_port: int) -> None:
    """A filter that only passes on: our endpoint with nobody who judges."""
    client = ClientSettings("127.0.0.1", hop_port, "guard.council.example")
    unread = cast(Checkpoint, Unread())
    endpoint = SmtpEndpoint(
        unread, lambda: Hop(HopSettings(client)), SmtpSettings(), GuardMetrics()
    )
    await endpoint.serve("127.0.0.1", port)
    await told_to_end()
    await endpoint.close()


class PassOn:
    """aiosmtpd's handler: each mail goes on over one of ten kept connections."""

    def __init__(self, hop_port: int) -> None:
        self._hop_port = hop_port
        self._idle: asyncio.Queue[aiosmtplib.SMTP] = asyncio.Queue()

    async def connect(self) -> None:
        """Open the connections."""
        for _ in range(CONNECTIONS):
            client = aiosmtplib.SMTP(hostname="127.0.0.1", port=self._hop_port)
            await client.connect()
            self._idle.put_nowait(client)

    async def handle_DATA(
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Pass the mail on."""
        client = await self._idle.get()
        content = envelope.content
        assert isinstance(content, bytes)
        assert envelope.mail_from is not None
        await client.sendmail(envelope.mail_from, envelope.rcpt_tos, content)
        self._idle.put_nowait(client)
        return "250 2.0.0 OK"


class Patient(SMTP):
    """aiosmtpd that takes the long lines of real mail, as we do."""

    line_length_limit = 10 * 1024 * 1024


async def aiosmtpd(port: int, hop_port: int) -> None:
    """The peer, until the process is told to end."""
    handler = PassOn(hop_port)
    await handler.connect()
    loop = asyncio.get_running_loop()
    await loop.create_server(
        lambda: Patient(handler, enable_SMTPUTF8=True, loop=loop), "127.0.0.1", port
    )
    await told_to_end()


async def told_to_end() -> None:
    """Wait for SIGTERM."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()


RELAYS: dict[str, Callable[[int, int], Coroutine[None, None, None]]] = {
    "guard": guard,
    "passes": passes,
    "aiosmtpd": aiosmtpd,
}


def main() -> None:
    """Run the relay that the command line names."""
    name, port, hop_port = sys.argv[1:]
    running = RELAYS[name](int(port), int(hop_port))
    if "uvloop" in globals():
        uvloop.run(running)
    else:
        asyncio.run(running)


if __name__ == "__main__":
    main()
