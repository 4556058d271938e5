# SPDX-License-Identifier: Apache-2.0
"""The journal: one entry for each act, in the transaction that did it.

It holds no address. Whoever acted stands in it by an account's id or a part's
name, mail by its id. The database refuses to change or remove an entry.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from undisclosed.store.database import Connection, database

WITHHELD: Final = "(withheld)"
"""What stands in an entry for a fact that looks like an address."""

_INSERT: Final = (
    "INSERT INTO store_journalentry (at, event, actor, facts)"
    " VALUES (%s, %s, %s, %s::jsonb)"
)


def write(event: str, *, actor: str = "", **facts: object) -> None:
    """Write one entry, part of the caller's transaction where there is one.

    ``actor`` is an account's id or a part's name. Raises TransientError.
    """
    with database() as connection:
        write_with(connection, event, facts, actor=actor)


def write_with(
    connection: Connection,
    event: str,
    facts: Mapping[str, object],
    *,
    actor: str = "",
    at: datetime | None = None,
) -> None:
    """The same over a connection that is in hand."""
    connection.run(
        _INSERT,
        (at or datetime.now(UTC), event, _safe(actor), json.dumps(_safe_facts(facts))),
    )


def _safe_facts(facts: Mapping[str, object]) -> dict[str, object]:
    return {name: _safe_value(value) for name, value in facts.items()}


def _safe_value(value: object) -> object:
    match value:
        case None | bool() | int() | float():
            return value
        case list() | tuple() | set() | frozenset():
            return [_safe_value(item) for item in value]
        case dict():
            return {_safe(str(k)): _safe_value(item) for k, item in value.items()}
        case _:
            return _safe(str(value))


def _safe(text: str) -> str:
    """A last line of defence: nothing with an at sign enters the journal."""
    return WITHHELD if "@" in text else text
