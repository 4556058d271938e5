# SPDX-License-Identifier: Apache-2.0
"""Check confidential-data: numbers that must not travel in a mass mail."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.check import Tally, column_place, messages
from undisclosed.send.checks.folding import fold
from undisclosed.send.checks.identifiers import Kind
from undisclosed.send.checks.places import written
from undisclosed.send.checks.scanning import Hit, scanner
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "confidential-data"


class ConfidentialData:
    """Looks at the text that all get, and at what is filled in for each."""

    name = NAME
    description = "Find identity, health, bank and card numbers, passwords, keys."

    def start(self, view: CampaignView) -> "_Looking":
        """Look at the draft."""
        found: dict[tuple[str, str], CheckFinding] = {}
        constant: set[str] = set()
        for text in written(view.draft):
            for hit in scanner().scan(text.text):
                constant.add(hit.text)
                if hit.kind.is_contact:
                    continue
                place = text.at(hit.start)
                sentence = f"{_begin(hit.kind)} stands in what everybody gets."
                found.setdefault(
                    (hit.kind.words, place),
                    CheckFinding(NAME, Weight.OVERRIDE, sentence, place),
                )
        return _Looking(view.shown_columns, tuple(found.values()), constant)


@dataclass(slots=True)
class _Looking:
    columns: tuple[str, ...]
    found: tuple[CheckFinding, ...]
    constant: set[str]
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)
    kinds: dict[str, Kind] = field(default_factory=dict)

    def look(self, one: Merged) -> None:
        """Look at the values and at the text that came of them."""
        if one.message is None:
            return
        values = {name: one.row.values.get(name, "") for name in self.columns}
        seen: set[str] = set()
        for column, value in values.items():
            if any(map(str.isdigit, value)):
                for hit in scanner().scan(value, label=column):
                    seen.add(hit.text)
                    self._count(hit, column_place(column), one.row.number)
        for hit in scanner().scan(f"{one.message.subject}\n{one.message.text}"):
            if hit.text not in self.constant and hit.text not in seen:
                self._count(hit, _place(hit, values), one.row.number)

    def findings(self) -> Iterator[CheckFinding]:
        """What was found, by kind and place."""
        yield from self.found
        for (words, place), tally in self.tallies.items():
            kind = self.kinds[words]
            weight = Weight.NOTE if kind.is_contact else Weight.OVERRIDE
            text = f"{_begin(kind)} is filled into {messages(tally.count)}."
            yield tally.finding(NAME, weight, text, place)

    def _count(self, hit: Hit, place: str, row: int) -> None:
        words = hit.kind.words
        self.kinds[words] = hit.kind
        self.tallies.setdefault((words, place), Tally()).add(row)


def _place(hit: Hit, values: dict[str, str]) -> str:
    """The column that a number came from; the text, where it is of several."""
    for column, value in values.items():
        if hit.text in fold(value):
            return column_place(column)
    return "text"


def _begin(kind: Kind) -> str:
    return kind.words[:1].upper() + kind.words[1:]
