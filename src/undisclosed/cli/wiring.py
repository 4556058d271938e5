# SPDX-License-Identifier: Apache-2.0
"""The one place that joins guard and store: ports on one side, tables on the other.

Every command that needs the store begins with ``configure``; the parts themselves
are made once for each process.
"""

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from undisclosed.cli import options, wiring_smarthost
from undisclosed.console.site import site_settings
from undisclosed.console.wiring import (
    clearances,
    keyed_ids,
    link_signer,
    memory,
    reader,
    spool,
)
from undisclosed.core.address import Address
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.guard.checkpoint import Checkpoint, CheckpointSettings
from undisclosed.guard.endpoints.settings import SmtpSettings
from undisclosed.guard.endpoints.smtp import SmtpEndpoint
from undisclosed.guard.exemptions import Exemptions
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.guard.notices import Notices, NoticeSettings
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.postoffice.catch import PostOffice, PostOfficeSettings
from undisclosed.store import bootstrap, journal, master_key, migrate, postgres
from undisclosed.store import settings as settings_store
from undisclosed.store.accepted import PostgresTrace
from undisclosed.store.caught import PostgresCatcher
from undisclosed.store.settings import HostPort, Settings
from undisclosed.store.stamping import Stamping
from undisclosed.store.timestamps import Authority
from undisclosed.transport.smtp.client import ClientSettings
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.settings import ServerSettings

__all__ = [
    "checkpoint",
    "configure",
    "delivery_hop",
    "endpoint",
    "hop",
    "keyed_ids",
    "link_signer",
    "load",
    "memory",
    "next_hop",
    "notices",
    "post_office",
    "reader",
    "spool",
    "utc_now",
]

log = logging.getLogger(__name__)


class TablesMissing(UndisclosedError):
    """The tables are missing or of an earlier release: run `undisclosed migrate`."""


ROOM = 64 * 1024
"""Bytes that a mail may grow on its way through the guard: trace and own words."""

GRACE = timedelta(seconds=12)
"""For mail that is being handed in when a guard ends: less than its parent waits."""

BURST = timedelta(seconds=5)
"""How long a worker keeps a connection that it does not use."""


def utc_now() -> datetime:
    """The guard's clock."""
    return datetime.now(UTC)


def load(file: Path | None) -> Settings:
    """The settings of the file and the environment. Raises ConfigurationError."""
    return settings_store.load(file, os.environ)


def configure(settings: Settings) -> None:
    """Configure Django for this process. Raises UndisclosedError."""
    console = settings.console
    settings_store.configure(settings, site_settings(console.url, console.openid))


def make_first_key(settings: Settings) -> None:
    """Make the master key of a new installation, before its tables are made.

    A database that is there already has its key: then nothing is made. Raises
    UndisclosedError where the key of such a database is missing.
    """
    is_new = bool(settings.store.database_url) or not postgres.is_initialised(
        settings.store.data
    )
    master_key.of(settings, may_make=is_new)


def start(settings: Settings, part: str) -> None:
    """Configure this process for a part, and refuse what cannot work.

    Raises TablesMissing and AnotherMasterKey. Where the database is away the part
    goes on: it heals when the database comes back, and checks the key then.
    """
    configure(settings)
    options.log_to_stderr()
    try:
        if migrate.is_needed():
            raise TablesMissing
        bootstrap.ensure_key()
    except TransientError:
        log.warning("The %s starts while the database is away.", part)


def next_hop(settings: Settings) -> HostPort:
    """Where mail goes: the next hop, or this machine's own post office."""
    return settings.guard.next_hop or settings.postoffice.listen


def hop(settings: Settings) -> Hop:
    """Kept connections to the next hop; one per process and event loop."""
    return Hop(HopSettings(_client(settings)))


def delivery_hop(settings: Settings) -> Hop:
    """The same for a worker, which comes in bursts: it soon lets go of connections.

    Those that it kept would be missing to the guard where the hop serves few.
    """
    return Hop(HopSettings(_client(settings), max_connections=20, idle=BURST))


def _client(settings: Settings) -> ClientSettings:
    return wiring_smarthost.client(settings, next_hop(settings))


def _journal(event: str, **facts: object) -> None:
    """The guard's journal: what it writes, it did itself."""
    journal.write(event, actor="guard", **facts)


def notices(settings: Settings) -> Notices:
    """Who writes our own mail."""
    url = settings.console.url
    return Notices(
        NoticeSettings(
            author=settings.holds.notice_from
            or Address("postmaster", settings.guard.hostname),
            hostname=settings.guard.hostname,
            link_page=f"{url}/links/{{token}}/",
            mailing_page=f"{url}/mailings/{{mailing_id}}/",
        ),
        link_signer().sign,
        keyed_ids(),
    )


def checkpoint(settings: Settings, metrics: GuardMetrics) -> Checkpoint:
    """The one place that every endpoint passes, over PostgreSQL."""
    return Checkpoint(
        settings.policy,
        memory(),
        spool(),
        utc_now,
        name=keyed_ids(),
        notices=notices(settings),
        journal=_journal,
        metrics=metrics,
        reader=reader(),
        passes=(clearances(), *wiring_smarthost.passes(settings)),
        settings=CheckpointSettings(
            observe=settings.guard.is_observing,
            hold_for=settings.holds.expiry,
            undo_split=settings.holds.undo_split,
            undo_accepted=settings.holds.undo_accepted,
        ),
        exempt=Exemptions(settings.policy.exemptions),
        trace=PostgresTrace() if settings.guard.has_trace else None,
    )


def stamping(settings: Settings) -> Stamping | None:
    """What asks for timestamps of the journal; None where nobody is to be asked."""
    url, ca = settings.journal.timestamp_url, settings.journal.timestamp_ca
    return Stamping(Authority.of(url, ca), utc_now) if url and ca else None


def post_office(settings: Settings) -> PostOffice:
    """The post office, not yet listening: it takes whatever the guard lets through."""
    limits = Limits(
        max_size=settings.guard.limits.max_size + ROOM,
        max_recipients=settings.guard.limits.max_recipients,
    )
    server = ServerSettings(hostname=settings.guard.hostname, limits=limits)
    return PostOffice(PostgresCatcher(), utc_now, PostOfficeSettings(server))


def endpoint(settings: Settings, metrics: GuardMetrics) -> SmtpEndpoint:
    """The guard's SMTP endpoint, not yet serving."""
    guard, limits = settings.guard, settings.guard.limits
    return SmtpEndpoint(
        checkpoint(settings, metrics),
        lambda: hop(settings),
        SmtpSettings(
            host=guard.listen.host,
            port=guard.listen.port,
            hostname=guard.hostname,
            access=wiring_smarthost.access(settings),
            client_ca=guard.access.client_ca,
            max_size=limits.max_size,
            max_recipients=limits.max_recipients,
            max_connections=limits.max_connections,
            in_flight_bytes=limits.in_flight,
            wait=limits.command_timeout,
            wait_content=limits.content_timeout,
            grace=GRACE,
            tls_certificate=guard.tls_certificate,
            tls_key=guard.tls_key,
        ),
        metrics,
        authenticator=wiring_smarthost.authenticator(),
    )
