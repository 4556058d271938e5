# SPDX-License-Identifier: Apache-2.0
"""Joins the settings of the record-only feed with the guard's parts that serve it."""

from undisclosed.cli import wiring
from undisclosed.core.address import parse_addr_spec
from undisclosed.guard.endpoints.feed import SmtpFeed
from undisclosed.guard.feed import Feed
from undisclosed.guard.journal_reports import JournalRules
from undisclosed.guard.metrics import Alarm
from undisclosed.store.settings import Settings
from undisclosed.transport.smtp.limits import Budget, Limits
from undisclosed.transport.smtp.server_tls import server_tls
from undisclosed.transport.smtp.settings import ServerSettings


def feed(settings: Settings, metrics: Alarm | None = None) -> Feed:
    """What records inbound mail in Memory, whichever way it comes."""
    return Feed(
        settings.policy,
        wiring.memory(),
        wiring.utc_now,
        authserv_ids=settings.guard.feed.authserv_ids,
        journals=_journals(settings),
        metrics=metrics,
    )


def _journals(settings: Settings) -> JournalRules:
    feed = settings.guard.feed
    addresses = map(parse_addr_spec, feed.journal_addresses)
    return JournalRules(feed.journal_clients, frozenset(filter(None, addresses)))


def smtp_feed(settings: Settings, metrics: Alarm | None = None) -> SmtpFeed | None:
    """The feed's SMTP listener, not yet listening; None where none is set.

    Raises CertificateUnreadable.
    """
    if settings.guard.feed.listen is None:
        return None
    return SmtpFeed(feed(settings, metrics), server(settings))


def server(settings: Settings) -> ServerSettings:
    """How the listener serves: the guard's clients, and those of our journal rules."""
    guard, limits = settings.guard, settings.guard.limits
    return ServerSettings(
        hostname=guard.hostname,
        clients=(*guard.clients, *guard.feed.journal_clients),
        limits=Limits(
            max_size=limits.max_size + wiring.ROOM,
            max_recipients=limits.max_recipients,
            budget=Budget(limits.in_flight),
        ),
        max_connections=limits.max_connections,
        tls=server_tls(guard.tls_certificate, guard.tls_key),
    )
