# SPDX-License-Identifier: Apache-2.0
"""What changes in the body for each private copy: calendars, and encrypted content.

An invitation keeps its recipient's own ATTENDEE, encrypted content the key of its
recipient. No signature may cover the part, and it must be clear how it is encoded:
else it stays as it is, and the copy is refused when it is read again. A part that is
encoded is encoded again whole; all others lose just the bytes that name others.
"""

import binascii
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from undisclosed.core.address import Address
from undisclosed.core.charsets import codec_of, decode, is_transparent
from undisclosed.core.disclosure import Reading
from undisclosed.core.media_types import Kind
from undisclosed.core.mime import TextPart
from undisclosed.core.part_text import bytes_of
from undisclosed.core.patch import Edit
from undisclosed.core.policy import Policy
from undisclosed.core.shown.calendars import PEOPLE, people_of
from undisclosed.core.transfer_encodings import (
    BASE64,
    IDENTITY,
    QUOTED_PRINTABLE,
)
from undisclosed.formats import cms, openpgp
from undisclosed.formats.calendar import content_lines, unfolded

_LINE_LENGTH = 76  # RFC 2045 §6.8

_Cut = tuple[int, int, bytes]
"""data[start:end] of a decoded part, and what stands there instead."""


class BodyEdits:
    """The edits of the body, for each recipient: ``of`` makes them."""

    def __init__(self, content: bytes, reading: Reading, policy: Policy) -> None:
        """``reading`` is that of this content; nothing is edited that is clean."""
        self._newline = b"\r\n" if b"\r\n" in content[:1000] else b"\n"
        self._parts: list[_Calendar | _Encrypted] = []
        for part in _plain_parts(reading.content.editable):
            if part.kind is Kind.CALENDAR:
                calendar = _Calendar(part, reading)
                if calendar.names_anybody:
                    self._parts.append(calendar)
            elif reading.content.key_ids:
                self._parts.append(_Encrypted(part, reading, policy))

    def of(self, recipient: Address) -> tuple[Edit, ...]:
        """The edits for one recipient, ascending; none where nothing has to change."""
        edits: list[Edit] = []
        for one in self._parts:
            edits += _edits(one.part, one.data, one.cuts(recipient), self._newline)
        return tuple(sorted(edits, key=lambda edit: edit.start))


def _plain_parts(parts: Iterable[TextPart]) -> Iterator[TextPart]:
    """The parts that no signature covers, and that can be read in one way only."""
    at: dict[int, list[TextPart]] = {}
    for part in parts:
        at.setdefault(part.start, []).append(part)
    for same in at.values():
        first = same[0]
        is_clear = all(
            (one.end, one.encoding) == (first.end, first.encoding) for one in same
        )
        known = first.encoding in (IDENTITY, BASE64, QUOTED_PRINTABLE)
        if is_clear and known and not first.is_signed and not first.nesting:
            yield first


@dataclass(slots=True)
class _Run:
    """Lines under each other that name outsiders: data[start:end]."""

    start: int
    end: int
    lines: list[tuple[int, int]]


class _Calendar:
    """The lines of a calendar that name outsiders, and whose own lines they are."""

    def __init__(self, part: TextPart, reading: Reading) -> None:
        self.part = part
        self.data = bytes_of(part)
        self._runs: list[_Run] = []
        self._own: dict[Address, set[tuple[int, int]]] = {}
        codec = codec_of(part.charset[:64]) if part.charset else None
        if codec and not is_transparent(codec):
            return
        content = reading.content
        own_side = {content.author, content.sender}
        # One character for each byte: places in the text are places in the data.
        for line in content_lines(self.data.decode("latin-1")):
            is_people = line.name in PEOPLE or line.name.startswith("X-")
            if not is_people or line.name == "ORGANIZER":
                continue
            named = self._named(line.start, line.end, part.charset)
            outsiders = {
                one
                for one in named
                if reading.sides.is_outsider(one) and one not in own_side
            }
            if outsiders:
                self._add((line.start, line.end), outsiders)

    @property
    def names_anybody(self) -> bool:
        """Whether a line names an outsider."""
        return bool(self._runs)

    def cuts(self, recipient: Address) -> Iterator[_Cut]:
        """The lines that name others than this recipient."""
        own = self._own.get(recipient, set())
        for run in self._runs:
            start = run.start
            if own:
                for line_start, line_end in run.lines:
                    if (line_start, line_end) in own:
                        if line_start > start:
                            yield start, line_start, b""
                        start = line_end
            if run.end > start:
                yield start, run.end, b""

    def _named(self, start: int, end: int, charset: str) -> list[Address]:
        text = decode(unfolded(self.data[start:end]), charset)
        return [one for line in content_lines(text) for one in people_of(line)]

    def _add(self, place: tuple[int, int], outsiders: set[Address]) -> None:
        if len(outsiders) == 1:
            self._own.setdefault(next(iter(outsiders)), set()).add(place)
        if self._runs and self._runs[-1].end == place[0]:
            self._runs[-1].end = place[1]
            self._runs[-1].lines.append(place)
        else:
            self._runs.append(_Run(*place, [place]))


class _Encrypted:
    """Encrypted content, and whose keys it names."""

    def __init__(self, part: TextPart, reading: Reading, policy: Policy) -> None:
        self.part = part
        self.data = bytes_of(part)
        is_outsider, content = reading.sides.is_outsider, reading.content
        own_side = (content.author, content.sender)
        owners = ((one, policy.owner_of(one)) for one in content.key_ids)
        self._owners = {
            one: owner
            for one, owner in owners
            if owner is not None and is_outsider(owner) and owner not in own_side
        }

    def cuts(self, recipient: Address) -> Iterator[_Cut]:
        """What is there for the keys of others.

        Nothing where no key is known for the recipient: a copy without the others
        would not open for anybody who shares one of them.
        """
        if recipient not in self._owners.values():
            return
        others = {one for one, owner in self._owners.items() if owner != recipient}
        if self.part.kind is Kind.CMS:
            yield from self._whole(cms.without_recipients(self.data, others))
            return
        blocks = openpgp.armored(self.data)
        for block in blocks:
            pruned = openpgp.without_recipients(block.data, others)
            if pruned != block.data:
                text = openpgp.rearmored(self.data, block, pruned)
                yield block.start, block.end, text
        if not blocks:
            yield from self._whole(openpgp.without_recipients(self.data, others))

    def _whole(self, pruned: bytes) -> Iterator[_Cut]:
        if pruned != self.data:
            yield 0, len(self.data), pruned


def _edits(
    part: TextPart, data: bytes, cuts: Iterable[_Cut], newline: bytes
) -> list[Edit]:
    """The cuts of a decoded part as edits of the content."""
    found = list(cuts)
    if not found:
        return []
    if part.encoding == IDENTITY:
        return [
            Edit(part.start + one, part.start + end, new) for one, end, new in found
        ]
    pieces: list[bytes] = []
    position = 0
    for start, end, new in found:
        pieces += (data[position:start], new)
        position = end
    coded = _ENCODERS[part.encoding](b"".join((*pieces, data[position:])), newline)
    # The line ends behind the part stay.
    raw = part.source[part.start : part.end]
    end = part.start + len(raw.rstrip(b"\r\n"))
    return [Edit(part.start, end, coded)]


def _as_base64(data: bytes, newline: bytes) -> bytes:
    coded = binascii.b2a_base64(data, newline=False)
    lines = range(0, len(coded), _LINE_LENGTH)
    return newline.join(coded[at : at + _LINE_LENGTH] for at in lines)


def _as_quoted_printable(data: bytes, newline: bytes) -> bytes:
    coded = binascii.b2a_qp(data, istext=True)
    return coded.replace(b"\r\n", b"\n").replace(b"\n", newline).rstrip(b"\r\n")


_ENCODERS: dict[str, Callable[[bytes, bytes], bytes]] = {
    BASE64: _as_base64,
    QUOTED_PRINTABLE: _as_quoted_printable,
}
