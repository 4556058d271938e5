# SPDX-License-Identifier: Apache-2.0
"""How one mail is edited for each of its recipients, its header block above all.

What all copies have in common is found once: which fields name whom, and the bytes
of each mailbox as they were written. A copy then costs what its own fields cost.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.body_edits import BodyEdits
from undisclosed.core.disclosure import Reading
from undisclosed.core.encoded_words import field_text
from undisclosed.core.header import Field, may_hide_at_sign
from undisclosed.core.patch import Edit, Patch
from undisclosed.core.policy import Policy
from undisclosed.core.quiet_fields import COUNTED, People
from undisclosed.core.shown import name_and_channel
from undisclosed.core.shown.channel import FieldChannel, Role

BODY = "the body"
"""What a DKIM signature covers beside fields (RFC 6376 §3.7)."""

_DESTINATIONS = ("to", "cc", "resent-to", "resent-cc")  # RFC 5322 §3.6.3, §3.6.6
_MOVED = ("to", "cc")  # the recipient leaves them, because the first To names them
_ADDRESS_LISTS = frozenset(
    {
        *_DESTINATIONS,
        "reply-to",  # RFC 5322 §3.6.2
        "mail-followup-to",
        "mail-reply-to",
        "disposition-notification-to",  # RFC 8098 §2.1
        "return-receipt-to",
        "errors-to",
    }
)
# Who wrote, what about, and how the body is to be read: never edited. A copy that
# shows somebody there is refused when it is read again.
_NEVER_EDITED = re.compile(
    r"from|sender|(?:resent-)?(?:date|message-id)|return-path|subject"
    r"|mime-version|content-.*"
)
_LINE_LENGTH = 78  # RFC 5322 §2.1.1; no line may be longer than 998
_LONGEST_PIECE_LINE = 900

_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_MARKS = re.compile(rb'["()<>,;:\\]')
_AS_WRITTEN = re.compile(
    rb"[^\r\n\0]{0,%d}+(?:\r?\n[ \t][^\r\n\0]{0,%d}+)*"
    % (_LONGEST_PIECE_LINE, _LONGEST_PIECE_LINE)
)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One mailbox of an address list, as written, and the outsiders it names."""

    written: bytes = field(repr=False)
    outsiders: frozenset[Address] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Named:
    """A field that names outsiders, or To: what of it the copies may keep."""

    place: Field = field(repr=False)
    outsiders: frozenset[Address] = field(repr=False)
    insiders: tuple[bytes, ...] = field(default=(), repr=False)

    def names_others_than(self, person: Address) -> bool:
        """Whether the field names an outsider who is not this person."""
        return bool(self.outsiders) and self.outsiders != {person}


class Copies:
    """All private copies of one mail: ``of`` makes the patch for one recipient."""

    def __init__(self, content: bytes, reading: Reading, policy: Policy) -> None:
        self._reading = reading
        self._fields = reading.content.header.fields
        self._block = content[: reading.content.header.body_start]
        self._newline = b"\r\n" if b"\r\n" in self._block else b"\n"
        self._body = BodyEdits(content, reading, policy)
        self._written: dict[Address, bytes] = {}
        self._removals = tuple(
            Edit(one.start, one.end) for one in reading.content.removals
        )
        removed = {edit.start for edit in self._removals}
        self._others: list[_Named] = []
        self._lists: list[_Named] = []
        self._to: _Named | None = None
        self._people: People | None = None
        self._place = -1
        for one in self._fields:
            if one.start not in removed:
                self._add(one)
            if self._place < 0 and one.name in (*_DESTINATIONS, "bcc"):
                self._place = one.start

    def of(self, recipient: Address) -> Patch:
        """The edits that leave this recipient alone among outsiders."""
        edits = [*self._removals, *self._to_edits(recipient)]
        edits.extend(
            Edit(named.place.start, named.place.end)
            for named in self._others
            if named.names_others_than(recipient)
        )
        for named in self._lists:
            is_moved = recipient in named.outsiders and named.place.name in _MOVED
            if is_moved or named.names_others_than(recipient):
                kept = self._kept(named, recipient, is_moved=is_moved)
                edits.append(self._rewritten(named, kept))
        edits.sort(key=lambda edit: (edit.start, edit.end))
        return Patch((*edits, *self._body.of(recipient)))

    def changed_fields(self, patch: Patch) -> frozenset[str]:
        """The names of the fields that a patch changes, removes or adds.

        ``BODY`` is among them where it changes the body.
        """
        names = {(one.start, one.end): one.name for one in self._fields}
        body_start = self._reading.content.header.body_start
        return frozenset(
            names.get((edit.start, edit.end), "to") if edit.start < body_start else BODY
            for edit in patch.edits
        )

    def _add(self, one: Field) -> None:
        """Sort one field into those that all copies, some or none keep as it is."""
        channel = name_and_channel(one.raw_name)[1]
        if channel is None or is_never_edited(one.name):
            return
        is_first_to = one.name == "to" and self._to is None
        outsiders = self._outsiders(channel, one.body)
        if not outsiders and not is_first_to:
            return
        if one.name not in _ADDRESS_LISTS:
            self._others.append(_Named(one, outsiders))
            return
        pieces = list(self._pieces(channel, one.body))
        insiders = tuple(piece.written for piece in pieces if not piece.outsiders)
        named = _Named(one, outsiders, insiders)
        if one.name in _DESTINATIONS:
            self._remember(pieces)
        if is_first_to:
            self._to = named
        else:
            self._lists.append(named)

    def _remember(self, pieces: Iterable[_Piece]) -> None:
        """Keep how each person's mailbox was written first."""
        for piece in pieces:
            if len(piece.outsiders) == 1 and _is_as_written(piece.written):
                (person,) = piece.outsiders
                self._written.setdefault(person, piece.written)

    def _outsiders(self, channel: FieldChannel, body: bytes) -> frozenset[Address]:
        """The outsiders in a piece of a header, lists with members outside among them.

        The author and the sender are shown anyway and stay.
        """
        if not _may_name(body):
            return frozenset()
        content = self._reading.content
        return frozenset(
            person
            for person in channel.read(field_text(body))
            if self._is_hidden(person)
            and person not in (content.author, content.sender)
            and channel.role is not Role.OFFICE
        ) | self._named_quietly(channel, body)

    def _named_quietly(self, channel: FieldChannel, body: bytes) -> frozenset[Address]:
        """The outsiders whom a field names that as a rule names nobody."""
        if channel.role not in COUNTED:
            return frozenset()
        if self._people is None:
            reading = self._reading
            self._people = People(reading.outside_viewers | reading.outsiders_shown)
        return self._people.named_in(body)

    def _is_hidden(self, person: Address) -> bool:
        sides, lists = self._reading.sides, self._reading.lists
        if person in lists:
            return any(map(sides.is_outsider, lists[person].members))
        return sides.is_outsider(person)

    def _pieces(self, channel: FieldChannel, body: bytes) -> Iterator[_Piece]:
        """The mailboxes of an address list that name anybody."""
        for written in _split(body):
            if _may_name(written):
                outsiders = self._outsiders(channel, written)
                if outsiders or self._names_an_insider(channel, written):
                    yield _Piece(written, outsiders)

    @staticmethod
    def _names_an_insider(channel: FieldChannel, written: bytes) -> bool:
        return _is_as_written(written) and bool(channel.read(field_text(written)))

    def _to_edits(self, recipient: Address) -> tuple[Edit, ...]:
        """To is the recipient first, then the insiders who stood in it."""
        if self._to is None:
            return (self._new_to(recipient),)
        if self._to.outsiders == {recipient}:
            return ()
        written = (self._mailbox(recipient), *self._to.insiders)
        return (self._rewritten(self._to, written),)

    def _new_to(self, recipient: Address) -> Edit:
        """A To where there was none: before the first destination field, or last."""
        place, line = self._place, self._line(b"To", (self._mailbox(recipient),))
        if place < 0:
            place = self._fields[-1].end if self._fields else 0
            if place and not self._block[:place].endswith(b"\n"):
                return Edit(place, place, self._newline + line)
        return Edit(place, place, line + self._newline)

    def _kept(
        self, named: _Named, recipient: Address, *, is_moved: bool
    ) -> tuple[bytes, ...]:
        """What stays of a field other than the first To."""
        if recipient in named.outsiders and not is_moved:
            return (self._mailbox(recipient), *named.insiders)
        return named.insiders

    def _rewritten(self, named: _Named, mailboxes: tuple[bytes, ...]) -> Edit:
        """The field with these mailboxes; gone where there are none."""
        start, end = named.place.start, named.place.end
        if not mailboxes:
            return Edit(start, end)
        whole = self._block[start:end]
        line_end = whole[len(whole.rstrip(b"\r\n")) :]
        raw_name = named.place.raw_name
        if not raw_name.isascii():
            raw_name = named.place.name.encode()
        return Edit(start, end, self._line(raw_name, mailboxes) + line_end)

    def _line(self, raw_name: bytes, mailboxes: tuple[bytes, ...]) -> bytes:
        """A field without its line end, folded between mailboxes."""
        text = raw_name + b": " + mailboxes[0]
        lines = [text]
        length = len(text) - text.rfind(b"\n") - 1
        for mailbox in mailboxes[1:]:
            first = len(mailbox.partition(b"\n")[0])
            if length + 2 + first > _LINE_LENGTH:
                lines.append(b"," + self._newline + b" " + mailbox)
                length = 1 + len(mailbox) - (mailbox.rfind(b"\n") + 1)
            else:
                lines.append(b", " + mailbox)
                is_folded = b"\n" in mailbox
                length = 0 if is_folded else length + 2
                length += len(mailbox) - (mailbox.rfind(b"\n") + 1)
        return b"".join(lines)

    def _mailbox(self, recipient: Address) -> bytes:
        """The recipient as written in a destination field, else the bare address."""
        written = self._written.get(recipient)
        if written is not None:
            return written
        bare = _CONTROLS.sub("", recipient.spelled_out())
        return b"<" + bare.encode("utf-8", "surrogateescape") + b">"


def is_never_edited(name: str) -> bool:
    """Whether a field stands in every copy as it was written."""
    return _NEVER_EDITED.fullmatch(name) is not None


def _may_name(body: bytes) -> bool:
    """Whether anybody can be named: plain ASCII without an at sign names nobody."""
    return b"@" in body or may_hide_at_sign(body)


def _is_as_written(written: bytes) -> bool:
    """Whether bytes of the original may stand in a copy: no odd line end, not long."""
    return _AS_WRITTEN.fullmatch(written) is not None


def _split(body: bytes) -> Iterator[bytes]:
    """An address list cut at its commas, semicolons and the names of groups.

    Those inside quotes, comments and angle brackets do not count (RFC 5322 §3.4).
    What is cut wrongly names several people or nobody, and is not kept.
    """
    start, is_quoted, comments, is_route = 0, False, 0, False
    skip_to = 0
    for mark in _MARKS.finditer(body):
        place = mark.start()
        if place < skip_to:
            continue
        match mark[0]:
            case b"\\":
                skip_to = place + 2
            case b'"' if not comments:
                is_quoted = not is_quoted
            case b"(" if not is_quoted:
                comments += 1
            case b")" if not is_quoted and comments:
                comments -= 1
            case b"<" | b">" if not is_quoted and not comments:
                is_route = mark[0] == b"<"
            case b"," | b";" | b":" if not (is_quoted or comments or is_route):
                yield body[start:place].strip()
                start = place + 1
    yield body[start:].strip()
