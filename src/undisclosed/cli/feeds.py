# SPDX-License-Identifier: Apache-2.0
"""Joins the settings of the record-only feed with the guard's parts that serve it."""

from undisclosed.cli import wiring
from undisclosed.guard.endpoints.feed import SmtpFeed
from undisclosed.guard.feed import Feed
from undisclosed.guard.metrics import Alarm
from undisclosed.store.settings import Settings
from undisclosed.transport.smtp.limits import Budget, Limits
from undisclosed.transport.smtp.settings import ServerSettings


def feed(settings: Settings, metrics: Alarm | None = None) -> Feed:
    """What records inbound mail in Memory, whichever way it comes."""
    return Feed(
        settings.policy,
        wiring.memory(),
        wiring.utc_now,
        authserv_ids=settings.guard.feed.authserv_ids,
        metrics=metrics,
    )


def smtp_feed(settings: Settings, metrics: Alarm | None = None) -> SmtpFeed | None:
    """The feed's SMTP listener, not yet listening; None where none is set."""
    guard, limits = settings.guard, settings.guard.limits
    if guard.feed.listen is None:
        return None
    server = ServerSettings(
        hostname=guard.hostname,
        clients=guard.clients,
        limits=Limits(
            max_size=limits.max_size + wiring.ROOM,
            max_recipients=limits.max_recipients,
            budget=Budget(limits.in_flight),
        ),
        max_connections=limits.max_connections,
    )
    return SmtpFeed(feed(settings, metrics), server)
