# SPDX-License-Identifier: Apache-2.0
"""Access tokens: what programs show instead of a log-in, each for one purpose.

A token is 256 random bits, so that nobody guesses it; only its keyed hash is kept,
and it is shown once, to whoever made it. Every act stands in the journal with the
token's name.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from django.apps import apps

from undisclosed.core.address import Address
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, journal
from undisclosed.store.database import Connection, Row, database, transaction

if TYPE_CHECKING:
    from undisclosed.store.models import Account

PREFIX: Final = "undisclosed_"
"""What a token begins with: programs that look for secrets in files find it."""

HOUR: Final = timedelta(hours=1)
LONGEST_TOKEN: Final = 128
"""Characters; a longer one is not ours and is not looked up."""

_TOKEN_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

_INSERT: Final = """
INSERT INTO store_accesstoken
    (id, name, purpose, token_hash, key_id, account_id, created_at, expires_at, asked)
VALUES (gen_random_uuid(), %s, %s, %b, %s, %s, %s, %s, 0)
ON CONFLICT (name) DO NOTHING RETURNING id
"""
_COLUMNS: Final = (
    "SELECT t.name, t.purpose, t.account_id, a.name, t.created_at, t.expires_at,"
    " t.revoked_at FROM store_accesstoken t"
    " LEFT JOIN store_account a ON a.id = t.account_id"
)
_BY_HASH: Final = (
    f"{_COLUMNS} WHERE t.token_hash = ANY(%b::bytea[]) AND t.purpose = %s"
    " AND t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > %s)"
    " AND (a.id IS NULL OR a.is_active)"
)
_ALL: Final = f"{_COLUMNS} ORDER BY t.name"
_HASH_ANEW: Final = (
    "UPDATE store_accesstoken SET token_hash = %b, key_id = %s"
    " WHERE name = %s AND key_id <> %s"
)
_REVOKE: Final = (
    "UPDATE store_accesstoken SET revoked_at = %s"
    " WHERE name = %s AND revoked_at IS NULL RETURNING purpose"
)
# Rows of one token wait for one another here: no question is counted twice or lost.
_COUNT: Final = """
UPDATE store_accesstoken SET
    asked = CASE WHEN asked_since > %s THEN asked + 1 ELSE 1 END,
    asked_since = CASE WHEN asked_since > %s THEN asked_since ELSE %s END
 WHERE name = %s RETURNING asked, asked_since
"""


class Purpose(Enum):
    """What an access token opens; one token opens one thing."""

    CHECK = "check"  # POST /v1/check: mail clients that ask first
    SUBMISSION = "submission"  # SMTP AUTH at the guard


class NoSuchToken(UndisclosedError):
    """There is no access token of this name that is still good."""


class TokenNameTaken(UndisclosedError):
    """There is an access token of this name already; names are not used twice."""


class TokenNameWrong(UndisclosedError):
    """The name of an access token is 1 to 64 letters, digits, dots or dashes."""


class NoSuchOwner(UndisclosedError):
    """There is no active account with this address to own the access token."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token without the token: what is known of it.

    ``account`` is the id of the account that it acts for, ``owner`` its name; both
    empty where it acts for nobody.
    """

    name: str
    purpose: Purpose
    account: str
    owner: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        is_over = self.expires_at is not None and self.expires_at <= now
        return self.revoked_at is None and not is_over


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a token was used in its present hour, this time included."""

    times: int
    again_at: datetime
    """When the next hour begins."""


def make(
    name: str,
    purpose: Purpose,
    *,
    owner: Address | None = None,
    expires_at: datetime | None = None,
    now: datetime,
) -> str:
    """Make a token; it is shown this once.

    Raises TokenNameWrong, TokenNameTaken, NoSuchOwner, and TransientError.
    """
    if not _NAME.fullmatch(name):
        raise TokenNameWrong
    account = _account_of(owner) if owner else None
    token = PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    values = (
        name,
        purpose.value,
        _hashes(token)[0],
        crypto.keys().ids[0],
        account.pk if account else None,
        now,
        expires_at,
    )
    with transaction() as connection:
        if connection.one(_INSERT, values) is None:
            raise TokenNameTaken(name=name)
        facts = {"account": str(account.pk) if account else ""}
        _write(connection, "access token made", name, purpose, now, facts)
    return token


def revoke(name: str, now: datetime) -> None:
    """End a token at once. Raises NoSuchToken, and TransientError."""
    with transaction() as connection:
        row = connection.one(_REVOKE, (now, name))
        if row is None:
            raise NoSuchToken
        _write(connection, "access token revoked", name, Purpose(row[0]), now)


def every() -> Sequence[AccessToken]:
    """Every token that was ever made, by name. Raises TransientError."""
    with database() as connection:
        return [_of_row(row) for row in connection.all(_ALL)]


def find(token: str, purpose: Purpose, now: datetime) -> AccessToken | None:
    """The good token of this purpose, or None. Raises TransientError."""
    if len(token) > LONGEST_TOKEN:
        return None
    hashes, newest = _hashes(token), crypto.keys().ids[0]
    with database() as connection:
        row = connection.one(_BY_HASH, (list(hashes), purpose.value, now))
        if row is not None and len(hashes) > 1:
            # It is at hand now and never again: what an earlier key hashed moves on.
            connection.run(_HASH_ANEW, (hashes[0], newest, row[0], newest))
    return None if row is None else _of_row(row)


def count(name: str, now: datetime) -> Asked:
    """Count one use of a token within its hour. Raises TransientError."""
    since = now - HOUR
    with database() as connection:
        row = connection.one(_COUNT, (since, since, now, name))
    if row is None:
        raise NoSuchToken
    times, asked_since = row
    return Asked(int(times), asked_since + HOUR)


class TokenAuthenticator:
    """Says whether a login and a password are a submission token's name and token.

    It fits the port ``Authenticator`` of the guard.
    """

    def check(self, login: str, password: str) -> str | None:
        """The token's name where both belong together. Raises TransientError."""
        found = find(password, Purpose.SUBMISSION, datetime.now(UTC))
        return found.name if found is not None and found.name == login else None


def _hashes(token: str) -> tuple[bytes, ...]:
    plain = token.encode("utf-8", "surrogatepass")
    return crypto.keys().hash_all("access token", plain)


def _account_of(owner: Address) -> "Account":
    accounts = apps.get_model("store", "Account").objects
    login_hash = crypto.address_hash(owner)
    account: Account | None = accounts.filter(
        login_hash=login_hash, is_active=True
    ).first()
    if account is None:
        raise NoSuchOwner
    return account


def _of_row(row: Row) -> AccessToken:
    name, purpose, account, owner, created_at, expires_at, revoked_at = row
    return AccessToken(
        name=name,
        purpose=Purpose(purpose),
        account=str(account) if account else "",
        owner=owner or "",
        created_at=created_at,
        expires_at=expires_at,
        revoked_at=revoked_at,
    )


def _write(
    connection: Connection,
    event: str,
    name: str,
    purpose: Purpose,
    now: datetime,
    more: Mapping[str, str] = MappingProxyType({}),
) -> None:
    facts = {"token": name, "purpose": purpose.value, **more}
    journal.write_with(connection, event, facts, actor="command line", at=now)
