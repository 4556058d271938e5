# SPDX-License-Identifier: Apache-2.0
"""Hashing anew with the newest master key what addresses are looked up by.

What is looked up is hashed with one key at a time: a suppression that was missed for a
moment, because two processes hashed with two keys, would be a mail to somebody who
must get none. So all of it changes in one transaction, with the tables locked, while
no part runs; one that starts meanwhile waits where it checks its key, and is refused
there. Addresses are taken from where they are sealed. A hash whose address is
gone (a list that was destroyed, mail that passed) is replaced by one that nobody can
make again: rows that belong to one person go on belonging together, and are found by
no address any more.
"""

import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Final

import psycopg

from undisclosed.core.address import Address
from undisclosed.core.returns import ReturnKind
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, journal, lists, sealed
from undisclosed.store.control import author_hash
from undisclosed.store.crypto import Keys, person_bytes
from undisclosed.store.database import Connection, transaction

BATCH: Final = 5_000
"""Addresses that are hashed at a time."""

HASHES: Final = (
    ("store_account", "login_hash"),
    ("store_accountaddress", "address_hash"),
    ("store_suppression", "address_hash"),
    ("store_listrow", "address_hash"),
    ("store_delivery", "address_hash"),
    ("store_returnedmail", "address_hash"),
    ("store_returnedmail", "key"),
    ("store_heldmail", "sender_hash"),
    ("store_outgoingmail", "recipient_hash"),
    ("store_acceptedmail", "sender_hash"),
)
"""Columns of keyed hashes whole."""

SHORT_HASHES: Final = (
    ("store_heldmail", "people_hashes"),
    ("store_acceptedmail", "people_hashes"),
    ("store_caughtmail", "rcpt_hashes"),
)
"""Columns of several keyed hashes of 64 bits."""

LONG_HASHES: Final = (("store_visiblemailcontrol", "person_hashes"),)
"""Columns of several keyed hashes whole."""

OVER_SOON: Final = frozenset(
    {
        ("store_heldmail", "digest_hash"),  # a client's retry, for some hours
        ("store_usedtoken", "token_hash"),
        ("store_usedtoken", "digest_hash"),
        ("store_loginlink", "token_hash"),  # made with the newest, found with any
        ("store_accesstoken", "token_hash"),  # the same, and moves on as it is used
    }
)
"""Keyed hashes that stay as they are: no address, and soon of no use."""

NULL_SENDER: Final = b"<>"
"""What is hashed for the null sender of mail that passed."""

_OTHERS: Final = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name = 'undisclosed'
   AND pid <> pg_backend_pid()
"""
_PATIENCE: Final = "SET LOCAL lock_timeout = '5s'"
_COPY: Final = "COPY rehashed FROM STDIN (FORMAT binary)"
_TABLE: Final = (
    "CREATE TEMP TABLE rehashed (old bytea NOT NULL, new bytea NOT NULL) ON COMMIT DROP"
)
# Tables are few, and short hashes are the first eight bytes of whole ones.
_ONCE: Final = (
    "CREATE TEMP TABLE rehashed_once ON COMMIT DROP AS"
    " SELECT DISTINCT ON (old) old, new, {short} FROM rehashed",
    "CREATE INDEX ON rehashed_once (old)",
    "CREATE INDEX ON rehashed_once (old_short)",
    "ANALYZE rehashed_once",
)
_SHORT: Final = "('x' || encode(substr({0}, 1, 8), 'hex'))::bit(64)::bigint"
_HASH: Final = """
UPDATE {table} AS t SET {column} = coalesce(
    (SELECT new FROM rehashed_once r WHERE r.old = t.{column}),
    sha256(%b || t.{column}))
 WHERE {column} IS NOT NULL
"""
_HASH_SHORT: Final = """
UPDATE {table} AS t SET {column} = coalesce((
    SELECT array_agg(coalesce(
        (SELECT new_short FROM rehashed_once r WHERE r.old_short = one.hash LIMIT 1),
        {blind}) ORDER BY one.place)
      FROM unnest(t.{column}) WITH ORDINALITY AS one(hash, place)), '{{}}')
 WHERE {column} IS NOT NULL
"""
_HASH_LONG: Final = """
UPDATE {table} AS t SET {column} = coalesce((
    SELECT array_agg(coalesce(
        (SELECT new FROM rehashed_once r WHERE r.old = one.hash),
        sha256(%b || one.hash)) ORDER BY one.place)
      FROM unnest(t.{column}) WITH ORDINALITY AS one(hash, place)), '{{}}')
"""
_BLIND_SHORT: Final = _SHORT.format("sha256(%b || int8send(one.hash))")
_ADDRESSES: Final = (
    "SELECT login_sealed FROM store_account",
    "SELECT address_sealed FROM store_accountaddress",
    "SELECT address_sealed FROM store_suppression",
)
_LISTS: Final = "SELECT id FROM store_recipientlist WHERE data_key IS NOT NULL"
_HELD: Final = (
    "SELECT id, data_key, envelope_sealed, reading_sealed FROM store_heldmail"
    " WHERE data_key IS NOT NULL"
)
_COPIES: Final = (
    "SELECT o.id, h.id, h.data_key, o.envelope_sealed FROM store_outgoingmail o"
    " LEFT JOIN store_heldmail h ON h.id = o.hold_id"
    " WHERE o.recipient_hash IS NOT NULL AND (o.hold_id IS NULL OR h.data_key IS NOT"
    " NULL)"
)
_CAUGHT: Final = "SELECT id, rcpt_tos_sealed FROM store_caughtmail"
_CONTROLS: Final = "SELECT id, person_sealed FROM store_visiblemailcontrol"
_RETURNED: Final = (
    "SELECT kind, campaign_id, number FROM store_returnedmail WHERE campaign_id <> ''"
)
_LOOKS_UP: Final = """
INSERT INTO store_masterkey (key_id, looks_up_since) VALUES (%s, %s)
ON CONFLICT (key_id) DO UPDATE SET looks_up_since = excluded.looks_up_since
"""
_LOOKS_UP_NOW: Final = (
    "SELECT key_id FROM store_masterkey WHERE looks_up_since IS NOT NULL"
    " ORDER BY looks_up_since DESC LIMIT 1"
)
_NO_MEMORY_KEYS: Final = "SELECT NOT EXISTS (SELECT FROM store_memorykey)"
_MEMORY_KEY: Final = (
    "INSERT INTO store_memorykey (key_id, wrapped, made_at, retired_at)"
    " VALUES (%s, NULL, %s, %s)"
)

Pair = tuple[bytes, bytes]


class PartsRunning(UndisclosedError):
    """Other processes use the database: stop every part first."""


def looks_up(connection: Connection) -> str | None:
    """What names the key that addresses were last hashed anew with; None for never."""
    row = connection.one(_LOOKS_UP_NOW)
    return str(row[0]) if row else None


def rehash(now: datetime, *, by: str = "operator") -> int:
    """Hash everything anew with the newest key; how many addresses were found.

    0 where it is done already. Raises PartsRunning, SealBroken, and TransientError;
    then nothing was changed.
    """
    keys = crypto.keys()
    newest = keys.of_id(keys.ids[0])
    with transaction() as connection:
        if newest is None or newest.id in (keys.id, looks_up(connection)):
            return 0
        _lock(connection)
        _refuse_others(connection)
        connection.run(_TABLE)
        found = _collect(connection, _pairs(connection, keys, newest))
        _change(connection)
        _hand_memory_on(connection, keys, newest, now)
        connection.run(_LOOKS_UP, (newest.id, now))
        facts = {"key": newest.id, "people": found}
        journal.write_with(connection, "look-up key exchanged", facts, actor=by, at=now)
    return found


def _lock(connection: Connection) -> None:
    """Lock whatever has hashes, and by which key they are looked up.

    Before anybody is looked for: who connects later waits until it is decided.
    """
    tables = {table for table, _ in (*HASHES, *SHORT_HASHES, *LONG_HASHES)}
    connection.run(_PATIENCE)
    try:
        connection.run(f"LOCK TABLE {', '.join(sorted(tables))}, store_masterkey")
    except psycopg.errors.LockNotAvailable:
        raise PartsRunning from None


def _refuse_others(connection: Connection) -> None:
    row = connection.one(_OTHERS)
    if row is not None and row[0]:
        raise PartsRunning(connections=row[0])


def _collect(connection: Connection, pairs: Iterable[Pair]) -> int:
    iterator, found = iter(pairs), 0
    while batch := list(islice(iterator, BATCH)):
        with connection.raw.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(("bytea", "bytea"))
            for pair in batch:
                copy.write_row(pair)
        found += len(batch)
    return found


def _change(connection: Connection) -> None:
    """Put the new hashes in the place of the old ones."""
    secret = secrets.token_bytes(32)  # kept nowhere: what it hides stays hidden
    short = ", ".join(f"{_SHORT.format(one)} AS {one}_short" for one in ("old", "new"))
    for statement in _ONCE:
        connection.run(statement.format(short=short))
    for table, column in HASHES:
        connection.run(_HASH.format(table=table, column=column), (secret,))
    for table, column in SHORT_HASHES:
        query = _HASH_SHORT.format(table=table, column=column, blind=_BLIND_SHORT)
        connection.run(query, (secret,))
    for table, column in LONG_HASHES:
        connection.run(_HASH_LONG.format(table=table, column=column), (secret,))


def _hand_memory_on(
    connection: Connection, keys: Keys, newest: Keys, now: datetime
) -> None:
    """From now on Memory hashes with the newest key, too, and looks up with both."""
    row = connection.one(_NO_MEMORY_KEYS)
    if row is not None and row[0]:
        connection.run(_MEMORY_KEY, (keys.id, now, now))
        connection.run(_MEMORY_KEY, (newest.id, now, None))


def _pairs(connection: Connection, keys: Keys, newest: Keys) -> Iterator[Pair]:
    """The old hash and the new one of whatever is looked up."""

    def pair(purpose: str, value: bytes) -> Pair:
        return keys.hash(purpose, value), newest.hash(purpose, value)

    yield pair("address", NULL_SENDER)
    for address in _addresses(connection, keys):
        yield pair("address", person_bytes(address))
    for control_id, person in connection.all(_CONTROLS):
        context = f"control/{control_id}/person"
        for address in sealed.load_addresses(keys.open("control", person, context)):
            yield author_hash(keys, address), author_hash(newest, address)
    for kind, campaign_id, number in connection.all(_RETURNED):
        plain = f"{ReturnKind(kind).value}/{campaign_id}/{number}"
        yield pair("returned mail", plain.encode())


def _addresses(connection: Connection, keys: Keys) -> Iterator[Address]:
    """Every address that is sealed anywhere; many come several times."""
    for query in _ADDRESSES:
        for (value,) in connection.all(query):
            yield crypto.open_address(bytes(value))
    for (list_id,) in connection.all(_LISTS):
        for row in lists.rows(list_id):
            if row.address is not None:
                yield row.address
    yield from _of_holds(connection, keys)
    for caught_id, rcpt_tos in connection.all(_CAUGHT):
        yield from sealed.load_addresses(
            keys.open("caught", rcpt_tos, f"to/{caught_id}")
        )


def _of_holds(connection: Connection, keys: Keys) -> Iterator[Address]:
    for hold_id, wrapped, envelope, reading in connection.all(_HELD):
        key = keys.unwrap(bytes(wrapped), hold_id)
        plain = key.open(bytes(envelope), f"envelope/{hold_id}")
        yield from _of_envelope(plain)
        shown = sealed.load_shown(key.open(bytes(reading), f"reading/{hold_id}"))
        yield from (one.address for one in shown)
    own = keys.sealer("outgoing")
    for copy_id, hold_id, wrapped, value in connection.all(_COPIES):
        key = keys.unwrap(bytes(wrapped), hold_id) if hold_id else own
        yield from _of_envelope(key.open(bytes(value), f"copy/{copy_id}/envelope"))


def _of_envelope(plain: bytes) -> Iterator[Address]:
    envelope = sealed.load_envelope(plain)
    sender = envelope.mail_from
    return chain((sender,) if sender else (), envelope.rcpt_tos)
