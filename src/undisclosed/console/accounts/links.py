# SPDX-License-Identifier: Apache-2.0
"""Log-in links: handed over once, used once, kept only as a keyed hash.

``store.bootstrap.login_link`` makes them.
"""

from datetime import datetime

from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto
from undisclosed.store.models import LoginLink


class LinkUnknown(UndisclosedError):
    """There is no such log-in link."""


class LinkOver(UndisclosedError):
    """This log-in link has expired."""


class LinkUsed(UndisclosedError):
    """This log-in link was already used."""


def find(token: str, now: datetime) -> LoginLink:
    """The link of a token. Raises LinkUnknown, LinkUsed, LinkOver."""
    try:
        link = LoginLink.objects.select_related("account").get(
            token_hash__in=_hashes(token)
        )
    except LoginLink.DoesNotExist:
        raise LinkUnknown from None
    if link.used_at is not None:
        raise LinkUsed
    if link.expires_at <= now or not link.account.is_active:
        raise LinkOver
    return link


def use(link: LoginLink, now: datetime) -> None:
    """Mark the link as used; of two at once only one succeeds. Raises LinkUsed."""
    unused = LoginLink.objects.filter(pk=link.pk, used_at__isnull=True)
    if not unused.update(used_at=now):
        raise LinkUsed


def _hashes(token: str) -> tuple[bytes, ...]:
    """What may be kept of it: the newest master key hashes, earlier ones did."""
    plain = token.encode("utf-8", "surrogatepass")
    return crypto.keys().hash_all("log-in link", plain)
