# SPDX-License-Identifier: Apache-2.0
"""What there is of one mailing, its mail taken together.

What counts for the judgement is everything not cancelled; what the pages tell is what
would have been seen, so held mail stays in it after it was split or withdrawn.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from undisclosed.core.known import MailingSoFar
from undisclosed.store import people
from undisclosed.store.database import Connection, Prepared

_TOTALS: Final = Prepared("undisclosed_totals", "SELECT store_totals($1)")
_TELL: Final = Prepared(
    "undisclosed_tell",
    "SELECT store_tell($1, $2::bytea, $3::timestamptz, $4::timestamptz, $5::int,"
    " $6::bigint, $7::int)",
)


class Totals:
    """The totals of a mailing, as ``store_totals`` answers."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._people = bytes.fromhex(values["people"] or "")
        self._waves: int = values["waves"]
        self._disclosures: int = values["disclosures"]
        told = values["told people"]
        self._told_people = self._people if told is None else bytes.fromhex(told)
        self._told_waves: int = values["told waves"]
        self._told_disclosures: int = values["told disclosures"]
        self._first = _time(values["first"])
        self._last = _time(values["last"])

    def with_mail(
        self, packed: bytes, mail: MailingSoFar, now: datetime
    ) -> MailingSoFar:
        """The mailing with one more mail in it; ``told`` has it, too, from now on.

        ``packed`` are the mail's people, ``mail`` is it as if it were alone.
        """
        is_same = self._told_people is self._people
        self._people += packed
        self._told_people = self._people if is_same else self._told_people + packed
        self._waves += 1
        self._told_waves += 1
        self._disclosures += mail.disclosures
        self._told_disclosures += mail.disclosures
        self._first = now if self._first is None else min(self._first, now)
        self._last = now if self._last is None else max(self._last, now)
        return self.so_far(mail.id)

    def so_far(self, mailing_id: str) -> MailingSoFar:
        """What counts for the judgement."""
        union = people.count(self._people)
        return MailingSoFar(mailing_id, union, self._disclosures, self._waves)

    @property
    def told(self) -> tuple[object, ...]:
        """What the pages tell: first, last, people, disclosures, mails."""
        if not self._told_waves:
            return (None,) * 5
        return (
            self._first,
            self._last,
            people.count(self._told_people),
            self._told_disclosures,
            self._told_waves,
        )


def totals_of(connection: Connection, mailing_id: str) -> Totals:
    """The totals of the moment."""
    return Totals(json.loads(connection.ask(_TOTALS, (mailing_id,))))


def count(connection: Connection, mailing_id: str, sender: bytes) -> MailingSoFar:
    """Count a mailing, and write down what the pages tell of it."""
    totals = totals_of(connection, mailing_id)
    told = totals.told
    if told[-1] is not None:
        connection.ask(_TELL, (mailing_id, sender, *told))
    return totals.so_far(mailing_id)


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
