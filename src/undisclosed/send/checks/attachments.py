# SPDX-License-Identifier: Apache-2.0
"""Check attachments: what is in them besides what the reader is meant to see."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.campaign import Attached, CheckFinding, Weight
from undisclosed.send.checks.check import Tally, people
from undisclosed.send.checks.scanning import scanner
from undisclosed.send.checks.view import CampaignView, Merged
from undisclosed.send.checks.words import word_list

NAME = "attachments"

_BY_COLUMN = "files by column"
_MOSTLY = 0.9
"""Of people's own files: the share that one row alone has to name in most lists."""

_PLAIN = frozenset({"properties", "link", "header or footer", "text", "drawing"})
"""Channels below a document that its reader sees, or that seldom hold people."""


class Attachments:
    """Reads every file as the guard reads mail, hidden parts among it."""

    name = NAME
    description = "Find people, hidden parts and confidential data in attachments."

    def start(self, view: CampaignView) -> "_Looking":
        """Read every file once."""
        looking = _Looking(view)
        for number, attached in enumerate(view.draft.attachments, 1):
            looking.read(f"file {number}", attached)
        looking.find_listed()
        return looking


@dataclass(slots=True)
class _Looking:
    view: CampaignView = field(repr=False)
    found: list[CheckFinding] = field(default_factory=list)
    common: set[Address] = field(default_factory=set, repr=False)
    own: dict[int, frozenset[Address]] = field(default_factory=dict, repr=False)
    listed: frozenset[Address] = field(default=frozenset(), repr=False)
    unread: set[int] = field(default_factory=set)
    first: dict[int, int] = field(default_factory=dict)
    again: set[int] = field(default_factory=set)
    shared: Tally = field(default_factory=Tally)
    wrong: Tally = field(default_factory=Tally)
    others: Tally = field(default_factory=Tally)

    def read(self, place: str, attached: Attached) -> None:
        """Read a file: its people, its hidden parts, its numbers and words."""
        content = self.view.file_text(attached)
        shown = frozenset(content.shown) - self.view.senders
        if attached.column:
            self.own[id(attached)] = shown
            if content.is_unread:
                self.unread.add(id(attached))
        else:
            self.common |= shown
        for sentence in content.uncertain:
            self._say(place, f"It was not read whole: {sentence}")
        hidden = {one.channel for one in content.texts if _is_hidden(one.channel)}
        for channel in sorted(hidden):
            self._say(place, f"It has a part that is easily overlooked: {channel}.")
        texts = [one.text for one in content.texts]
        for words, count in _numbers_in(texts).items():
            self._say(place, f"It holds {words}.", count)
        if not attached.column:
            for category in _categories_in(texts):
                self._say(place, f"A word in it speaks of {category}.", is_note=True)

    def find_listed(self) -> None:
        """Find out who of the people in the files is on the list."""
        named = self.common.union(*self.own.values())
        if named:
            self.listed = frozenset(
                row.address for row in self.view.rows() if row.address in named
            )

    def look(self, one: Merged) -> None:
        """Look at the files that are this person's alone."""
        row = one.row
        if not self.own or row.address is None:
            return
        for attached in self.view.own_files(row):
            self._count(id(attached), row.number)
            shown = self.own[id(attached)] - {row.address}
            if shown & self.listed:
                self.wrong.add(row.number)
            elif shown:
                self.others.add(row.number)

    def _count(self, key: int, row: int) -> None:
        if self.first.setdefault(key, row) != row:
            self.again.add(key)
            self.shared.add(row)

    def findings(self) -> Iterator[CheckFinding]:
        """What was found in the files, and who."""
        yield from self.found
        if listed := self.common & self.listed:
            text = f"The files for all show {people(len(listed))} of the list."
            weight = Weight.STOP if len(listed) > 1 else Weight.OVERRIDE
            yield CheckFinding(NAME, weight, text, "files for all", (), len(listed))
        strangers = [one for one in self.common - self.listed if self._is_outside(one)]
        if strangers:
            text = f"The files for all show the addresses of {people(len(strangers))}."
            yield CheckFinding(
                NAME, Weight.OVERRIDE, text, "files for all", (), len(strangers)
            )
        if self.wrong.count:
            text = "A person's own file shows the address of another one of the list."
            yield self.wrong.finding(NAME, Weight.STOP, text, _BY_COLUMN)
        yield from self._uses()
        if self.others.count:
            text = "A person's own file shows somebody else's address."
            yield self.others.finding(NAME, Weight.OVERRIDE, text, _BY_COLUMN)

    def _uses(self) -> Iterator[CheckFinding]:
        """Own files that somebody gets after another, that nobody gets or reads."""
        if self.again:
            # Where nearly everybody has a file of their own, one more is a slip.
            is_slip = len(self.again) <= (1 - _MOSTLY) * len(self.first)
            text = (
                f"{_files(len(self.again))} named by more than one row: somebody "
                "would get a file that is another person's. Who is to have the same "
                "gets a copy under a name of its own."
            )
            weight = Weight.STOP if is_slip else Weight.OVERRIDE
            yield self.shared.finding(NAME, weight, text, _BY_COLUMN)
        if nobodys := len(self.own.keys() - self.first.keys()):
            text = f"{_files(nobodys)} nobody's: no row names them."
            yield CheckFinding(NAME, Weight.OVERRIDE, text, _BY_COLUMN, (), nobodys)
        if unread := len(self.unread & self.first.keys()):
            text = f"{_files(unread)} not to be read here: somebody has to look."
            yield CheckFinding(NAME, Weight.OVERRIDE, text, _BY_COLUMN, (), unread)

    def _is_outside(self, address: Address) -> bool:
        domain = address.person.rpartition("@")[2]
        own = self.view.own_domains
        return not any(domain == one or domain.endswith(f".{one}") for one in own)

    def _say(
        self, place: str, text: str, count: int = 0, *, is_note: bool = False
    ) -> None:
        weight = Weight.NOTE if is_note else Weight.OVERRIDE
        self.found.append(CheckFinding(NAME, weight, text, place, (), count))


def _files(count: int) -> str:
    return "1 file is" if count == 1 else f"{count:,} files are"


def _is_hidden(channel: str) -> bool:
    return channel.partition(": ")[2] not in ("", *_PLAIN)


def _numbers_in(texts: Iterable[str]) -> Counter[str]:
    return Counter(
        hit.kind.words
        for text in texts
        for hit in scanner().scan(text)
        if not hit.kind.is_contact
    )


def _categories_in(texts: Iterable[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for text in texts:
        found |= word_list("special_words").categories(text)
    return found
