# SPDX-License-Identifier: Apache-2.0
"""Who stands behind the journal's pseudonyms, where that may and can still be said."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from undisclosed.console.templatetags.console import without_addresses
from undisclosed.store import pseudonyms
from undisclosed.store.database import database
from undisclosed.store.journal_reading import SUBJECT, Entry
from undisclosed.store.models import Account

_PSEUDONYM: Final = re.compile(r"person:(\d+):([0-9a-f]{6})[0-9a-f]*")
_WORDS: Final = "words:"
_LEADS_ON: Final = frozenset(
    {"account", "campaign", "circle", "control", "hold", "list", "mailing", "team"}
)
"""Facts that other entries are about as well."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact of an entry, in words; ``subject`` leads to all that is about it."""

    name: str
    said: str
    subject: str = ""

    @property
    def query(self) -> str:
        """The query of all entries about the same."""
        return urlencode({"subject": self.subject})


@dataclass(frozen=True, slots=True)
class Told:
    """An entry as the page tells it."""

    entry: Entry
    who: str
    facts: tuple[Fact, ...]


class Names:
    """The names behind the pseudonyms of some entries, asked for once each."""

    def __init__(self, entries: Iterable[Entry], *, may_name: bool) -> None:
        self._names: dict[str, str] = {}
        self._may_name = may_name
        if may_name:
            found = {text for one in entries for text in _texts([one.actor, one.facts])}
            people = {text for text in found if _PSEUDONYM.fullmatch(text)}
            behind = {text: pseudonyms.account_of(text) for text in people}
            keys = {key for key in behind.values() if key}
            accounts = Account.objects.only("name").in_bulk(list(keys))
            named = {str(key): account.name for key, account in accounts.items()}
            self._names = {text: named.get(key, "") for text, key in behind.items()}

    def of(self, text: str) -> str:
        """A name, or what can be said; what is no pseudonym stays as it is."""
        if text.startswith(_WORDS):
            # Somebody's own words may name anybody: never by an address.
            words = pseudonyms.words_of(text) if self._may_name else ""
            return without_addresses(words) or _("(in their own words)")
        pseudonym = _PSEUDONYM.fullmatch(text)
        if pseudonym is None:
            return text
        return self._names.get(text) or _("a person of epoch %(epoch)s (%(mark)s)") % {
            "epoch": pseudonym[1],
            "mark": pseudonym[2],
        }

    def tell(self, entry: Entry) -> Told:
        """The entry with its people named."""
        facts = (self._fact(name, value) for name, value in entry.facts.items())
        return Told(entry, self.of(entry.actor), tuple(facts))

    def _fact(self, name: str, value: Any) -> Fact:
        leads_on = name in _LEADS_ON and SUBJECT.fullmatch(str(value))
        return Fact(name, self._said(value), str(value) if leads_on else "")

    def _said(self, value: Any) -> str:
        match value:
            case bool():
                return _("yes") if value else _("no")
            case list():
                return ", ".join(map(self._said, value)) or "–"
            case dict():
                pairs = (f"{name} {self._said(one)}" for name, one in value.items())
                return ", ".join(pairs) or "–"
            case None:
                return "–"
            case _:
                return self.of(str(value))


def pseudonyms_of(account_id: str) -> tuple[str, ...]:
    """How an account stands in the journal, in each epoch whose key is still there."""
    alive = [one for one in pseudonyms.every() if one.destroyed_at is None]
    with database() as connection:
        return tuple(
            pseudonyms.of(connection, account_id, one.begins_at) for one in alive
        )


def _texts(value: Any) -> Iterable[str]:
    match value:
        case str():
            yield value
        case list():
            for one in value:
                yield from _texts(one)
        case dict():
            for one in value.values():
                yield from _texts(one)
