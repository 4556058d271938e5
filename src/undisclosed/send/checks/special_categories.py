# SPDX-License-Identifier: Apache-2.0
"""Check special-categories: words that tell something intimate about who gets them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.send.checks.check import Tally, column_place, messages
from undisclosed.send.checks.places import written
from undisclosed.send.checks.view import CampaignView, Merged
from undisclosed.send.checks.words import word_list

NAME = "special-categories"
_WORDS = "special_words"


class SpecialCategories:
    """GDPR Art. 9 and 10, and what is as bad to have told: debts, support."""

    name = NAME
    description = (
        "Find words of health, belief, origin, crime and other intimate facts."
    )

    def start(self, view: CampaignView) -> "_Looking":
        """Look at the draft."""
        found = [
            CheckFinding(
                NAME,
                Weight.OVERRIDE,
                f"A word speaks of {category}: whoever sees that a person got this "
                "mail learns that of them.",
                text.at(start),
            )
            for text in written(view.draft)
            for category, start in word_list(_WORDS).categories(text.text).items()
        ]
        return _Looking(view.shown_columns, tuple(found))


@dataclass(slots=True)
class _Looking:
    columns: tuple[str, ...]
    found: tuple[CheckFinding, ...]
    tallies: dict[tuple[str, str], Tally] = field(default_factory=dict)

    def look(self, one: Merged) -> None:
        """Look at what is filled in."""
        for column in self.columns:
            value = one.row.values.get(column, "")
            for category in word_list(_WORDS).categories(value):
                key = (category, column)
                self.tallies.setdefault(key, Tally()).add(one.row.number)

    def findings(self) -> Iterator[CheckFinding]:
        """What was found, by category and place."""
        yield from self.found
        for (category, column), tally in self.tallies.items():
            text = f"A word of {category} is filled into {messages(tally.count)}."
            yield tally.finding(NAME, Weight.OVERRIDE, text, column_place(column))
