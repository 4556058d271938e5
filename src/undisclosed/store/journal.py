# SPDX-License-Identifier: Apache-2.0
"""The journal: one entry for each act, in the transaction that did it.

It holds no address. Whoever acted stands in it by a part's name or, where it was a
person, by a pseudonym whose key can be destroyed (``store.pseudonyms``); what people
wrote in their own words is sealed under the same key; mail stands in it by its id.
What each event may say stands in ``store.journal_facts``. The database refuses to
change or remove an entry.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from undisclosed.store import pseudonyms
from undisclosed.store.database import Connection, database
from undisclosed.store.journal_facts import Kind, kind_of

WITHHELD: Final = "(withheld)"
"""What stands in an entry for a fact that looks like an address."""

_TOLD_APART: Final = 2**53
"""Numbers below are whole numbers of JSON (RFC 7493 §2.2); others stand as text."""

_INSERT: Final = (
    "INSERT INTO store_journalentry (at, event, actor, facts)"
    " VALUES (%s, %s, %s, %s::jsonb)"
)


def write(event: str, *, actor: str = "", **facts: object) -> None:
    """Write one entry, part of the caller's transaction where there is one.

    ``actor`` is an account's id, kept as a pseudonym, or a part's name. Raises
    TransientError.
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
    time = at or datetime.now(UTC)
    safe = _Safe(connection, time, has_person=pseudonyms.is_person(actor))
    written = {
        name: safe.fact(kind_of(event, name), value) for name, value in facts.items()
    }
    connection.run(_INSERT, (time, event, safe.text(actor), json.dumps(written)))


@dataclass(frozen=True, slots=True)
class _Safe:
    """Turns values into what may stand in the journal at one time."""

    connection: Connection
    at: datetime
    has_person: bool
    """Whether it was a person who acted."""

    def fact(self, kind: Kind | None, value: object) -> object:
        match kind:
            case Kind.TEAM:
                # A team's id looks like an account's and is none.
                return _without_address(str(value))
            case Kind.WORDS:
                return self._words(str(value))
            case Kind.TOLD if self.has_person:
                return self._words(str(value))
            case _:
                return self.value(value)

    def _words(self, text: str) -> str:
        return pseudonyms.sealed(self.connection, text, self.at) if text else ""

    def value(self, value: object) -> object:
        match value:
            case None | bool():
                return value
            case int() | float():
                # What JSON cannot tell from its neighbours would not be sealed.
                return value if abs(value) < _TOLD_APART else str(value)
            case list() | tuple() | set() | frozenset():
                return [self.value(item) for item in value]
            case dict():
                return {
                    self.text(str(name)): self.value(item)
                    for name, item in value.items()
                }
            case _:
                return self.text(str(value))

    def text(self, text: str) -> str:
        """A person as a pseudonym."""
        if pseudonyms.is_person(text):
            return pseudonyms.of(self.connection, text, self.at)
        return _without_address(text)


def _without_address(text: str) -> str:
    """A last line of defence: nothing with an at sign enters the journal."""
    return WITHHELD if "@" in text else text
