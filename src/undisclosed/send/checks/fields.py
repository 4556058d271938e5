# SPDX-License-Identifier: Apache-2.0
"""Check fields: every field is filled, for everybody, with a value that may leave."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.campaign import CheckFinding, Row, Weight
from undisclosed.send.at_signs import has_unexplained_sign
from undisclosed.send.checks.check import Tally, column_place, messages
from undisclosed.send.checks.places import written
from undisclosed.send.checks.view import CampaignView, Merged
from undisclosed.send.wire_check import Allowed, SomebodyElse, check_wire

NAME = "fields"

_OF_ROW = re.compile(r"\ARow [0-9]+:? ?")
_LEFT_OVER = re.compile(
    r"«[^«»\n]{1,40}»|<<[^<>\n]{1,40}>>|%%[^%\n]{1,40}%%|\[\[[^\[\]\n]{1,40}\]\]"
    r"|\{\{|\}\}|\{%|%\}|(?<![\w$])\{[A-Za-z_ ]{2,30}\}|\$\{[^{}\n]{1,40}\}"
    r"|\*\|[^|\n]{1,40}\|\*|\[(?i:[a-z ]{0,20}(?:name|date|address|amount"
    r"|insert|number)[a-z ]{0,20})\](?!\()"
    r"|\b(?:TODO|TBC|TBD|FIXME|XXX+|[Ll]orem ipsum)\b"
)
_NO_VALUES = frozenset({
    "#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!", "#spill!",
    "null", "none", "nan", "nil", "undefined", "n/a", "n.v.t.", "unknown", "tbc", "tbd",
    "-", "--", "?", "??", "x", "xxx", "test", "err:502", "[object object]", "true",
    "false",
})  # fmt: skip


class Fields:
    """Rows that do not fit, fields that nobody has, values that are none.

    Each message is looked at as it is once more when it leaves: what would stop the
    campaign in its middle is found before anybody approves it.
    """

    name = NAME
    description = (
        "Find missing values, placeholders, at signs that would stop a message."
    )

    def start(self, view: CampaignView) -> "_Looking":
        """Look at the draft."""
        found = [
            CheckFinding(
                NAME,
                Weight.OVERRIDE,
                "A placeholder is left over: it would be sent as it stands.",
                text.at(match.start()),
            )
            for text in written(view.draft)
            for match in _LEFT_OVER.finditer(text.text)
        ]
        names = {name: view.template.columns[name] for name in view.template.fields}
        allowed = Allowed.of(view.senders, view.template.constant_texts())
        return _Looking(view, allowed, names, found, set(names))


@dataclass(slots=True)
class _Looking:
    view: CampaignView = field(repr=False)
    allowed: Allowed = field(repr=False)
    columns: Mapping[str, str]
    found: list[CheckFinding]
    empty: set[str]
    looked: Tally = field(default_factory=Tally)
    unfit: dict[str, Tally] = field(default_factory=dict)
    odd: dict[str, Tally] = field(default_factory=dict)
    stopped: dict[str, Tally] = field(default_factory=dict)

    def look(self, one: Merged) -> None:
        """Look at the row's values."""
        self.looked.add(one.row.number)
        if one.message is None:
            why = _OF_ROW.sub("", one.why)
            self.unfit.setdefault(why, Tally()).add(one.row.number)
        else:
            self._look_at_wire(one.row, one.message.raw)
        for name, column in self.columns.items():
            value = one.row.values.get(column, "").strip()
            if value:
                self.empty.discard(name)
            if value.lower() in _NO_VALUES:
                self.odd.setdefault(column, Tally()).add(one.row.number)

    def _look_at_wire(self, row: Row, wire: bytes) -> None:
        if row.address is None:
            return
        parts = self.view.template.own_parts(row)
        try:
            check_wire(wire, row.address, self.allowed, parts)
        except SomebodyElse:
            for place in self._places(row, row.address) or ("text",):
                self.stopped.setdefault(place, Tally()).add(row.number)

    def _places(self, row: Row, address: Address) -> list[str]:
        """The columns whose values have an at sign of somebody else."""
        people, signs = self.allowed.people | {address}, self.allowed.signs
        return [
            column_place(column)
            for column in self.columns.values()
            if has_unexplained_sign(row.values.get(column, ""), people, signs)
        ]

    def findings(self) -> Iterator[CheckFinding]:
        """What was found."""
        yield from self.found
        for why, tally in self.unfit.items():
            text = f"{messages(tally.count).capitalize()} cannot be made: {why}"
            yield tally.finding(NAME, Weight.STOP, text)
        for column, tally in self.odd.items():
            text = (
                f"{messages(tally.count).capitalize()} would show a value that is none."
            )
            yield tally.finding(NAME, Weight.OVERRIDE, text, column_place(column))
        for place, tally in self.stopped.items():
            text = (
                f"{messages(tally.count).capitalize()} would be stopped on leaving, by "
                'an at sign outside of the recipient\'s own address. Write "at", or '
                "put the address into the text that all get."
            )
            yield tally.finding(NAME, Weight.STOP, text, place)
        if self.looked.count:
            for name in sorted(self.empty):
                yield CheckFinding(
                    NAME,
                    Weight.OVERRIDE,
                    "A field is empty for everybody.",
                    column_place(self.columns[name]),
                )
