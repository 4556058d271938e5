# SPDX-License-Identifier: Apache-2.0
"""What was read in one mail: who is shown in it, and where.

``read_content`` reads the bytes once. It never raises, whatever the bytes are,
and reads more than the standards allow, never less (RFC 5322, RFC 2045 to 2047).
A private copy shares the body with its original, so ``read_content`` can be given
the Content of the original, whose body is not read a second time, and the fields that
were read before.
"""

from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.authorship import is_ours
from undisclosed.core.body import Body, read_body, visible_text
from undisclosed.core.documents import Reader
from undisclosed.core.encoded_words import field_text
from undisclosed.core.gathered import Documents
from undisclosed.core.header import (
    READ_IN_ANY_CASE,
    Cut,
    HeaderBlock,
    field_name,
    may_hide_at_sign,
    split_content,
)
from undisclosed.core.media_types import media_type_of
from undisclosed.core.mime import TextPart
from undisclosed.core.notes import Channels, Notes
from undisclosed.core.own_fields import OWN_FIELDS
from undisclosed.core.policy import Policy
from undisclosed.core.recall import CLASS_FIELDS, is_recall_class
from undisclosed.core.shown import name_and_channel
from undisclosed.core.shown.authors import first_mailbox
from undisclosed.core.shown.channel import FieldChannel, Role, usual_spelling
from undisclosed.core.shown.lists import are_offices
from undisclosed.core.verdict import Removal


@dataclass(frozen=True, slots=True)
class Content:
    """Everything the bytes of a message say, whoever receives it.

    The four maps have people as keys and as values the channels that show them, in
    the order of reading. One person may stand in several maps.

    ``in_header``: shown by a field of the header block: destination fields, further
    authors, Reply-To, fields that gateways left, any other field; or by a protected
    one, which a mail reader shows instead.
    ``in_removed``: named by the fields in ``removals``. They are not shown to anybody,
    as long as those fields are cut before the mail leaves.
    ``in_text``: shown in body text or HTML body.
    ``in_forwarded``: shown in forwarded or quoted header blocks in the body, and in
    the header blocks of attached messages.
    ``author`` is the first address of the first From, ``sender`` the first of Sender;
    neither is in any of the maps (design: they are not counted as shown).
    ``destinations`` are the people of the destination fields (To, Cc, Bcc and the
    Resent- ones), Bcc among them, each once, in the order of reading.
    ``recall`` is true of Outlook's recall object; a recall's prefix in the subject is
    left to ``core.recall``: without an earlier mail it says nothing.
    ``subject`` is decoded. ``visible_text``, too: it is the start of the visible body
    (at most 64 Ki characters), enough to compare two mails; it is read from
    ``text_parts`` each time it is asked for, because few mails need it.
    ``removals`` are the fields that must not travel, ascending by place.
    ``uncertain`` names what could not be read, in one sentence each, without an
    address; ``unread_parts`` are the media types of attachments that nothing here
    reads (a picture, what is encrypted); ``body_uncertain`` is the body's share of
    ``uncertain``.
    ``header`` is where each field lies in the content.
    ``in_protected``: those of ``in_header`` whom protected header fields name (RFC
    9788), or the fields of a message that S/MIME wraps.
    ``recipient_ids`` counts the distinct recipients that encryption names (OpenPGP key
    ids, CMS recipients), ``key_ids`` are they; ``editable`` are the parts that private
    copies may have to change for them, or for a calendar. ``needs_reader``: a document
    in it was not read for want of a reader; ``documents`` are those that were read.
    ``own_fields`` are the fields in which tokens of ours travel, lower-case name and
    raw body; they stand in ``removals``, too.
    """

    in_header: Channels = field(repr=False)
    in_removed: Channels = field(repr=False)
    in_text: Channels = field(repr=False)
    in_forwarded: Channels = field(repr=False)
    author: Address | None
    sender: Address | None
    destinations: tuple[Address, ...] = field(repr=False)
    subject: str = field(repr=False)
    removals: tuple[Removal, ...]
    uncertain: tuple[str, ...]
    auto_submitted: bool
    recall: bool
    header: HeaderBlock = field(repr=False)
    text_parts: tuple[TextPart, ...] = field(default=(), repr=False)
    unread_parts: tuple[str, ...] = ()
    body_uncertain: tuple[str, ...] = ()
    in_protected: Channels = field(default_factory=dict, repr=False)
    recipient_ids: int = 0
    needs_reader: bool = False
    key_ids: frozenset[str] = frozenset()
    editable: tuple[TextPart, ...] = field(default=(), repr=False)
    documents: Documents = field(default_factory=dict, repr=False)
    own_fields: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)

    @property
    def visible_text(self) -> str:
        """What a reader would see of the body: plain text, else HTML without tags."""
        return visible_text(self.text_parts)

    @property
    def shown(self) -> Channels:
        """Everybody that a viewer could read, with every channel that shows them.

        The union of header, text and forwarded; what is removed is not shown.
        """
        union = dict(self.in_header)
        for more in (self.in_text, self.in_forwarded):
            for address, channels in more.items():
                union[address] = union.get(address, ()) + channels
        return union


MOST_ENCODED_WORDS = 300_000
"""Encoded words (RFC 2047) of one field that are read: three for each person."""

MOST_BARE_IDENTIFIERS = 5
"""Fields that may hold an identifier without its brackets, as some programs write."""

_LONG_HEADER = "Its header is longer than is read."
_MANY_IDENTIFIERS = "It repeats a field of identifiers, which may be addresses."


@dataclass(slots=True)
class _Fields:
    """What the fields of one header block say, before it is known who wrote it."""

    named: list[tuple[FieldChannel, list[Address], str, Cut]] = field(
        default_factory=list
    )
    author: Address | None = None
    sender: Address | None = None
    returns_to: Address | None = None
    subject: str = ""
    auto_submitted: bool = False
    recall: bool = False
    bare_identifiers: int = 0
    own: list[Cut] = field(default_factory=list)

    @property
    def own_side(self) -> frozenset[Address | None]:
        """Who sent the message: they are not shown to anybody."""
        return frozenset((self.author, self.sender, self.returns_to))


class FieldsBefore:
    """Fields of a mail that its copies have as they are: each is read once.

    What a field says hangs on its name and its bytes alone, so that reading it again
    would find the same.
    """

    def __init__(self, header: HeaderBlock) -> None:
        self._read: dict[tuple[bytes, bytes], tuple[str, list[Address]] | None]
        self._read = {(raw_name, body): None for raw_name, body, *_ in header.cuts}

    def read(
        self, raw_name: bytes, body: bytes, channel: FieldChannel, notes: Notes
    ) -> tuple[str, list[Address]]:
        """The field's decoded text and the addresses in it; not to be changed."""
        key = raw_name, body
        found = self._read.get(key)
        if found is None:
            text, addresses = _read_field(body, channel, notes)
            # What a limit has cut short is another field's another time.
            if key in self._read and not notes.uncertain:
                self._read[key] = text, addresses
            return text, addresses
        text, addresses = found
        left = notes.within_limit(text)
        return found if left is text else (left, channel.read(left))


def _read_field(
    body: bytes, channel: FieldChannel, notes: Notes
) -> tuple[str, list[Address]]:
    text = notes.within_limit(field_text(body))
    return text, channel.read(text)


def read_content(
    content: bytes,
    policy: Policy,
    *,
    body: Content | None = None,
    reader: Reader | None = None,
    fields_before: FieldsBefore | None = None,
) -> Content:
    """Read a message: whom its bytes show, through which channels. Never raises.

    With ``body``, a Content of the same body under another header block, only the
    header block is read; with ``fields_before``, of that what is new in it. More than
    ``policy.max_shown`` people are not read: that is said in ``uncertain``.
    """
    header = split_content(content)
    notes = Notes(policy.max_shown)
    fields = _read_fields(header, notes, fields_before)
    notes.own_side = fields.own_side
    if header.is_cut:
        notes.doubt(_LONG_HEADER)
    if fields.bare_identifiers > MOST_BARE_IDENTIFIERS:
        notes.doubt(_MANY_IDENTIFIERS)
    in_header: Channels = {}
    in_removed: Channels = {}
    destinations: dict[Address, None] = {}
    removals: list[Removal] = []
    is_own = is_ours(fields.author or fields.sender, policy)
    offices_only = are_offices(
        addresses
        for channel, addresses, *_ in fields.named
        if channel.role is Role.OFFICE
    )
    for channel, addresses, text, (_, _, start, end) in fields.named:
        if channel.role is Role.OFFICE and offices_only:
            continue
        if channel.role is Role.DESTINATION:
            destinations.update(dict.fromkeys(addresses))
        if is_own and _has_to_go(channel, addresses, text, notes.own_side):
            removals.append(Removal(channel.label, start, end))
            notes.note(in_removed, addresses, channel.label)
        else:
            notes.note(in_header, addresses, channel.label)
    removals += [
        Removal(usual_spelling(field_name(name)), start, end)
        for name, _, start, end in fields.own
    ]
    read = _body_of(body) if body else read_body(content, header, notes, reader)
    for address, protected in read.in_protected.items():
        in_header[address] = in_header.get(address, ()) + protected
    return Content(
        in_header=in_header,
        in_removed=in_removed,
        in_text=read.in_text,
        in_forwarded=read.in_forwarded,
        author=fields.author,
        sender=fields.sender,
        destinations=tuple(destinations),
        subject=fields.subject,
        removals=tuple(sorted(removals, key=lambda one: one.start)),
        uncertain=tuple(dict.fromkeys((*notes.uncertain, *read.uncertain))),
        auto_submitted=fields.auto_submitted,
        recall=fields.recall or read.recall,
        header=header,
        text_parts=read.text_parts,
        unread_parts=read.unread_parts,
        body_uncertain=read.uncertain,
        in_protected=read.in_protected,
        recipient_ids=len(read.key_ids),
        needs_reader=read.needs_reader,
        key_ids=read.key_ids,
        editable=read.editable,
        documents=read.documents,
        own_fields=tuple((field_name(name), body) for name, body, *_ in fields.own),
    )


def _body_of(content: Content) -> Body:
    return Body(
        content.in_text,
        content.in_forwarded,
        content.text_parts,
        content.unread_parts,
        content.body_uncertain,
        content.recall,
        content.in_protected,
        content.key_ids,
        content.needs_reader,
        content.editable,
        content.documents,
    )


def _read_fields(
    header: HeaderBlock, notes: Notes, before: FieldsBefore | None
) -> _Fields:
    fields = _Fields()
    may_hide = header.may_hide
    for cut in header.cuts:
        body = cut[1]
        name, channel = name_and_channel(cut[0])
        if name in _TOLD:
            _be_told(name, body, fields)
        elif name in OWN_FIELDS:
            fields.own.append(cut)
            continue
        if channel is None or not (
            b"@" in body
            or channel.is_removable
            or channel.is_coded
            or (may_hide and may_hide_at_sign(body))
        ):
            continue
        if body.count(b"=?") > MOST_ENCODED_WORDS:
            notes.doubt(_LONG_HEADER)
            body = body[:READ_IN_ANY_CASE]
        text, addresses = (
            before.read(cut[0], body, channel, notes)
            if before is not None
            else _read_field(body, channel, notes)
        )
        if channel.role is Role.IDENTIFIER and not addresses and "<" not in text:
            fields.bare_identifiers += 1
        if addresses and channel.role in _OWN_SIDE:
            _note_own_side(channel.role, first_mailbox(text, addresses), fields)
        if addresses or channel.is_removable:
            fields.named.append((channel, addresses, text, cut))
    return fields


_OWN_SIDE = (Role.AUTHOR, Role.SENDER, Role.RETURN)
_TOLD = frozenset({"subject", "auto-submitted", "content-type", *CLASS_FIELDS})


def _note_own_side(role: Role, first: Address | None, fields: _Fields) -> None:
    if role is Role.AUTHOR:
        fields.author = fields.author or first
    elif role is Role.SENDER:
        fields.sender = fields.sender or first
    else:
        fields.returns_to = fields.returns_to or first


def _be_told(name: str, body: bytes, fields: _Fields) -> None:
    """Read a field that says what kind of message it is."""
    if name == "subject":
        fields.subject = fields.subject or field_text(body)
    elif name == "auto-submitted":
        fields.auto_submitted |= not body.strip().lower().startswith(b"no")
    elif name == "content-type":
        fields.auto_submitted |= media_type_of(body) == "multipart/report"
    else:
        fields.recall |= is_recall_class(field_text(body))


def _has_to_go(
    channel: FieldChannel,
    addresses: list[Address],
    text: str,
    own_side: frozenset[Address | None],
) -> bool:
    """Whether the field must not travel: it names others than who sent the message.

    A Bcc field goes even where it only holds names (RFC 5322 §3.6.3).
    """
    if not channel.is_removable:
        return False
    if channel.role is Role.DESTINATION:
        return bool(text)
    return any(address not in own_side for address in addresses)
