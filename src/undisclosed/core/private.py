# SPDX-License-Identifier: Apache-2.0
"""Private copies: what one recipient may read of a mail, as byte edits.

The header block changes, byte by byte, and of the body the calendars and what is
encrypted (``core.body_edits``); nothing is serialised anew. In a copy the recipient
stands in To, with the display name as it was written; every other outsider is gone
from every field, insiders stay. Message-ID, Date, From and the text are those of the
original, so that replies and threads still fit.
"""

import re
from dataclasses import replace

from undisclosed.core.address import Address
from undisclosed.core.copies import BODY, Copies, is_never_edited
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.gathered import ReadBefore
from undisclosed.core.judge import judge
from undisclosed.core.known import NOTHING_KNOWN
from undisclosed.core.mail import Mail, Recipient
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.patch import Edit, Patch
from undisclosed.core.policy import Policy
from undisclosed.core.quiet_fields import QUIET, People, named_quietly
from undisclosed.core.reading import FieldsBefore, read_content
from undisclosed.core.rules.channels import channels
from undisclosed.core.shown.attached_messages import OUTLOOK, OUTLOOK_TEXTS
from undisclosed.core.shown.calendars import is_of_people
from undisclosed.core.verdict import Action

MOST_READ_AGAIN = 1024 * 1024 * 1024
"""Bytes of copies whose body changes, all together: each of them is read whole."""

MOST_SEPARATORS = 500_000
"""Commas, semicolons and colons in a header that is edited for each recipient."""

__all__ = [
    "Edit",
    "Patch",
    "insiders_copy",
    "private_copy",
    "read_copy",
    "why_not_singly",
]


def private_copy(
    content: bytes, reading: Reading, recipient: Address, policy: Policy
) -> Patch:
    """The edits that make one recipient's copy out of the content.

    ``reading`` is that of this content; what all its copies have in common is kept
    with it, so that the second copy costs little.
    """
    return _copies(content, reading, policy).of(recipient)


def insiders_copy(content: bytes, reading: Reading, policy: Policy) -> Patch:
    """The edits of the one copy that insiders share: only what must not travel."""
    return Patch(tuple(Edit(one.start, one.end) for one in reading.content.removals))


def read_copy(
    mail: Mail, reading: Reading, patch: Patch, recipient: Recipient, policy: Policy
) -> Reading:
    """A private copy as its recipient would read it.

    Where its body is that of the mail, only the header block is copied, edited and
    read, whatever the size of the body, and of it the fields that the patch touches:
    bytes that are the same say the same. Else the copy is read whole.
    """
    envelope = replace(mail.envelope, recipients=(recipient,))
    before = reading.content
    if _changes_body(patch, reading):
        whole = patch.apply(mail.content)
        reader = None if before.needs_reader else ReadBefore(before.documents)
        content = read_content(whole, policy, reader=reader)
        return read(Mail(envelope, whole), policy, content=content)
    header = patch.apply(mail.content[: before.header.body_start])
    fields = _fields_before(reading)
    content = read_content(header, policy, body=before, fields_before=fields)
    return read(Mail(envelope, header), policy, content=content, sides=reading.sides)


def _changes_body(patch: Patch, reading: Reading) -> bool:
    last = patch.edits[-1] if patch.edits else Edit(0, 0)
    return last.start >= reading.content.header.body_start and last != Edit(0, 0)


def why_not_singly(mail: Mail, reading: Reading, policy: Policy) -> str | None:
    """Why *send singly* would not help, in one sentence without an address.

    None: every private copy, read again and judged alone, would be accepted. A body
    or attachment that carries others' addresses is not cured by splitting.
    """
    reason = _why_no_copy(mail, reading)
    if reason is not None:
        return reason
    copies = _copies(mail.content, reading, policy)
    changed: set[str] = set()
    signed = _signed_fields(reading)
    left = MOST_READ_AGAIN
    for recipient in _outsiders(mail, reading):
        patch = copies.of(recipient.address)
        left -= len(mail.content) if _changes_body(patch, reading) else 0
        if left < 0:
            return "The body is too long to be changed for each recipient."
        copy = read_copy(mail, reading, patch, recipient, policy)
        reason = _objection(copy, recipient.address, policy)
        if reason is not None:
            return reason
        if signed:
            changed |= signed & copies.changed_fields(patch)
    if changed and not policy.signatures.may_break(reading.content.author):
        named = ", ".join(name.title() for name in sorted(changed))
        return f"A DKIM signature covers fields that each copy would change ({named})."
    return None


def _copies(content: bytes, reading: Reading, policy: Policy) -> Copies:
    prepared = reading.prepared.get("copies")
    if not isinstance(prepared, Copies):
        prepared = reading.prepared["copies"] = Copies(content, reading, policy)
    return prepared


def _fields_before(reading: Reading) -> FieldsBefore:
    prepared = reading.prepared.get("fields")
    if not isinstance(prepared, FieldsBefore):
        prepared = FieldsBefore(reading.content.header)
        reading.prepared["fields"] = prepared
    return prepared


def _outsiders(mail: Mail, reading: Reading) -> tuple[Recipient, ...]:
    once = {one.address: one for one in reversed(mail.envelope.recipients)}
    return tuple(one for one in once.values() if one.address in reading.outside_viewers)


def _why_no_copy(mail: Mail, reading: Reading) -> str | None:
    """What stands against any copy, before one is made."""
    end = reading.content.header.body_start
    lists, is_outsider = reading.lists, reading.sides.is_outsider
    for address in mail.envelope.rcpt_tos:
        if address in lists and any(map(is_outsider, lists[address].members)):
            return (
                "A recipient is a list with members outside, who cannot be separated."
            )
    if reading.content.header.is_broken:
        return (
            "The header holds a line that is no field: some readers would show "
            "what follows it as text."
        )
    separators = sum(mail.content.count(one, 0, end) for one in (b",", b";", b":"))
    if separators > MOST_SEPARATORS:
        return "The header is too long to be edited for each recipient."
    people = People(reading.outside_viewers | reading.outsiders_shown)
    kept = [one for one in reading.content.header.fields if is_never_edited(one.name)]
    named = named_quietly(kept, people, QUIET)
    if named:
        return f"Each copy would still show other people ({channels(named, named)})."
    if reading.content.uncertain:
        return f"The mail could not be read whole: {reading.content.uncertain[0]}"
    return None


def _objection(copy: Reading, recipient: Address, policy: Policy) -> str | None:
    """What still stands against one copy, or None."""
    others = copy.outsiders_shown - {recipient}
    # An odd address reads as several people, who are all this recipient.
    if others and not others.issubset(mailboxes(recipient.spelled_out())):
        where = channels(copy.content.in_header, others)
        return f"Each copy would still show other people ({where})."
    reason = _still_in_body(copy, recipient, policy)
    if reason is not None:
        return reason
    if copy.content.uncertain:
        return f"A copy could not be read whole: {copy.content.uncertain[0]}"
    verdict = judge(copy, NOTHING_KNOWN, policy)
    if verdict.action is not Action.ACCEPT:
        return f"Each copy would still be held: {verdict.findings[0].text}"
    return None


def _still_in_body(copy: Reading, recipient: Address, policy: Policy) -> str | None:
    """Who else is invited, or encrypted for: parts that no copy may carry whole."""
    content, is_outsider = copy.content, copy.sides.is_outsider
    own = (recipient, content.author, content.sender)
    invited = {
        person: kept
        for shown in (content.in_text, content.in_forwarded)
        for person, where in shown.items()
        if person not in own
        and is_outsider(person)
        and (kept := tuple(filter(_is_a_copys_own, where)))
    }
    if invited:
        where = channels(invited, invited)
        return f"Each copy would still show other people ({where})."
    if len(content.key_ids) > 1:
        owners = [policy.owner_of(one) for one in content.key_ids]
        if any(one is None or (one not in own and is_outsider(one)) for one in owners):
            return "Each copy would still name the keys of other recipients."
    return None


def _is_a_copys_own(channel: str) -> bool:
    """Whether a channel of the body may name nobody but the copy's own recipient."""
    is_outlook = channel.startswith(OUTLOOK) and channel not in OUTLOOK_TEXTS
    return is_outlook or is_of_people(channel)


# RFC 6376 §3.5: tags are parted by semicolons, the names of h= by colons.
_SIGNED = re.compile(rb"(?:^|;)\s*h\s*=([^;]*)")


def _signed_fields(reading: Reading) -> frozenset[str]:
    """The names of the fields that a DKIM signature covers (RFC 6376 §3.5, h=).

    The body is covered by each.
    """
    signed: set[str] = set()
    for one in reading.content.header.fields:
        found = _SIGNED.search(one.body) if one.name == "dkim-signature" else None
        if found:
            signed.add(BODY)
            names = found[1].decode("ascii", "ignore").lower().split(":")
            signed.update("".join(name.split()) for name in names)
    return frozenset(signed)
