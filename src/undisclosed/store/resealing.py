# SPDX-License-Identifier: Apache-2.0
"""Sealing anew under the newest master key what an earlier one sealed.

Everything that a master key itself sealed is sealed anew: the wrapped data keys of
held mail, lists, campaigns and uploads (and with them all that they seal), accounts,
suppressions, reasons, replies, caught mail and mail of our own, second factors, the
keys of Memory and of the journal's epochs. It is done in small steps, beside running
parts, each in a transaction of its own: killed in the middle, it goes on when it is
called again. What another process changed meanwhile is left to it.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from undisclosed.store import crypto, journal
from undisclosed.store.crypto import DataKey, Keys, SealBroken
from undisclosed.store.database import Connection, database, transaction

STEP: Final = 500
"""Values that are locked at a time."""


@dataclass(frozen=True, slots=True)
class Column:
    """One sealed column: its purpose, and what each value of it is bound to.

    ``context`` is written with the columns that it names, ``key`` are those of the
    primary key. ``only`` is what holds for the rows that a master key sealed.
    """

    table: str
    name: str
    purpose: str
    context: str
    key: tuple[str, ...] = ("id",)
    only: str = "true"


def _data_key(table: str, owner: str) -> Column:
    return Column(table, "data_key", "wrap", f"data key/{owner}")


def _caught(name: str, what: str) -> Column:
    return Column("store_caughtmail", name, "caught", f"{what}/{{id}}")


def _own_mail(name: str, what: str) -> Column:
    # A copy of held mail is sealed with the data key of that mail.
    context = f"copy/{{id}}/{what}"
    only = "hold_id IS NULL"
    return Column("store_outgoingmail", name, "outgoing", context, only=only)


COLUMNS: Final = (
    _data_key("store_heldmail", "{id}"),
    _data_key("store_recipientlist", "list/{id}"),
    _data_key("store_campaign", "campaign/{id}"),
    _data_key("store_listupload", "upload/{id}"),
    Column("store_account", "login_sealed", "address", "address"),
    Column("store_accountaddress", "address_sealed", "address", "address"),
    Column("store_suppression", "address_sealed", "address", "address"),
    Column("store_approval", "reason_sealed", "reason", "campaign/{campaign_id}"),
    Column("store_override", "reason_sealed", "reason", "campaign/{campaign_id}"),
    Column(
        "store_seedround",
        "reason_sealed",
        "reason",
        "seeds/{campaign_id}",
        key=("campaign_id",),
    ),
    Column("store_bypass", "reason_sealed", "bypass", "bypass"),
    Column("store_circle", "reason_sealed", "circle", "circle/{id}"),
    Column(
        "store_visiblemailcontrol", "person_sealed", "control", "control/{id}/person"
    ),
    Column(
        "store_visiblemailcontrol", "reason_sealed", "control", "control/{id}/reason"
    ),
    Column("store_memorykey", "wrapped", "memory key", "memory key/{key_id}"),
    Column(
        "store_peopleepoch",
        "wrapped",
        "people",
        "people epoch/{number}",
        key=("number",),
    ),
    Column(
        "store_delivery",
        "reply_sealed",
        "reply",
        "reply/{campaign_id}/{number}",
        key=("campaign_id", "number"),
    ),
    _caught("mail_from_sealed", "from"),
    _caught("rcpt_tos_sealed", "to"),
    _caught("subject_sealed", "subject"),
    _caught("content_sealed", "content"),
    _own_mail("envelope_sealed", "envelope"),
    _own_mail("patch_sealed", "patch"),
    _own_mail("content_sealed", "content"),
    Column("store_outgoingmail", "last_reply_sealed", "outgoing", "copy/{id}/reply"),
)
"""Everything that a master key itself sealed."""

BY_DATA_KEYS: Final = frozenset(
    {
        ("store_campaign", "draft_sealed"),
        ("store_campaign", "approved_sealed"),
        ("store_campaign", "proof_sealed"),
        ("store_campaignfile", "name_sealed"),
        ("store_campaignfile", "column_sealed"),
        ("store_heldmail", "envelope_sealed"),
        ("store_heldmail", "sender_sealed"),
        ("store_heldmail", "subject_sealed"),
        ("store_heldmail", "reading_sealed"),
        ("store_heldmail", "reason_sealed"),
        ("store_recipientlist", "columns_sealed"),
        ("store_listupload", "choices_sealed"),
        ("store_listupload", "found_sealed"),
    }
)
"""What a data key sealed: it is sealed anew with the data key."""


def reseal(*, by: str = "operator", step: int = STEP) -> int:
    """Seal anew whatever an earlier key sealed; how many values. Raises TransientError.

    ``step`` values are locked at a time. Doing it twice does nothing more. Every part
    must run with the newest key already.
    """
    keys, done = crypto.keys(), 0
    for column in COLUMNS:
        done += sum(_column(keys, column, step))
    done += _second_factors(keys)
    with transaction() as connection:
        connection.run(_SEALS, (keys.ids[0], datetime.now(UTC)))
        facts = {"values": done, "key": keys.ids[0]}
        journal.write_with(connection, "master key exchanged", facts, actor=by)
    return done


_SEALS: Final = """
INSERT INTO store_masterkey (key_id, seals_since) VALUES (%s, %s)
ON CONFLICT (key_id) DO UPDATE
   SET seals_since = coalesce(store_masterkey.seals_since, excluded.seals_since)
"""


def _column(keys: Keys, column: Column, step: int) -> Iterator[int]:
    newest, every = keys.newest_sealer(column.purpose), keys.sealer(column.purpose)
    after: tuple[object, ...] = ()
    while True:
        with transaction() as connection:
            rows = _rows(connection, column, after, step, lock=" FOR UPDATE")
            yield sum(_row(connection, column, row, newest, every) for row in rows)
        if len(rows) < step:
            return
        after = tuple(rows[-1][one] for one in column.key)


def _rows(
    connection: Connection,
    column: Column,
    after: tuple[object, ...],
    step: int,
    lock: str = "",
) -> list[dict[str, Any]]:
    names = dict.fromkeys((*column.key, *_named(column.context), column.name))
    key = ", ".join(column.key)
    places = ", ".join("%s" for _ in after)
    query = (
        f"SELECT {', '.join(names)} FROM {column.table}"  # noqa: S608 (our own names)
        f" WHERE {column.name} IS NOT NULL AND {column.only}"
        f"{f' AND ({key}) > ({places})' if after else ''}"
        f" ORDER BY {key} LIMIT {step:d}{lock}"
    )
    found = connection.all(query, after)
    return [dict(zip(names, row, strict=True)) for row in found]


def _row(
    connection: Connection,
    column: Column,
    row: dict[str, Any],
    newest: DataKey,
    every: DataKey,
) -> int:
    """1 where the value was sealed anew; 0 where it is the newest key's already."""
    context = column.context.format(**row)
    sealed = bytes(row[column.name])
    if _opens(newest, sealed, context):
        return 0
    value = newest.seal(every.open(sealed, context), context)
    which = " AND ".join(f"{one} = %s" for one in column.key)
    update = f"UPDATE {column.table} SET {column.name} = %b WHERE {which}"  # noqa: S608
    return connection.run(update, (value, *(row[one] for one in column.key))).rowcount


def sealed_by(keys: Keys, step: int = STEP) -> dict[str, int]:
    """How many values each master key sealed, by what names it.

    What none of them opens counts for "". Everything is opened for it, and nothing is
    locked. Raises TransientError.
    """
    counted: dict[str, int] = {}
    every = [(name, keys.of_id(name)) for name in keys.ids]
    for column in COLUMNS:
        sealers = [(name, one.sealer(column.purpose)) for name, one in every if one]
        for row in _every_row(column, step):
            context, value = column.context.format(**row), bytes(row[column.name])
            name = next(
                (id_ for id_, key in sealers if _opens(key, value, context)), ""
            )
            counted[name] = counted.get(name, 0) + 1
    return counted


def _every_row(column: Column, step: int) -> Iterator[dict[str, Any]]:
    after: tuple[object, ...] = ()
    while True:
        with database() as connection:
            rows = _rows(connection, column, after, step)
        yield from rows
        if len(rows) < step:
            return
        after = tuple(rows[-1][one] for one in column.key)


def _opens(key: DataKey, sealed: bytes, context: str) -> bool:
    try:
        key.open(sealed, context)
    except SealBroken:
        return False
    return True


def _named(context: str) -> list[str]:
    return [part.partition("}")[0] for part in context.split("{")[1:]]


_FACTORS: Final = "SELECT id, data::text FROM mfa_authenticator ORDER BY id FOR UPDATE"
_FACTOR: Final = "UPDATE mfa_authenticator SET data = %s::jsonb WHERE id = %s"
_FACTOR_PURPOSE: Final = "second factor"


def _second_factors(keys: Keys) -> int:
    newest, every = keys.newest_sealer(_FACTOR_PURPOSE), keys.sealer(_FACTOR_PURPOSE)
    done = 0
    with transaction() as connection:
        for number, text in connection.all(_FACTORS):
            data = json.loads(text)
            for name in {"secret", "seed"} & data.keys():
                sealed = base64.b64decode(data[name])
                if _opens(newest, sealed, _FACTOR_PURPOSE):
                    continue
                plain = every.open(sealed, _FACTOR_PURPOSE)
                made = newest.seal(plain, _FACTOR_PURPOSE)
                data[name] = base64.b64encode(made).decode()
                connection.run(_FACTOR, (json.dumps(data), number))
                done += 1
    return done
