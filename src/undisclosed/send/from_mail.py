# SPDX-License-Identifier: Apache-2.0
"""A mail that somebody wrote becomes a draft: its text, its files, who writes.

What a template cannot take over is named, so that nobody sends less than they wrote
without knowing: pictures in the text, formatting, links behind words, attached
messages, invitations, what is encrypted. Whatever looks like a field, a condition or
Markdown in the mail stays the sign that it was.

Elsewhere every reading of a mail counts, since one of them may show somebody. Here one
is wanted, as mail readers have it: the standard library's, which decides nothing, and
whose draft people read before anything leaves.
"""

import mimetypes
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from email.utils import getaddresses
from typing import Final

from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.campaign import Attached, Draft
from undisclosed.core.encoded_words import decode_words
from undisclosed.core.header import HeaderBlock, split_content
from undisclosed.core.text import html_visible_text

_PLAIN, _PAGE = "text/plain", "text/html"
_MESSAGES: Final = ("message/rfc822", "message/global", "message/partial")
_NOT_TAKEN: Final = {
    "attached messages": _MESSAGES,
    "an invitation": ("text/calendar",),
    "what is encrypted or signed": (
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/pgp-encrypted",
        "application/pkcs7-signature",
        "application/pgp-signature",
    ),
}
"""What cannot be in a template, and by which media types it is known."""

_NAMED_IN: Final = ("from", "to", "cc", "bcc", "reply-to")
_LONGEST_FIELD: Final = 200_000  # octets of fields whose display names are read
_LONGEST_TEXT: Final = 200_000
_SHORT_LINE: Final = 60  # a line that is shorter was ended on purpose
_SPECIAL: Final = re.compile(r"([\\`*\[\]<|{}]|(?<!\w)_|_(?!\w)|(?<=\{)[%#])")
_BEGINS_ITEM: Final = re.compile(r"\s*- \w")
_ENTITY: Final = re.compile(r"&(?=#?\w+;)")
_AT_BEGIN: Final = re.compile(r"^(\d*)([#=~>+.)-])")
_BULLET: Final = re.compile(r"^\\- (?=\w)")
_TAG_BEGINS: Final = re.compile(r"\{([{%#])")
_BLOCK_ENDS: Final = re.compile(r"(?i)<(?:br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>")
_ITEM: Final = re.compile(r"(?i)<li\b[^>]*>")
_LINK: Final = re.compile(r"(?i)<a\b[^>]*\bhref\b")
_MANY_LINES: Final = re.compile(r"\n\s*\n\s*")


@dataclass(frozen=True, slots=True)
class FromMail:
    """A draft made of a mail, and sentences about what of the mail is not in it.

    ``names`` are the display names that the mail had for people, by ``person``.
    """

    draft: Draft = field(repr=False)
    left_out: tuple[str, ...]
    names: Mapping[str, str] = field(repr=False)


def from_mail(raw: bytes, subject: str, author: Address) -> FromMail:
    """The mail as a draft. ``subject`` and ``author`` are as they were read."""
    header, parts = split_content(raw), _parts(message_from_bytes(raw))
    texts = [one for one in parts if not one.is_file]
    names = dict(_names(header))
    draft = Draft(
        subject=_subject(subject),
        markdown=markdown_of(_text(texts)),
        author=author,
        author_name=names.get(author.person, ""),
        reply_to=_reply_to(header, author),
        attachments=tuple(_files(parts)),
    )
    return FromMail(draft, tuple(_left_out(parts, draft)), names)


@dataclass(frozen=True, slots=True)
class _Part:
    """A leaf of a message. ``is_file``: mail readers offer it to be saved."""

    media_type: str
    octets: bytes
    charset: str
    name: str
    is_file: bool

    @property
    def text(self) -> str:
        """Its octets as text; a charset that nobody knows is read as UTF-8."""
        octets = self.octets[: 4 * _LONGEST_TEXT]
        try:
            return octets.decode(self.charset or "utf-8", "replace")
        except LookupError:
            return octets.decode("utf-8", "replace")


def _parts(message: "Message[str, str]") -> list[_Part]:
    """The leaves of a message; an attached message is one."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        inner = message.get_payload()
        return [
            leaf for one in inner if isinstance(one, Message) for leaf in _parts(one)
        ]
    return [_leaf(message)]


def _leaf(message: "Message[str, str]") -> _Part:
    media_type = message.get_content_type()
    octets = b"" if message.is_multipart() else message.get_payload(decode=True)
    named = _asked(message.get_filename)
    name = " ".join(decode_words(named).split())
    is_shown = media_type in (_PLAIN, _PAGE) or media_type.startswith("image/")
    return _Part(
        media_type,
        octets if isinstance(octets, bytes) else b"",
        _asked(message.get_content_charset),
        name,
        _asked(message.get_content_disposition) == "attachment"
        or (bool(name) and not is_shown),
    )


def _asked(ask: Callable[[], str | None]) -> str:
    """What the standard library says of a part; nothing where it cannot read it."""
    try:
        return ask() or ""
    except (ValueError, LookupError, TypeError, AttributeError):
        return ""


def markdown_of(text: str) -> str:
    """Plain text as Markdown and template that say exactly that, line by line.

    Lines that begin with a dash stay a list; nothing else of it means anything, and
    numbers at the beginning of lines stay those that were written.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n")[:_LONGEST_TEXT].split("\n")
    written = [_line(one) for one in lines]
    for number, line in enumerate(lines[:-1]):
        after = lines[number + 1]
        is_ended = line.strip() and after.strip() and not _BEGINS_ITEM.match(after)
        if is_ended and len(line) < _SHORT_LINE:
            written[number] += "\\"
    return "\n".join(written).strip() + "\n"


def _line(line: str) -> str:
    plain = _ENTITY.sub(r"\\&", _SPECIAL.sub(r"\\\1", line.strip()))
    return _BULLET.sub("- ", _AT_BEGIN.sub(r"\1\\\2", plain))


def _subject(subject: str) -> str:
    """A subject has no Markdown: what would begin a field stands as raw text."""
    one_line = " ".join(subject.split())
    return _TAG_BEGINS.sub(r"{% raw %}{\1{% endraw %}", one_line)


def _text(texts: Sequence[_Part]) -> str:
    plain = "\n\n".join(one.text for one in texts if one.media_type == _PLAIN)
    if plain.strip():
        return plain
    return "\n\n".join(_words(one.text) for one in texts if one.media_type == _PAGE)


def _words(page: str) -> str:
    """The words of a page of HTML, a line for what begins on a line of its own."""
    parted = _ITEM.sub("- ", _BLOCK_ENDS.sub("\n", page))
    lines = [" ".join(line.split()) for line in html_visible_text(parted).split("\n")]
    return _MANY_LINES.sub("\n\n", "\n".join(lines)).strip()


def _files(parts: Iterable[_Part]) -> Iterator[Attached]:
    """The attached files; what has no name gets one."""
    for number, part in enumerate(parts, 1):
        if part.is_file and part.media_type not in _MESSAGES:
            ending = mimetypes.guess_extension(part.media_type) or ""
            name = part.name or f"attachment-{number}{ending}"
            yield Attached(name, part.media_type, part.octets)


def _left_out(parts: Sequence[_Part], draft: Draft) -> Iterator[str]:
    texts = [one for one in parts if not one.is_file]
    kinds = {one.media_type for one in texts if one.text.strip()}
    pictures = sum(one.media_type.startswith("image/") for one in texts)
    if pictures:
        yield f"{_counted(pictures, 'picture')} inside the text"
    if kinds >= {_PAGE, _PLAIN}:
        yield "the formatting: its plain text was taken"
    elif _PAGE in kinds:
        yield "the formatting: the words of the HTML were taken"
        links = sum(len(_LINK.findall(one.text)) for one in texts)
        if links:
            number = _counted(links, "link")
            yield f"{number}: only the words that lead there were taken"
    for said, types in _NOT_TAKEN.items():
        if any(one.media_type in types for one in parts):
            yield said
    if not draft.markdown.strip():
        yield "its text: there is none that could be read"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number:,} {what}s"


def _reply_to(header: HeaderBlock, author: Address) -> Address | None:
    """The one box that answers were to go to, where it is another."""
    texts = [one.body for one in header.fields if one.name == "reply-to"]
    found = [address for _, address in _pairs(texts)]
    if len(found) != 1 or found[0].person == author.person:
        return None
    return found[0]


def _names(header: HeaderBlock) -> Iterator[tuple[str, str]]:
    texts = [one.body for one in header.fields if one.name in _NAMED_IN]
    for name, address in _pairs(texts):
        if name:
            yield address.person, name


def _pairs(fields: Iterable[bytes]) -> Iterator[tuple[str, Address]]:
    """Display names with their addresses; nothing is decided with them.

    A comma inside quotes or an encoded word belongs to its name: the words are decoded
    after the field was parted (RFC 2047 §6.2).
    """
    texts = [one.decode("utf-8", "replace") for one in fields]
    if sum(map(len, texts)) > _LONGEST_FIELD:
        return
    for name, spelled in getaddresses([" ".join(one.split()) for one in texts]):
        address = parse_addr_spec(spelled)
        if address is not None and address.domain:
            yield " ".join(decode_words(name).split()), address
