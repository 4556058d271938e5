# SPDX-License-Identifier: Apache-2.0
"""Telling people by mail what somebody else did to their account.

Such a mail says one sentence and names nobody; it leaves with the transaction that
made it necessary. An address that cannot be reached (``.invalid``) is not written to.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from undisclosed.console import wiring
from undisclosed.core.address import Address
from undisclosed.store import short_mail
from undisclosed.store.database import transaction
from undisclosed.store.models import Account
from undisclosed.store.short_mail import ShortMail

_UNREACHABLE: Final = (".invalid", ".localhost")


class Said(StrEnum):
    """What they are told."""

    FACTORS_REMOVED = (
        "An administrator removed the second factors of your account and ended your "
        "sessions. If you did not ask for that, tell somebody whom you trust at once."
    )
    LINK_MADE = (
        "An administrator made a new log-in link for your account. "
        "If you did not ask for one, tell somebody whom you trust at once."
    )


def tell(account: Account, said: Said, now: datetime) -> bool:
    """Queue the mail; whether there is an address that mail can be sent to."""
    to = account.login
    if to.domain.lower().endswith(_UNREACHABLE):
        return False
    with transaction() as connection:
        short_mail.queue(connection, [_mail(to, said)], now)
    return True


def _mail(to: Address, said: Said) -> ShortMail:
    settings = wiring.settings()
    host = settings.guard.hostname
    return ShortMail(
        author=settings.holds.notice_from or Address("postmaster", host),
        to=to,
        subject="Your account was changed",
        said=said,
        choice="How you log in",
        page=f"{settings.console.url}/security/",
        about=said.name,
        hostname=host,
    )
