# SPDX-License-Identifier: Apache-2.0
"""Joins the settings of what comes back of campaigns with the parts that take it."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from undisclosed.console.wiring import send_tokens
from undisclosed.send.return_box import Fetching
from undisclosed.send.return_listener import ReturnListener
from undisclosed.send.returns import ReturnLimits, Returns
from undisclosed.store.settings import Settings
from undisclosed.store.settings_values import BoxSettings
from undisclosed.transport.imap import ImapSettings
from undisclosed.transport.smtp.limits import Budget, Limits
from undisclosed.transport.smtp.server_tls import server_tls
from undisclosed.transport.smtp.settings import ServerSettings

MOST_BYTES: Final = 20 * 1024 * 1024
"""Bytes of one report over SMTP: it may return a message whole."""

_IN_FLIGHT: Final = 4 * MOST_BYTES
_MOST_RECIPIENTS: Final = 100
_MOST_ERRORS: Final = 10
_MOST_CONNECTIONS: Final = 100
_MOST_OF_ONE: Final = 50

log = logging.getLogger(__name__)


def returns(settings: Settings) -> Returns:
    """What everything that comes back passes through."""
    chosen = settings.send.returns
    return Returns(
        send_tokens(),
        _now,
        domain=settings.send.return_domain,
        hostname=settings.guard.hostname,
        others=chosen.complaints,
        limits=ReturnLimits(
            complaint_share=chosen.complaint_share,
            fewest_complaints=chosen.fewest_complaints,
            failed_share=chosen.failed_share,
            fewest_failures=chosen.fewest_failures,
        ),
    )


def fetching(settings: Settings) -> Fetching | None:
    """What looks into the mailbox; None where none is set."""
    box = settings.send.returns.box
    if box is None:
        return None
    every, takes = timedelta(minutes=box.minutes), returns(settings)
    return Fetching(_imap(box), box.done, takes, every=every, clock=_now)


def seed_box(settings: Settings) -> ImapSettings | None:
    """Where the seeds of campaigns arrive; None where no box is set."""
    box = settings.send.seeds.box
    return _imap(box) if box else None


def _imap(box: BoxSettings) -> ImapSettings:
    return ImapSettings(
        box.where.host,
        box.where.port,
        box.login,
        box.password,
        tls=box.tls,
        ca=box.ca,
        folder=box.folder,
    )


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[None]:
    """Take returned mail by SMTP while the block runs, where that is set.

    Several workers of one machine share the port. Raises CertificateUnreadable.
    """
    chosen = settings.send.returns
    where = chosen.listen
    if where is None:
        yield
        return
    server = ServerSettings(
        hostname=settings.guard.hostname,
        clients=chosen.clients,
        limits=Limits(
            max_size=MOST_BYTES,
            max_recipients=_MOST_RECIPIENTS,
            max_errors=_MOST_ERRORS,
            budget=Budget(_IN_FLIGHT),
        ),
        max_connections=_MOST_CONNECTIONS,
        max_connections_per_client=_MOST_OF_ONE,
        tls=server_tls(chosen.tls_certificate, chosen.tls_key),
    )
    listener = ReturnListener(returns(settings), server)
    await listener.start(where.host, where.port, reuse_port=True)
    log.info("Returned mail is taken on %s.", where)
    try:
        yield
    finally:
        await listener.close()


def _now() -> datetime:
    return datetime.now(UTC)
