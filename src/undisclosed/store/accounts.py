# SPDX-License-Identifier: Apache-2.0
"""What administrators do to accounts: their roles, whether they are active, factors.

Each act stands in the journal, in the same transaction. Nobody gives themselves a role,
deactivates themselves, or removes their own second factor this way; and an
installation is never left without an administrator.
"""

from collections.abc import Iterable
from typing import Final

from django.db import transaction

from undisclosed.errors import UndisclosedError
from undisclosed.store import journal
from undisclosed.store.database import Connection, database
from undisclosed.store.models import Account
from undisclosed.store.roles import Role

_KINDS: Final = (
    "SELECT type, count(*) FROM mfa_authenticator WHERE user_id = %s"
    " GROUP BY type ORDER BY type"
)
_REMOVE: Final = "DELETE FROM mfa_authenticator WHERE user_id = %s RETURNING type::text"
_SESSIONS: Final = (
    "DELETE FROM django_session WHERE session_key IN ("
    "SELECT session_key FROM usersessions_usersession WHERE user_id = %s)",
    "DELETE FROM usersessions_usersession WHERE user_id = %s",
)
_LOCK: Final = 0x6163_636F  # advisory: two administrators cannot remove one another


class OwnAccount(UndisclosedError):
    """Nobody does this to their own account: another administrator has to."""


class LastAdministrator(UndisclosedError):
    """There would be no administrator left."""


class NoFactors(UndisclosedError):
    """This account has no second factor."""


def set_roles(account: Account, roles: Iterable[Role], *, by: Account) -> None:
    """Give an account exactly these roles. Raises OwnAccount, LastAdministrator.

    Anybody may give their own roles up; more of them only where nobody else could.
    """
    wanted = sorted(set(roles))
    with transaction.atomic(), database() as connection:
        _one_at_a_time(connection)
        gains = bool(set(wanted) - set(account.roles))
        alone = not _other_administrators(by)
        if gains and account.pk == by.pk and not alone:
            raise OwnAccount
        if Role.ADMINISTRATOR not in wanted:
            _refuse_last(account)
        account.roles = [role.value for role in wanted]
        account.save(update_fields=["roles"])
        own = {"only_administrator": True} if gains and account.pk == by.pk else {}
        _write("account's roles set", by, account, roles=account.roles, **own)


def set_active(account: Account, is_active: bool, *, by: Account) -> None:
    """Let an account log in, or no longer; its sessions end at once.

    Raises OwnAccount, LastAdministrator.
    """
    if account.pk == by.pk:
        raise OwnAccount
    with transaction.atomic(), database() as connection:
        _one_at_a_time(connection)
        if not is_active:
            _refuse_last(account)
            _end_sessions(connection, account)
        account.is_active = is_active
        account.save(update_fields=["is_active"])
        event = "account activated" if is_active else "account deactivated"
        _write(event, by, account)


def factors(account: Account) -> dict[str, int]:
    """How many second factors of each kind an account has: totp, webauthn, codes."""
    with database() as connection:
        return dict(connection.all(_KINDS, (account.pk,)))


def remove_factors(account: Account, *, by: Account | str) -> tuple[str, ...]:
    """Remove all second factors of somebody who lost them; their kinds.

    Their sessions end, since whoever has the lost device may be in one of them. ``by``
    is an administrator, or a part's name. Raises OwnAccount, NoFactors.
    """
    if isinstance(by, Account) and account.pk == by.pk:
        raise OwnAccount
    with transaction.atomic(), database() as connection:
        rows = connection.all(_REMOVE, (account.pk,))
        if not rows:
            raise NoFactors
        _end_sessions(connection, account)
        kinds = tuple(sorted({row[0] for row in rows}))
        _write("second factors removed for another", by, account, kinds=kinds)
    return kinds


def _refuse_last(account: Account) -> None:
    is_one = account.has_role(Role.ADMINISTRATOR)
    if is_one and not _other_administrators(account):
        raise LastAdministrator


def _other_administrators(account: Account) -> bool:
    others = Account.objects.filter(is_active=True).exclude(pk=account.pk)
    return bool(others.filter(roles__contains=[Role.ADMINISTRATOR.value]).exists())


def _one_at_a_time(connection: Connection) -> None:
    connection.run("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))


def _end_sessions(connection: Connection, account: Account) -> None:
    for query in _SESSIONS:
        connection.run(query, (account.pk,))


def _write(event: str, by: Account | str, account: Account, **facts: object) -> None:
    actor = str(by.pk) if isinstance(by, Account) else by
    journal.write(event, actor=actor, account=str(account.pk), **facts)
