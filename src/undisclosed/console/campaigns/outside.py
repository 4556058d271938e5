# SPDX-License-Identifier: Apache-2.0
"""What the checks of a campaign are told about the world outside: next hop and DNS.

Nobody is asked where there is no next hop: then nothing leaves this machine.
"""

import asyncio
from datetime import timedelta

from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.formats.dkim import DkimKey, read_key
from undisclosed.send.checks.view import Domain, NextHop, Resolver
from undisclosed.send.resolving import DnsResolver
from undisclosed.store.settings_values import HostPort, Settings
from undisclosed.transport.smtp.client import ClientSettings, Timeouts, connect
from undisclosed.transport.smtp.extensions import Extensions

_PATIENCE = timedelta(seconds=5)


def resolver(settings: Settings) -> Resolver | None:
    """Who asks the domain name system; None where nothing leaves."""
    if settings.guard.next_hop is None:
        return None
    return DnsResolver(settings.send.name_servers)


def domain(settings: Settings) -> Domain:
    """Where bounces go, and what mail is signed with."""
    key = _key(settings)
    if key is None:
        return Domain(settings.send.return_domain)
    return Domain(
        settings.send.return_domain,
        key.domain,
        f"{key.selector}._domainkey.{key.domain}",
        key.record,
    )


def next_hop(settings: Settings) -> NextHop:
    """The rates that are set, and what the next hop says that it takes."""
    sending, where = settings.send, settings.guard.next_hop
    offered = _asked(where, settings.guard.hostname) if where else None
    return NextHop(
        sending.per_second,
        sending.per_minute,
        sending.per_hour,
        longest=(offered.size or None) if offered else None,
        has_utf8=offered.utf8 if offered else None,
        answers=offered is not None if where else None,
        is_post_office=where is None,
    )


def _asked(where: HostPort, hostname: str) -> Extensions | None:
    """What it offers before TLS; None where it does not answer."""
    timeouts = Timeouts(connect=_PATIENCE, greeting=_PATIENCE, command=_PATIENCE)
    client = ClientSettings(where.host, where.port, hostname, timeouts=timeouts)
    try:
        return asyncio.run(_offered(client))
    except (TransientError, OSError):
        return None


async def _offered(client: ClientSettings) -> Extensions:
    connection = await connect(client)
    connection.quit()
    return connection.extensions


def _key(settings: Settings) -> DkimKey | None:
    dkim = settings.guard.dkim
    if dkim.key is None:
        return None
    try:
        pem = dkim.key.read_bytes()
        return read_key(pem, min(dkim.domains, default=""), dkim.selector)
    except (OSError, UndisclosedError):
        # Whoever signs says what is wrong with the key; here it only is not there.
        return None
