# SPDX-License-Identifier: Apache-2.0
"""The last check before a message leaves: nobody else stands in its bytes.

It looks at the bytes that go over the wire, beside the socket, and does not trust
whoever made them: every address in them is this person's, the sender's, or stands in
the constant text of the approved template. Anything else stops the campaign, an at
sign that no reading makes an address of among it.
"""

import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from undisclosed.core.address import Address
from undisclosed.core.charsets import decode
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.part_text import bytes_of
from undisclosed.core.policy import Policy
from undisclosed.core.reading import Content, read_content
from undisclosed.core.text import addresses_in_text
from undisclosed.errors import UndisclosedError
from undisclosed.send.at_signs import constant_signs, has_unexplained_sign

_ENTITY = re.compile(
    rb"&(?:amp;)*(?:#0*(?:64|65312|65131)(?!\d)|#x0*(?:40|ff20|fe6b)(?![0-9a-f])|commat)",
    re.IGNORECASE,
)
_PERCENT = re.compile(rb"%(?:25)*(?:40|EF%(?:25)*B[C9]%(?:25)*A[0B])", re.IGNORECASE)
_FULL_WIDTH = "\uff20".encode()  # an at sign as it is written among Chinese letters
_SMALL = "\ufe6b".encode()
_NO_LOCAL_PART = b' \t\n\r\f\v<>()[]",;:\\@'
_TO_SPACES = bytes.maketrans(_NO_LOCAL_PART, b" " * len(_NO_LOCAL_PART))
_LONGEST_LOCAL_PART = 256
_DOMAIN = re.compile(rb"[A-Za-z0-9.-]{1,255}")
_SOFT_BREAK = re.compile(rb"=[ \t]*\r?\n")
_FOLD = re.compile(r"\r\n(?=[ \t])")
_WORD = re.compile(rb"=\?utf-8\?B\?([A-Za-z0-9+/]*={0,2})\?=(?:\r\n (?==\?))?")
# Our own, a token of 26 characters: nobody's address is spelled like that by us.
_MESSAGE_ID = re.compile(rb"\r\nMessage-ID: <[a-z2-7]{26}@[a-z0-9.-]+>(?=\r\n)")
_FIELD_NAME = re.compile(rb"\n([^ \t\r\n][^:\r\n]*)")
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
    """Whose addresses may stand in every message of a campaign, and how spelled.

    ``signs`` are the at signs of the constant text, each with the words around it.
    """

    people: frozenset[Address] = field(repr=False)
    signs: frozenset[str] = field(default=frozenset(), repr=False)
    spellings: frozenset[bytes] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Spell them once, and not for each message."""
        object.__setattr__(self, "spellings", frozenset(map(_spelling, self.people)))

    @classmethod
    def of(cls, senders: Iterable[Address], constant_texts: Iterable[str]) -> "Allowed":
        """The sender's own addresses, and those in the template's constant text."""
        texts = tuple(constant_texts)
        named = [one for text in texts for one in addresses_in_text(text)]
        return cls(frozenset((*senders, *named)), constant_signs(texts))


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
    header, _, body = wire.partition(_END_OF_HEADER)
    if not _has_usual_fields(header):
        raise SomebodyElse("a field that is not ours")
    spellings = allowed.spellings | {_spelling(recipient)}
    if not _has_only(header, body, spellings):
        people = allowed.people | {recipient}
        content = _read_whole(wire, recipient, people)
        for text in _texts(header, content):
            if has_unexplained_sign(text, people, allowed.signs):
                raise SomebodyElse("an at sign in no address that is allowed")


def _spelling(address: Address) -> bytes:
    return address.spelled_out().encode("utf-8", "surrogatepass").lower()


def _has_only(header: bytes, body: bytes, spellings: frozenset[bytes]) -> bool:
    """Whether every at sign, in whatever spelling, plainly is in one of these."""
    if b"base64" in body or _has_encoded_word(body):
        return False
    if _has_encoded_word(header):
        words = b"".join(map(binascii.a2b_base64, _WORD.findall(header)))
        header = _WORD.sub(b"", header)
        if _has_encoded_word(header) or not _all_are(words, spellings):
            return False
    header = _MESSAGE_ID.sub(b"", header, count=1)
    return _all_are(header, spellings) and _all_are(_decoded(body), spellings)


def _all_are(text: bytes, spellings: frozenset[bytes]) -> bool:
    """Whether every at sign of a text is a plain one, in one of these addresses."""
    if _has_other_sign(text):
        return False
    at = text.find(b"@")
    while at >= 0:
        if _around(text, at) not in spellings:
            return False
        at = text.find(b"@", at + 1)
    return True


# One sign is looked for much quicker than two, and mostly is not there.
def _has_other_sign(text: bytes) -> bool:
    """Whether an at sign stands in a text in another spelling."""
    if b"%" in text and _PERCENT.search(text) is not None:
        return True
    if b"&" in text and _ENTITY.search(text) is not None:
        return True
    return not text.isascii() and (_FULL_WIDTH in text or _SMALL in text)


def _has_encoded_word(text: bytes) -> bool:
    return b"?" in text and b"=?" in text


def _has_usual_fields(header: bytes) -> bool:
    """Whether the header has the fields that our messages have, each once."""
    if header[:1].isspace():
        return False  # whoever takes this for the header's end reads it as text
    names = _FIELD_NAME.findall(b"\n" + header)
    return len(names) == len(set(names)) and _USUAL.issuperset(names)


def _around(text: bytes, at: int) -> bytes:
    """The address around an at sign, lower-case."""
    before = text[max(0, at - _LONGEST_LOCAL_PART) : at].translate(_TO_SPACES)
    local_part, domain = before.rpartition(b" ")[2], _DOMAIN.match(text, at + 1)
    if not local_part or domain is None:
        return b""
    behind = text[domain.end() : domain.end() + 1]
    if behind == b"_" or behind > b"\x7f":
        return b""  # the domain goes on
    return (local_part + b"@" + domain[0].rstrip(b".-")).lower()


def _decoded(body: bytes) -> bytes:
    """The body with quoted-printable undone; what is plain stays as it is."""
    if b"quoted-printable" not in body:
        return body
    return binascii.a2b_qp(_SOFT_BREAK.sub(b"", body)) + b"\n" + body


def _read_whole(wire: bytes, recipient: Address, people: frozenset[Address]) -> Content:
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
    return content


def _texts(header: bytes, content: Content) -> Iterator[str]:
    """The header and the texts of a message, decoded."""
    words = _WORD.sub(lambda word: binascii.a2b_base64(word[1]), header)
    words = _MESSAGE_ID.sub(b"", words, count=1)
    yield _FOLD.sub("", words.decode("utf-8", "replace"))
    encoded = {one.start for one in content.text_parts if one.encoding}
    for part in content.text_parts:
        # The guard reads an encoded part as it stands, too, which no mail reader does.
        if part.encoding or part.start not in encoded:
            yield decode(bytes_of(part), part.charset)


def _is_clean(content: Content) -> bool:
    """Whether nothing is left that must be cut, or that could not be read."""
    return not (content.removals or content.uncertain or content.in_removed)
