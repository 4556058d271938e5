# SPDX-License-Identifier: Apache-2.0
"""What still needs which master key, and dropping one that nothing needs.

What a key sealed is opened and counted; what left in mails (tokens, links, stamps) is
known by the times between which a key was the newest: until it is over, the key that
made it has to be there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, journal, master_key, resealing
from undisclosed.store.crypto import Keys
from undisclosed.store.database import Connection, database
from undisclosed.store.settings_values import Settings

STAMPS_LAST: Final = timedelta(days=5)
"""How long a stamp of ours is good (``guard.stamp``)."""

_SINCE: Final = "SELECT key_id, seals_since FROM store_masterkey"
_WAVES: Final = "SELECT count(*) FROM store_rememberedwave WHERE key_id = %s"
_AUDIENCES: Final = "SELECT count(*) FROM store_audience WHERE key_id = %s"
_TOKENS: Final = (
    "SELECT count(*) FROM store_accesstoken"
    " WHERE key_id = ANY(%b::text[]) AND revoked_at IS NULL"
    " AND (expires_at IS NULL OR expires_at > %s)"
)
_LINKS: Final = (
    "SELECT count(*) FROM store_loginlink"
    " WHERE used_at IS NULL AND expires_at > %s"
    " AND (%b::timestamptz IS NULL OR created_at < %b::timestamptz)"
)
_SUBJECTS: Final = (
    "SELECT count(*) FROM socialaccount_socialaccount"
    " WHERE %b::timestamptz IS NULL OR last_login < %b::timestamptz"
)
# Their messages carry tokens; what comes back is taken as long as they are kept.
_CAMPAIGNS: Final = """
SELECT count(*) FROM store_campaign
 WHERE started_at IS NOT NULL AND data_key IS NOT NULL
   AND (%b::timestamptz IS NULL OR started_at < %b::timestamptz)
   AND (%b::timestamptz IS NULL OR ended_at IS NULL OR ended_at > %b::timestamptz)
"""


class KeyNeeded(UndisclosedError):
    """Something still needs this master key: `undisclosed keys status` says what."""


class NoSuchKey(UndisclosedError):
    """None of the master keys has this name: `undisclosed keys list` prints them."""


@dataclass(frozen=True, slots=True)
class Use:
    """One thing that a master key is needed for. ``many`` is 0 where it has no number.

    ``until`` is when it is over by itself, where that is known.
    """

    key_id: str
    what: str
    many: int = 0
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Time:
    """When a key was the newest: from one reseal to that of the key after it."""

    key_id: str
    begins: datetime | None
    ends: datetime | None


def uses(settings: Settings, now: datetime) -> list[Use]:
    """Everything that needs a key which is not the newest. Raises TransientError."""
    keys = crypto.keys()
    newest, *earlier = keys.ids
    sealed = resealing.sealed_by(keys)
    with database() as connection:
        since: dict[str, datetime | None] = dict(connection.all(_SINCE))
        found = [Use(newest, "seals what is new")]
        after = newest
        for key_id in earlier:
            time = _Time(key_id, since.get(key_id), since.get(after))
            if sealed.get(key_id):
                found.append(Use(key_id, "sealed values", sealed[key_id]))
            found.extend(_looked_up(connection, keys, key_id))
            found.extend(_made(connection, keys, time, now))
            found.extend(_mailed(connection, settings, time, now))
            after = key_id
    return found


def drop(settings: Settings, key_id: str, now: datetime, *, by: str) -> None:
    """Take a master key out of the key file; the journal says so before it is done.

    Raises NoSuchKey, KeyNeeded, KeyIsGiven and TransientError.
    """
    keys = crypto.keys()
    if key_id not in keys.ids:
        raise NoSuchKey
    needed = [one for one in uses(settings, now) if one.key_id == key_id]
    if needed:
        raise KeyNeeded(key=key_id, uses=len(needed))
    if settings.master_key is not None:
        raise master_key.KeyIsGiven
    # First: a key that went without an entry could never be accounted for.
    journal.write("master key dropped", actor=by, key=key_id)
    master_key.drop(settings, keys.masters[keys.ids.index(key_id)])


def _looked_up(connection: Connection, keys: Keys, key_id: str) -> Iterator[Use]:
    if key_id == keys.id:
        yield Use(key_id, "looks up addresses: stop every part, then `keys rehash`")
    remembered = _count(connection, _WAVES, (key_id,))
    remembered += _count(connection, _AUDIENCES, (key_id,))
    if remembered:
        yield Use(key_id, "remembered mails and audiences", remembered)


def _made(
    connection: Connection, keys: Keys, time: _Time, now: datetime
) -> Iterator[Use]:
    # Before keys were noted beside tokens, the oldest one hashed them.
    names = [time.key_id, ""] if time.key_id == keys.ids[-1] else [time.key_id]
    if many := _count(connection, _TOKENS, (names, now)):
        yield Use(time.key_id, "access tokens that were not used since", many)
    if many := _count(connection, _LINKS, (now, time.ends, time.ends)):
        yield Use(time.key_id, "log-in links that are not used yet", many)
    if many := _count(connection, _SUBJECTS, (time.ends, time.ends)):
        what = "people of OpenID Connect who did not log in since"
        yield Use(time.key_id, what, many)


def _mailed(
    connection: Connection, settings: Settings, time: _Time, now: datetime
) -> Iterator[Use]:
    values = (time.ends, time.ends, time.begins, time.begins)
    if many := _count(connection, _CAMPAIGNS, values):
        yield Use(time.key_id, "campaigns whose messages carry its tokens", many)
    if time.ends is None:
        yield Use(time.key_id, "seals still: start every part again, `keys reseal`")
        return
    until = time.ends + max(STAMPS_LAST, settings.holds.expiry)
    if until > now:
        yield Use(time.key_id, "links in notices, stamps", until=until)


def _count(connection: Connection, query: str, values: tuple[object, ...]) -> int:
    row = connection.one(query, values)
    return int(row[0]) if row else 0
