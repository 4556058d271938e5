# SPDX-License-Identifier: Apache-2.0
"""What a clearance is bound to: who writes, to whom, what it says, what is attached.

A mail changes on its way from a mail client to the guard: lines are wrapped, HTML
becomes text, fields are added. What people would call another mail must show here,
and nothing else: texts are compared by their letters and digits, files by their bytes.

The parts of a message (RFC 2046 §5.1) are taken strictly. A message that could be
read in two ways is bound to nothing, and no clearance ever fits it.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice, pairwise

from undisclosed.core.charsets import decode
from undisclosed.core.disclosure import Reading
from undisclosed.core.header import Cut, field_name, split_content
from undisclosed.core.mail import Mail
from undisclosed.core.media_types import media_type_of, parameters
from undisclosed.core.text import html_visible_text
from undisclosed.core.transfer_encodings import encodings_named, stream

MOST_PARTS = 200
"""Parts of a message that is bound; a clearance fits none with more."""

DEEPEST = 10
LONGEST_AROUND = 200
"""Bytes before the first part and after the last: what mail programs write there."""

HTML = "text/html"
_TEXTS = ("text/plain", HTML)
# Mail servers that make text of HTML write where a link leads behind its words.
_LINK = re.compile(r"<(?:https?|mailto):[^<>\s]*>")
_LINE_END = re.compile(rb"\A\r?\n")
_DIGEST = 16  # bytes: they are hashed again, with a key


@dataclass(frozen=True, slots=True)
class Bound:
    """What two mails have in common that are the same to the people concerned.

    ``sender`` and ``people`` are addresses as ``Address.person``: the author, and
    everybody of the envelope and of the destination fields. ``shown`` are the outsiders
    whom the mail shows. ``texts`` has a digest for each way in which the text is
    written (plain, HTML), ``files`` one for each attachment.
    """

    sender: str = field(repr=False)
    people: tuple[str, ...] = field(repr=False)
    shown: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    texts: frozenset[bytes] = field(repr=False)
    files: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Leaf:
    media_type: str
    charset: str
    is_attached: bool
    content: bytes = field(repr=False)


class _NotPlain(Exception):
    """The message can be read in more than one way."""


def bound_of(mail: Mail, reading: Reading) -> Bound | None:
    """What a clearance for this mail is bound to; None where it cannot be.

    That is the case without an author or with another envelope sender, and for a
    message that is not built plainly.
    """
    content, sender = reading.content, mail.envelope.mail_from
    author = content.author
    if author is None or sender is None or sender not in (author, content.sender):
        return None
    try:
        leaves = _leaves(mail.content)
    except _NotPlain:
        return None
    people = {*mail.envelope.rcpt_tos, *content.destinations}
    shown = filter(reading.sides.is_outsider, content.shown)
    return Bound(
        sender=author.person,
        people=tuple(sorted(one.person for one in people)),
        shown=tuple(sorted({one.person for one in shown})),
        subject=letters_of(content.subject),
        texts=frozenset(_text_digest(leaf) for leaf in leaves if not leaf.is_attached),
        files=tuple(
            sorted(file_digest(leaf.content) for leaf in leaves if leaf.is_attached)
        ),
    )


def letters_of(text: str) -> str:
    """A text by its letters and digits alone, small, in their plainest form (NFKC).

    Wrapping, quoting signs, bullets and the kinds of blanks make no difference.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return "".join(filter(str.isalnum, text.casefold()))


def file_digest(content: bytes) -> bytes:
    """The digest of an attached file; mail programs may rewrite its line ends."""
    plain = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")
    return hashlib.sha256(plain).digest()[:_DIGEST]


def _text_digest(leaf: _Leaf) -> bytes:
    text = decode(leaf.content, leaf.charset)
    text = html_visible_text(text) if leaf.media_type == HTML else _LINK.sub("", text)
    plain = letters_of(text).encode("utf-8", "surrogatepass")
    return hashlib.sha256(plain).digest()[:_DIGEST]


def _leaves(content: bytes) -> tuple[_Leaf, ...]:
    """The parts that hold something, in their order. Raises _NotPlain."""
    header = split_content(content)
    if header.is_broken or header.is_cut:
        raise _NotPlain
    body = content[header.body_start :]
    found = tuple(islice(_walk(body, header.cuts, 0), MOST_PARTS + 1))
    if len(found) > MOST_PARTS:
        raise _NotPlain
    return found


def _walk(body: bytes, cuts: Iterable[Cut], depth: int) -> Iterator[_Leaf]:
    fields = _mime_fields(cuts)
    content_type = fields.get("content-type", b"text/plain")
    media_type = media_type_of(content_type)
    if not media_type or depth > DEEPEST:
        raise _NotPlain
    if not media_type.startswith("multipart/"):
        yield _leaf(body, media_type, content_type, fields)
        return
    for part in _parts(body, parameters(content_type, "boundary")):
        header = split_content(part)
        if header.is_broken or header.is_cut:
            raise _NotPlain
        yield from _walk(part[header.body_start :], header.cuts, depth + 1)


def _leaf(
    body: bytes, media_type: str, content_type: bytes, fields: dict[str, bytes]
) -> _Leaf:
    encodings = encodings_named(fields.get("content-transfer-encoding", b""))
    charsets = parameters(content_type, "charset")
    if len(encodings) != 1 or len(charsets) > 1:
        raise _NotPlain
    disposition = fields.get("content-disposition", b"").strip().lower()
    is_text = media_type in _TEXTS and not disposition.startswith(b"attachment")
    has_name = bool(parameters(content_type, "name")) or b"filename" in disposition
    return _Leaf(
        media_type,
        charsets[0] if charsets else "",
        not is_text or has_name,
        b"".join(stream(body, 0, len(body), encodings[0])),
    )


def _mime_fields(cuts: Iterable[Cut]) -> dict[str, bytes]:
    """The fields that say how a part is built (RFC 2045 §3), each once."""
    fields: dict[str, bytes] = {}
    for raw_name, body, _, _ in cuts:
        name = field_name(raw_name)
        if name.startswith("content-"):
            if name in fields:
                raise _NotPlain
            fields[name] = body
    return fields


def _parts(body: bytes, boundaries: list[str]) -> Iterator[bytes]:
    """The parts between the delimiter lines of a multipart (RFC 2046 §5.1.1)."""
    if len(boundaries) != 1 or not boundaries[0]:
        raise _NotPlain
    boundary = re.escape(boundaries[0].encode("utf-8", "replace"))
    line = rb"(?:\A|\r?\n)--" + boundary + rb"(--)?[ \t]*(?=\r?\n|\Z)"
    lines = list(islice(re.finditer(line, body), MOST_PARTS + 2))
    is_closed = [one[1] is not None for one in lines]
    if len(lines) > MOST_PARTS + 1 or sum(is_closed) != 1 or not is_closed[-1]:
        raise _NotPlain
    if (
        lines[0].start() > LONGEST_AROUND
        or len(body) - lines[-1].end() > LONGEST_AROUND
    ):
        raise _NotPlain
    for begin, end in pairwise(lines):
        yield _LINE_END.sub(b"", body[begin.end() : end.start()], count=1)
