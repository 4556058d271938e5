# SPDX-License-Identifier: Apache-2.0
"""The last check before a message leaves: nobody else stands in its bytes.

It looks at the bytes that go over the wire, beside the socket, and does not trust
whoever made them: every address in them is this person's, the sender's, or stands in
the constant text of the approved template. Anything else stops the campaign.
"""

import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.policy import Policy
from undisclosed.core.reading import Content, read_content
from undisclosed.core.text import addresses_in_text
from undisclosed.errors import UndisclosedError

_SIGN = re.compile(rb"@|%40|&#(?:0*64|x0*40);|&commat;|\xef\xbc\xa0", re.IGNORECASE)
_LOCAL = re.compile(rb"[^\s<>()\[\]\",;:\\@=]{1,256}\Z")
_DOMAIN = re.compile(rb"[A-Za-z0-9.-]{1,255}")
_SOFT_BREAK = re.compile(rb"=[ \t]*\r?\n")
_WORD = re.compile(rb"=\?utf-8\?B\?([A-Za-z0-9+/]*={0,2})\?=(?:\r\n (?==\?))?")
# Our own, a token of 26 characters: nobody's address is spelled like that by us.
_MESSAGE_ID = re.compile(rb"\r\nMessage-ID: <[a-z2-7]{26}@[a-z0-9.-]+>(?=\r\n)")
_FIELD_NAME = re.compile(rb"^([^ \t\r\n][^:\r\n]*)", re.MULTILINE)
_USUAL = frozenset(
    b"From To Subject Date Message-ID Reply-To List-Unsubscribe List-Unsubscribe-Post"
    b" Feedback-ID Auto-Submitted MIME-Version Content-Type DKIM-Signature".split()
)
_END_OF_HEADER = b"\r\n\r\n"
_WHOLE: Policy = Policy()


class SomebodyElse(UndisclosedError):
    """A message holds an address that is neither this person's nor the template's.

    The campaign is stopped: nothing more leaves until a person has looked at it.
    """

    def __init__(self, channel: str) -> None:
        super().__init__(f"A message would show somebody else's address ({channel}).")
        self.channel = channel


@dataclass(frozen=True, slots=True)
class Allowed:
    """Whose addresses may stand in every message of a campaign."""

    people: frozenset[Address] = field(repr=False)

    @classmethod
    def of(cls, senders: Iterable[Address], constant_texts: Iterable[str]) -> "Allowed":
        """The sender's own addresses, and those in the template's constant text."""
        named = [one for text in constant_texts for one in addresses_in_text(text)]
        return cls(frozenset((*senders, *named)))


def check_wire(
    wire: bytes, recipient: Address, allowed: Allowed, parts: Sequence[bytes] = ()
) -> None:
    """Look at one message as it leaves. Raises SomebodyElse.

    What plainly is one of the allowed addresses passes at once; anything doubtful is
    read as the guard reads mail, every encoding and every part of it. ``parts`` are
    the attachments that were approved for this recipient, encoded as they travel:
    they were looked at before, and nothing but exactly these bytes is passed over.
    """
    for part in parts:
        wire = wire.replace(part, b"", 1)
    if not _has_usual_fields(wire.partition(_END_OF_HEADER)[0]):
        raise SomebodyElse("a field that is not ours")
    people = allowed.people | {recipient}
    if not _has_only(wire, _plain_spellings(people)):
        _read_whole(wire, recipient, people)


def _plain_spellings(people: Iterable[Address]) -> frozenset[bytes]:
    return frozenset(
        one.spelled_out().encode("utf-8", "surrogatepass").lower() for one in people
    )


def _has_only(wire: bytes, spellings: frozenset[bytes]) -> bool:
    """Whether every at sign, in whatever spelling, plainly is in one of these."""
    header, _, body = wire.partition(_END_OF_HEADER)
    if b"base64" in body or b"=?" in body:
        return False
    words = b"".join(map(binascii.a2b_base64, _WORD.findall(header)))
    header = _MESSAGE_ID.sub(b"", _WORD.sub(b"", header), count=1)
    if b"=?" in header:
        return False
    for text in (header, words, _decoded(body)):
        for sign in _SIGN.finditer(text):
            if sign[0] != b"@" or _around(text, sign.start()) not in spellings:
                return False
    return True


def _has_usual_fields(header: bytes) -> bool:
    """Whether the header has the fields that our messages have, each once."""
    names = _FIELD_NAME.findall(header)
    return len(names) == len(set(names)) and _USUAL.issuperset(names)


def _around(text: bytes, at: int) -> bytes:
    """The address around an at sign, lower-case."""
    local = _LOCAL.search(text, max(0, at - 256), at)
    domain = _DOMAIN.match(text, at + 1)
    if local is None or domain is None:
        return b""
    return (local[0] + b"@" + domain[0].rstrip(b".-")).lower()


def _decoded(body: bytes) -> bytes:
    """The body with quoted-printable undone; what is plain stays as it is."""
    if b"quoted-printable" not in body:
        return body
    return binascii.a2b_qp(_SOFT_BREAK.sub(b"", body)) + b"\n" + body


def _read_whole(wire: bytes, recipient: Address, people: frozenset[Address]) -> None:
    content = read_content(wire, _WHOLE)
    own = people | frozenset(mailboxes(recipient.spelled_out()))
    for address, channels in content.shown.items():
        if address not in own:
            raise SomebodyElse(channels[0])
    if content.destinations != (recipient,) or not _is_clean(content):
        raise SomebodyElse("To")
    for author in (content.author, content.sender):
        if author is not None and author not in people:
            raise SomebodyElse("From")


def _is_clean(content: Content) -> bool:
    """Whether nothing is left that must be cut, or that could not be read."""
    return not (content.removals or content.uncertain or content.in_removed)
