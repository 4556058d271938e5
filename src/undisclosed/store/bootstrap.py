# SPDX-License-Identifier: Apache-2.0
"""The first steps of an installation: is it its key, and who may log in first?

Everything here is to be called after ``settings.configure``.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from django.apps import apps
from django.db import transaction

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, journal, rehashing
from undisclosed.store.crypto import SealBroken
from undisclosed.store.database import database, once_connected
from undisclosed.store.roles import Role

if TYPE_CHECKING:
    from undisclosed.store.models import Account

LINK_LIFETIME: Final = timedelta(hours=24)
FIRST_LOGIN: Final = Address("admin", "localhost.invalid")
"""What the first account logs in with until it gives itself an address."""

_TOKEN_BYTES: Final = 24
_LOCK: Final = 0x756E6469_6163_6374  # the same for every process


class AnotherMasterKey(UndisclosedError):
    """The database was written under another master key than the one at hand.

    UNDISCLOSED_MASTER_KEY_FILE names the file of the key; without it the key is
    master.key in the data folder.
    """


class AnotherLookUpKey(UndisclosedError):
    """Addresses are looked up by another master key than the last one at hand.

    `undisclosed keys rehash` puts the newest last in the key file as well; where the
    environment gives the keys, that one has to stand last there.
    """


def _accounts() -> "type[Account]":
    # A model can be imported only after Django is configured.
    return apps.get_model("store", "Account")


def check_key() -> None:
    """Raise AnotherMasterKey where this key does not open what is stored."""
    account = _accounts().objects.order_by("created_at").first()
    if account is None:
        return
    try:
        _ = account.login
    except SealBroken:
        raise AnotherMasterKey(key=crypto.keys().id) from None
    with database() as connection:
        looks_up = rehashing.looks_up(connection)
    if looks_up not in (None, crypto.keys().id):
        raise AnotherLookUpKey(key=looks_up)


def ensure_key() -> None:
    """Check the key once for each connection, before anything is sealed with it.

    While a process was without one, the look-up key may have been exchanged. Raises
    AnotherMasterKey, AnotherLookUpKey, and TransientError while the database is away.
    """
    once_connected(check_key)


def first_account(
    login: Address = FIRST_LOGIN, name: str = "Administrator"
) -> "Account | None":
    """The first account, made with every role; None where accounts exist already.

    Nobody may approve their own mail, so neither may this account.
    """
    with transaction.atomic(), database() as connection:
        connection.run("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        if _accounts().objects.exists():
            return None
        account = _accounts().objects.create_account(
            login, name=name, roles=tuple(Role)
        )
        journal.write("first account made", actor="run", account=str(account.pk))
        return account


def login_link(account: "Account", now: datetime | None = None) -> str:
    """The token of a log-in link that works once, within a day; earlier ones end."""
    now = now or datetime.now(UTC)
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    with transaction.atomic():
        account.login_links.filter(used_at__isnull=True).delete()
        account.login_links.create(
            token_hash=crypto.keys().hash_all("log-in link", token.encode())[0],
            created_at=now,
            expires_at=now + LINK_LIFETIME,
        )
    return token


def unused_account() -> "Account | None":
    """The first account while nobody has ever logged in: it needs its link again."""
    if _accounts().objects.filter(last_login__isnull=False).exists():
        return None
    return _accounts().objects.order_by("created_at").first()
