# SPDX-License-Identifier: Apache-2.0
"""Sealing anew under the newest master key what an earlier one sealed.

What is kept for long is sealed anew: the wrapped data keys of held mail, lists,
campaigns and uploads (and with them everything that they seal), accounts, suppressions,
reasons, second factors, the keys of Memory and of the journal's epochs. What is over
soon (replies, caught mail, mail of our own that waits) stays as it is until retention
removes it, and opens with the earlier key until then. It is done in small steps, beside
running parts; what another process changed meanwhile is left to it.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from undisclosed.store import crypto, journal
from undisclosed.store.crypto import DataKey, Keys, SealBroken
from undisclosed.store.database import Connection, transaction

STEP: Final = 500
"""Values that are locked at a time."""


@dataclass(frozen=True, slots=True)
class Column:
    """One sealed column: its purpose, and what each value of it is bound to.

    ``context`` is written with the columns that it names.
    """

    table: str
    name: str
    purpose: str
    context: str
    key: str = "id"


def _data_key(table: str, owner: str) -> Column:
    return Column(table, "data_key", "wrap", f"data key/{owner}")


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
        "store_peopleepoch", "wrapped", "people", "people epoch/{number}", key="number"
    ),
)
"""What the master key itself sealed, and is kept for long."""

OVER_SOON: Final = frozenset(
    {
        ("store_caughtmail", "mail_from_sealed"),
        ("store_caughtmail", "rcpt_tos_sealed"),
        ("store_caughtmail", "subject_sealed"),
        ("store_caughtmail", "content_sealed"),
        ("store_delivery", "reply_sealed"),
        ("store_outgoingmail", "envelope_sealed"),
        ("store_outgoingmail", "patch_sealed"),
        ("store_outgoingmail", "content_sealed"),
        ("store_outgoingmail", "last_reply_sealed"),
    }
)
"""What the master key itself sealed, and retention removes."""

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
    """Seal anew what is kept for long; how many values. Raises TransientError.

    ``step`` values are locked at a time. Doing it twice does nothing more. Every part
    must run with the newest key already.
    """
    keys, done = crypto.keys(), 0
    for column in COLUMNS:
        done += sum(_column(keys, column, step))
    done += _second_factors(keys)
    journal.write("master key exchanged", actor=by, values=done, key=keys.ids[0])
    return done


def _column(keys: Keys, column: Column, step: int) -> Iterator[int]:
    newest, every = keys.newest_sealer(column.purpose), keys.sealer(column.purpose)
    after: object = None
    while True:
        with transaction() as connection:
            rows = _rows(connection, column, after, step)
            yield sum(_row(connection, column, row, newest, every) for row in rows)
        if len(rows) < step:
            return
        after = rows[-1][column.key]


def _rows(
    connection: Connection, column: Column, after: object, step: int
) -> list[dict[str, Any]]:
    names = dict.fromkeys((column.key, *_named(column.context), column.name))
    query = (
        f"SELECT {', '.join(names)} FROM {column.table}"  # noqa: S608 (our own names)
        f" WHERE {column.name} IS NOT NULL"
        f"{'' if after is None else f' AND {column.key} > %s'}"
        f" ORDER BY {column.key} LIMIT {step:d} FOR UPDATE"
    )
    found = connection.all(query, () if after is None else (after,))
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
    update = (
        f"UPDATE {column.table} SET {column.name} = %b"  # noqa: S608
        f" WHERE {column.key} = %s"
    )
    return connection.run(update, (value, row[column.key])).rowcount


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
