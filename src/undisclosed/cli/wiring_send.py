# SPDX-License-Identifier: Apache-2.0
"""What a worker sends campaigns with: connections, tokens, rates."""

from datetime import UTC, datetime

from undisclosed.cli import wiring_smarthost
from undisclosed.console.wiring import send_tokens
from undisclosed.send.connections import Connections
from undisclosed.send.deliver import Sender
from undisclosed.send.rates import HOUR, MINUTE, SECOND, Rate, Rates
from undisclosed.send.settings import SendSettings
from undisclosed.store.settings import HostPort, Settings
from undisclosed.transport.smtp.client import connect


def sender(settings: Settings, where: HostPort, by: str) -> Sender:
    """One worker's sending; ``by`` is its name. Raises UndisclosedError."""
    hop = wiring_smarthost.client(settings, where)
    return Sender(
        Connections(lambda: connect(hop), settings.send.connections),
        send_tokens(),
        _rates(settings),
        SendSettings(
            hostname=settings.guard.hostname,
            return_domain=settings.send.return_domain,
            unsubscribe_page=f"{settings.console.url}/unsubscribe/{{token}}/",
            connections=settings.send.connections,
            dkim_key=wiring_smarthost.dkim_key(settings),
        ),
        by=by,
        clock=lambda: datetime.now(UTC),
    )


def _rates(settings: Settings) -> Rates:
    chosen = settings.send
    hop = (
        (chosen.per_second, SECOND),
        (chosen.per_minute, MINUTE),
        (chosen.per_hour, HOUR),
    )
    domain = ((chosen.per_domain_minute, MINUTE),)
    return Rates(
        tuple(Rate(number, per) for number, per in hop if number),
        tuple(Rate(number, per) for number, per in domain if number),
    )
