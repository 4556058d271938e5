# SPDX-License-Identifier: Apache-2.0
"""What a worker sends campaigns with: connections, tokens, rates, and Memory."""

from collections.abc import Callable, Iterator
from datetime import datetime

from undisclosed.cli import wiring, wiring_returns, wiring_smarthost
from undisclosed.console.wiring import send_tokens
from undisclosed.core.address import Address
from undisclosed.core.campaign import Sensitivity, Way
from undisclosed.core.disclosure import Sides
from undisclosed.core.policy import Policy
from undisclosed.send.connections import Connections
from undisclosed.send.deliver import Sender
from undisclosed.send.rates import HOUR, MINUTE, SECOND, Rate, Rates
from undisclosed.send.seeding import Seeding, SeedSettings
from undisclosed.send.settings import SendSettings
from undisclosed.store import campaign_lists, lists
from undisclosed.store.campaigns import Campaign
from undisclosed.store.progress import Deed, told
from undisclosed.store.settings import HostPort, Settings
from undisclosed.transport.smtp.client import connect

_PEOPLE_AT_ONCE = 10_000


def sender(
    settings: Settings,
    where: HostPort,
    by: str,
    alive: Callable[[], None] | None = None,
) -> Sender:
    """One worker's sending; ``by`` is its name. Raises UndisclosedError.

    ``alive`` gives its sign of life.
    """
    hop = wiring_smarthost.client(settings, where)
    connections = Connections(lambda: connect(hop), settings.send.connections)
    return Sender(
        connections,
        send_tokens(),
        _rates(settings),
        send_settings(settings),
        by=by,
        clock=wiring.utc_now,
        hide=lambda campaign, now: _hide(settings.policy, campaign, now),
        alive=alive,
        seeding=_seeding(settings, connections),
    )


def _seeding(settings: Settings, connections: Connections) -> Seeding | None:
    """What tries campaigns with seeds; None where that is not set."""
    chosen, box = settings.send.seeds, wiring_returns.seed_box(settings)
    if box is None or not chosen.addresses or not chosen.is_automatic:
        return None
    away = settings.delivery.retry[0]
    seeds = SeedSettings(chosen.addresses, box, chosen.wait, away)
    return Seeding(seeds, connections, wiring.utc_now)


def send_settings(settings: Settings) -> SendSettings:
    """How campaigns are made and sent. Raises UndisclosedError."""
    return SendSettings(
        hostname=settings.guard.hostname,
        return_domain=settings.send.return_domain,
        unsubscribe_page=f"{settings.console.url}/unsubscribe/{{token}}/",
        connections=settings.send.connections,
        retry_after=settings.delivery.retry,
        dkim_key=wiring_smarthost.dkim_key(settings),
        feedback_sender=settings.send.feedback_id,
        asks_delivered=settings.send.asks_delivered,
    )


def _hide(policy: Policy, campaign: Campaign, now: datetime) -> None:
    """Have Memory keep a campaign's outsiders hidden from each other from now on."""
    if campaign.list_id is None:
        return
    facts = campaign_lists.get(campaign.list_id)
    is_sensitive = facts.sensitivity is not Sensitivity.ORDINARY
    with told(campaign.id, Deed.HIDING, campaign.recipients) as tell:
        people = _outsiders(policy, campaign.list_id, tell)
        wiring.memory().hide(people, is_sensitive=is_sensitive, now=now)


def _outsiders(
    policy: Policy, list_id: str, tell: Callable[[int], None]
) -> Iterator[Address]:
    for number, row in enumerate(lists.rows(list_id, way=Way.MAIL)):
        if number % _PEOPLE_AT_ONCE == 0:
            # It remembers whom it was asked about: not a million people.
            sides = Sides(policy.own_domains, policy.outsiders)
            if number:
                tell(number)
        if row.address is not None and sides.is_outsider(row.address):
            yield row.address


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
