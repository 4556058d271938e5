# SPDX-License-Identifier: Apache-2.0
"""Check mass-mail: does this have to be a mass mail at all?

One regulator's first lesson is to avoid mass mail where a personal way serves. Only a
person can answer; the check says how many people it is about, and which other ways the
list has for them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.core.campaign import CheckFinding, Sensitivity, Way, Weight
from undisclosed.send.checks.check import people
from undisclosed.send.checks.view import CampaignView, Merged

NAME = "mass-mail"

FEW = 20
"""People whom somebody could as well phone in a morning."""

_PHONE = re.compile(r"phone|mobile|\btel|cell|telefoon|mobiel|gsm", re.IGNORECASE)
_POST = re.compile(
    r"post ?code|postal|zip|street|straat|\brue\b|address ?(?:line)? ?1?\Z|adres\b",
    re.IGNORECASE,
)
_MAIL = re.compile(r"e-?mail", re.IGNORECASE)


class MassMail:
    """Counts people, and those who could be phoned or written to."""

    name = NAME
    description = "Ask whether a personal way serves better than a mass mail."

    def start(self, view: CampaignView) -> "_Looking":
        """Find the columns that name other ways."""
        columns = [one for one in view.columns if not _MAIL.search(one)]
        return _Looking(
            view,
            tuple(filter(_PHONE.search, columns)),
            tuple(filter(_POST.search, columns)),
        )


@dataclass(slots=True)
class _Looking:
    view: CampaignView = field(repr=False)
    phones: tuple[str, ...]
    streets: tuple[str, ...]
    can_phone: int = 0
    can_write: int = 0

    def look(self, one: Merged) -> None:
        """Count the ways in which this person could be reached."""
        values = one.row.values
        self.can_phone += any(values.get(name, "").strip() for name in self.phones)
        self.can_write += any(values.get(name, "").strip() for name in self.streets)

    def findings(self) -> Iterator[CheckFinding]:
        """The numbers, and the question."""
        view, count = self.view, self.view.people
        others = view.ways.get(Way.PHONE, 0) + view.ways.get(Way.POST, 0)
        said = [f"{people(count).capitalize()} would get this mail"]
        if others:
            said.append(f"{others:,} on the list are phoned or written to instead")
        if self.can_phone:
            said.append(f"the list has telephone numbers for {self.can_phone:,}")
        if self.can_write:
            said.append(f"postal addresses for {self.can_write:,}")
        is_grave = view.sensitivity is not Sensitivity.ORDINARY
        question = (
            "Would a call, a letter or a word in person serve as well?"
            if is_grave or count <= FEW
            else "Does everybody need it, and by mail?"
        )
        weight = Weight.OVERRIDE if is_grave else Weight.NOTE
        text = f"{'; '.join(said)}. {question}"
        yield CheckFinding(NAME, weight, text, "list", (), count)
