# SPDX-License-Identifier: Apache-2.0
"""A guard with its SMTP endpoint in a thread, over PostgreSQL, with a fake next hop.

Tests speak SMTP to ``port``; the clock stands still until a test moves it.
"""

import asyncio
import smtplib
import threading
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Self

from django.db import connections

from undisclosed.console.wiring import keyed_ids, link_signer, memory, spool
from undisclosed.core.address import Address
from undisclosed.core.policy import Policy
from undisclosed.guard.checkpoint import Checkpoint, CheckpointSettings
from undisclosed.guard.endpoints.settings import SmtpSettings
from undisclosed.guard.endpoints.smtp import SmtpEndpoint
from undisclosed.guard.notices import Notices, NoticeSettings
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.guard.testing import FixedClock
from undisclosed.store import journal
from undisclosed.transport.smtp.client import ClientSettings
from undisclosed.transport.smtp.testing import FakeHop, Script

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
OWN_DOMAIN = "authority.example"


class RunningGuard:
    """The guard of an authority, from its own thread; leaving the context stops it."""

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        observe: bool = False,
        script: Script | None = None,
        **smtp: Any,
    ) -> None:
        self.policy = policy or Policy(own_domains=frozenset({OWN_DOMAIN}))
        self.clock = FixedClock(NOON)
        self.hop = FakeHop(script=script)
        self.loop = asyncio.new_event_loop()
        self.checkpoint = Checkpoint(
            self.policy,
            memory(),
            spool(),
            self.clock,
            name=keyed_ids(),
            notices=Notices(
                NoticeSettings(author=Address("guard", OWN_DOMAIN)),
                link_signer().sign,
                keyed_ids(),
            ),
            journal=journal.write,
            settings=CheckpointSettings(observe=observe),
        )
        self._smtp = {"port": 0, "hostname": "guard.authority.example", **smtp}
        self._thread = threading.Thread(target=self.loop.run_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        self.call(self._start())
        return self

    def __exit__(self, *exc: object) -> None:
        self._close_connections()
        self.call(self.endpoint.close())
        self.call(self.hop.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    def _close_connections(self) -> None:
        """Each deciding thread has a connection of its own, which ends with it."""
        threads = self.endpoint._threads._threads
        together = threading.Barrier(threads._max_workers)

        def close() -> None:
            together.wait(10)
            connections.close_all()

        for closed in [threads.submit(close) for _ in range(threads._max_workers)]:
            closed.result(20)

    def call(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine in the guard's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    async def _start(self) -> None:
        await self.hop.start()
        self.endpoint = SmtpEndpoint(
            self.checkpoint, self._new_hop, SmtpSettings(**self._smtp)
        )
        await self.endpoint.serve()

    def _new_hop(self) -> Hop:
        client = ClientSettings(
            host="127.0.0.1", port=self.hop.port, hostname="guard.authority.example"
        )
        return Hop(HopSettings(client))

    @property
    def port(self) -> int:
        """Where it listens on loopback."""
        return self.endpoint.port

    def send(
        self, mail_from: str, rcpt_tos: Sequence[str], content: bytes
    ) -> tuple[int, str]:
        """Hand in one mail as a mail program does; the reply to its final dot."""
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as client:
            client.ehlo()
            code, text = client.mail(mail_from)
            assert code == 250, text
            for recipient in rcpt_tos:
                code, text = client.rcpt(recipient)
                assert code == 250, text
            code, text = client.data(content)
            return code, text.decode()
