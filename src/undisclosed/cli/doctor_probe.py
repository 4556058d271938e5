# SPDX-License-Identifier: Apache-2.0
"""The doctor's proof: a mail that must be held is handed in, and must be found held.

It is withdrawn at once and names addresses that cannot exist (RFC 2606 §2).
"""

import secrets
import smtplib
import socket
import time
from datetime import datetime, timedelta

from undisclosed.cli import wiring
from undisclosed.cli.doctor_answers import Answer, bad, good
from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError
from undisclosed.guard import desk
from undisclosed.store.settings import HostPort, Settings

_SECONDS_TO_TAKE = 60
_EARLIER = timedelta(seconds=5)
"""Clocks of two machines may differ by so much."""


def probe(
    settings: Settings, through: HostPort, given: str | None, wait: float
) -> Answer:
    """Hand in a mail that must be held, find it among the held, withdraw it.

    ``given`` is the sender's address, if somebody named one; ``wait`` counts seconds.
    """
    sender, token = _sender(settings, given), secrets.token_hex(8)
    people = _people(settings.policy.max_shown_outsiders + 1, token)
    began_at = wiring.utc_now() - _EARLIER
    try:
        with smtplib.SMTP(
            through.host, through.port, timeout=_SECONDS_TO_TAKE
        ) as client:
            content = _message(sender, people, token)
            client.sendmail(sender.spelled_out(), people, content)
    except (OSError, smtplib.SMTPException) as error:
        return bad(
            f"{through} did not take the probe: {type(error).__name__}.",
            to_do="Start it, or name another server with --through HOST:PORT.",
        )
    hold_id = _find(token, began_at, wait)
    if hold_id is None:
        return bad(
            f"Mail handed to {through} DOES NOT pass the guard: a probe that shows "
            f"{len(people)} people to each other was taken and is not held.",
            to_do="Lead every service of that server to the guard (content_filter, "
            "milter or relayhost); a slow one needs a longer --wait.",
        )
    _withdraw(settings, hold_id, sender)
    return good(
        f"Mail handed to {through} passes the guard: a probe was held and withdrawn."
    )


def _people(number: int, token: str) -> list[str]:
    return [f"probe{one}@{token}-{one}.invalid" for one in range(number)]


def _withdraw(settings: Settings, hold_id: str, sender: Address) -> None:
    desk.withdraw(
        wiring.spool(),
        wiring.memory(),
        hold_id,
        settings.policy,
        desk.Actor(name="doctor", addresses=frozenset({sender})),
        wiring.utc_now(),
        name=wiring.keyed_ids(),
    )


def _sender(settings: Settings, given: str | None) -> Address:
    if given:
        local_part, _, domain = given.rpartition("@")
        return Address(local_part, domain)
    domain = min(settings.policy.own_domains, default=socket.getfqdn())
    return settings.holds.notice_from or Address("postmaster", domain)


def _message(sender: Address, people: list[str], token: str) -> bytes:
    return (
        f"From: {sender.spelled_out()}\r\nTo: {', '.join(people)}\r\n"
        f"Subject: Probe {token}\r\nAuto-Submitted: auto-generated\r\n"
        f"Message-ID: <{token}@{sender.domain}>\r\n\r\n"
        "This mail tests whether the guard holds it. Nobody ever receives it.\r\n"
    ).encode()


def _find(token: str, since: datetime, wait: float) -> str | None:
    """The held mail that holds the token, once it is there."""
    until = time.monotonic() + wait
    while time.monotonic() < until:
        for hold_id in _held_since(since):
            try:
                if token.encode() in wiring.spool().content(hold_id):
                    return hold_id
            except UndisclosedError:
                continue
        time.sleep(0.5)
    return None


def _held_since(since: datetime) -> list[str]:
    # Models can be imported only once Django is configured.
    from undisclosed.store.models import HeldMail  # noqa: PLC0415

    held = HeldMail.objects.filter(received_at__gte=since, state="held")
    return list(held.order_by("-received_at").values_list("id", flat=True)[:50])
