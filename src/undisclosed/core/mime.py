# SPDX-License-Identifier: Apache-2.0
"""The parts of a message (RFC 2045, RFC 2046), read as every mail reader might.

Where a message contradicts itself (two boundaries, two encodings, two types), each
way of reading it is walked: what one mail reader shows is found, whichever it is.
Depth, number of parts and bytes are bounded; what is beyond the bounds is read as
plain text and reported. Nothing here raises.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from undisclosed.core.boundaries import guessed_boundaries
from undisclosed.core.header import Cut, HeaderBlock, field_name, split_content
from undisclosed.core.media_types import (
    BINARY,
    MOST_READINGS,
    UNREADABLE_TYPE,
    Kind,
    charsets_of,
    is_message,
    kind_of,
    media_type_of,
    parameters,
    plain_name,
)
from undisclosed.core.transfer_encodings import (
    LONGEST_UUENCODED,
    UUENCODE,
    decoded,
    encodings_named,
)

MOST_PARTS = 2_000
DEEPEST = 40
MOST_DECODED = 4
"""Bytes of attached messages that are decoded and walked, per byte of the content."""

# White space alone, or the end of a line that is none for others: for some readers
# the header block ends there.
_BLANK_LOOKING = re.compile(rb"\n[ \t\0\r\x0b\x0c]+\n|\r\r|\A[ \t\0\r]+\n")
_C = (b"C", b"c")
_MAY_NAME = re.compile(rb"@|%40|=\?|[\x80-\xff]")
# RFC 9788 §2.1.1, and the parameter of the drafts before it.
_PROTECTED = re.compile(rb"(?i);\s*(?:hp|protected-headers)\s*=")
_LONGEST_DELIMITER = 80
_COLON_AND_LINE_END = 3
_SIGNED = "multipart/signed"


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part as bytes of its source, still encoded (RFC 2045 §6).

    ``nesting`` counts the attached messages around it; ``is_attached`` says whether a
    mail reader offers it as a file; ``joins_lines`` whether a space at the end of a
    line is no part of the text (RFC 3676 §4.1, DelSp). ``names`` are its file names,
    lower-case; ``is_signed`` says whether a signature covers its bytes.
    """

    kind: Kind
    media_type: str
    source: bytes = field(repr=False)
    start: int
    end: int
    charset: str = ""
    encoding: str = ""
    nesting: int = 0
    is_attached: bool = False
    header: HeaderBlock | None = field(default=None, repr=False)
    joins_lines: bool = False
    names: tuple[str, ...] = field(default=(), repr=False)
    is_signed: bool = False


@dataclass(slots=True)
class Limits:
    """How much may still be walked; ``exceeded`` once it was too much."""

    parts: int = MOST_PARTS
    exceeded: bool = False


@dataclass(slots=True)
class _Entity:
    source: bytes
    start: int
    end: int
    cuts: tuple[Cut, ...]
    depth: int
    nesting: int
    digest: bool = False
    is_guessed: bool = False
    is_signed: bool = False
    parent: str = ""


def parts_of(
    content: bytes,
    header: HeaderBlock,
    limits: Limits,
    *,
    nesting: int = 0,
) -> Iterator[TextPart]:
    """Every part that can be shown, and each attached message's header block.

    ``nesting`` is that of a message found inside of a part.
    """
    start, end = header.body_start, len(content)
    return _walked(_Entity(content, start, end, header.cuts, 0, nesting), limits)


def parts_inside(source: bytes, limits: Limits, *, nesting: int) -> Iterator[TextPart]:
    """The parts of what a signature wraps, its own fields first (RFC 8551 §3.1)."""
    header = split_content(source)
    end = len(source)
    entity = _Entity(
        source,
        header.body_start,
        end,
        header.cuts,
        0,
        nesting,
        is_signed=True,
        parent=_SIGNED,
    )
    yield from _part_fields(entity, header, 0, end)
    yield from _walked(entity, limits)


def _walked(first: _Entity, limits: Limits) -> Iterator[TextPart]:
    entities, most = [first], MOST_DECODED * len(first.source)
    decoded_size = 0
    while entities:
        entity = entities.pop()
        limits.parts -= 1
        if limits.parts < 0 or entity.depth > DEEPEST:
            limits.exceeded = True
            yield _as_text(entity)
            continue
        children: list[_Entity] = []
        yield from _entity_parts(entity, children)
        decoded_size += sum(
            len(child.source) for child in children if child.source is not entity.source
        )
        if decoded_size > most:
            limits.exceeded = True
            continue
        entities += reversed(children)


def _entity_parts(entity: _Entity, children: list[_Entity]) -> list[TextPart]:
    types, encodings, disposition = _mime_fields(entity.cuts)
    parts: list[TextPart] = []
    for content_type in types or [b""]:
        media_type = media_type_of(content_type)
        if not media_type:
            media_type = "message/rfc822" if entity.digest else "text/plain"
            if content_type:
                media_type = UNREADABLE_TYPE
        if media_type.startswith("multipart/"):
            parts += _multipart(entity, content_type, media_type, children)
            if encodings and not children:
                _undo_encodings(entity, encodings, children)
            continue
        for encoding in encodings or [""]:
            parts += _leaf(
                entity, (content_type, media_type, encoding, disposition), children
            )
    return parts


def _mime_fields(cuts: tuple[Cut, ...]) -> tuple[list[bytes], list[str], bytes]:
    """Content-Types, Content-Transfer-Encodings and Content-Disposition, distinct."""
    types: dict[bytes, None] = {}
    encodings: dict[str, None] = {}
    disposition = b""
    for raw_name, body, _, _ in cuts:
        if raw_name[:1] not in _C or raw_name[:8].lower() != b"content-":
            continue
        name = field_name(raw_name)
        if name == "content-type":
            types[body.strip()] = None
        elif name == "content-transfer-encoding":
            encodings.update(dict.fromkeys(encodings_named(body)))
        elif name == "content-disposition":
            disposition = body
    return _first_and_last(list(types)), list(encodings), disposition


def _first_and_last(readings: list[bytes]) -> list[bytes]:
    """Readers take the first or the last of fields that contradict each other."""
    if len(readings) <= MOST_READINGS:
        return readings
    return [*readings[: MOST_READINGS - 1], readings[-1]]


def _leaf(
    entity: _Entity, given: tuple[bytes, str, str, bytes], children: list[_Entity]
) -> Iterable[TextPart]:
    content_type, media_type, encoding, disposition = given
    names = parameters(disposition, "filename") + parameters(content_type, "name")
    if is_message(media_type, names):
        is_wrapped = _is_wrapped(entity, content_type)
        return _attached_message(
            entity, media_type, encoding, children, is_wrapped=is_wrapped
        )
    plain_names = [plain_name(name) for name in names]
    kind = kind_of(media_type, plain_names, entity.parent)
    parts = [
        TextPart(
            kind,
            media_type,
            entity.source,
            entity.start,
            entity.end,
            charset,
            encoding,
            entity.nesting,
            bool(names) or disposition.lstrip()[:10].lower() == b"attachment",
            joins_lines=b"delsp" in content_type.lower(),
            names=tuple(plain_names),
            is_signed=entity.is_signed,
        )
        for charset in charsets_of(content_type)
    ]
    if encoding or kind in BINARY:
        parts += _as_it_stands(entity, encoding)
    elif not entity.is_guessed:
        _guess_parts(entity, entity.start, entity.end, children)
        parts += _uuencoded(entity)
    return parts


def _as_it_stands(entity: _Entity, encoding: str) -> Iterable[TextPart]:
    """What some readers show undecoded: it is no Base64, or its field is text to them.

    A header block that seems to end early hides the fields under that line.
    """
    source, start, end = entity.source, entity.start, entity.end
    if (encoding and source.find(b"@", start, end) >= 0) or _seems_to_end(entity):
        yield _as_text(entity)


def _seems_to_end(entity: _Entity) -> bool:
    return any(
        not raw_name
        or end - start > len(raw_name) + len(body) + _COLON_AND_LINE_END
        or ((b"\n" in body or b"\r" in body) and _BLANK_LOOKING.search(body + b"\n"))
        for raw_name, body, start, end in entity.cuts
    )


def _uuencoded(entity: _Entity) -> Iterable[TextPart]:
    """Files that stand uuencoded in a text; some readers show them."""
    if entity.source.find(b"begin ", entity.start, entity.end) >= 0:
        as_file = replace(_as_text(entity), encoding=UUENCODE, is_attached=True)
        yield as_file
        if entity.end - entity.start > LONGEST_UUENCODED:
            yield replace(as_file, kind=Kind.UNREAD, media_type="text/x-uuencode")


def _undo_encodings(
    entity: _Entity, encodings: list[str], children: list[_Entity]
) -> None:
    """A multipart that is encoded as a whole, against RFC 2045 §6.4."""
    cuts = tuple(
        cut for cut in entity.cuts if field_name(cut[0]) != "content-transfer-encoding"
    )
    for encoding in filter(None, encodings):
        source = b"".join(decoded(entity.source, entity.start, entity.end, encoding))
        children.append(
            _Entity(
                source,
                0,
                len(source),
                cuts,
                entity.depth + 1,
                entity.nesting,
                is_signed=entity.is_signed,
            )
        )


def _guess_parts(
    entity: _Entity, start: int, end: int, children: list[_Entity]
) -> None:
    """Parts whose delimiter no field announces."""
    for boundary in guessed_boundaries(entity.source, start, end):
        outer = replace(entity, start=start, end=end)
        for part_start, part_end in _spans(outer, boundary):
            header = split_content(entity.source, start=part_start, end=part_end)
            children.append(
                _Entity(
                    entity.source,
                    header.body_start,
                    part_end,
                    header.cuts,
                    entity.depth + 1,
                    entity.nesting,
                    is_guessed=True,
                    is_signed=entity.is_signed,
                )
            )


def _is_wrapped(entity: _Entity, content_type: bytes) -> bool:
    """Whether the message is the signed one itself, not one attached to it.

    RFC 8551 §3.1: ``forwarded=no`` says so; older senders leave it out.
    """
    forwarded = [value.lower() for value in parameters(content_type, "forwarded")]
    return "no" in forwarded or (entity.parent == _SIGNED and "yes" not in forwarded)


def _attached_message(
    entity: _Entity,
    media_type: str,
    encoding: str,
    children: list[_Entity],
    *,
    is_wrapped: bool,
) -> Iterator[TextPart]:
    source, start, end = entity.source, entity.start, entity.end
    if encoding:
        yield from _as_it_stands(entity, encoding)
        source = b"".join(decoded(source, start, end, encoding))
        start, end = 0, len(source)
    # Some mail programs leave empty lines, or a mailbox's From line, before it.
    while start < end and source[start] in b"\r\n":
        start += 1
    header = split_content(source, start=start, end=end)
    # What a signature wraps is shown as the message itself.
    nesting = entity.nesting + (not is_wrapped)
    yield TextPart(
        Kind.PROTECTED if is_wrapped else Kind.MESSAGE,
        media_type,
        source,
        start,
        end,
        nesting=nesting,
        is_attached=not is_wrapped,
        header=header,
    )
    children.append(
        _Entity(
            source,
            header.body_start,
            end,
            header.cuts,
            entity.depth + 1,
            nesting,
            is_guessed=entity.is_guessed,
            is_signed=entity.is_signed,
        )
    )


def _multipart(
    entity: _Entity, content_type: bytes, media_type: str, children: list[_Entity]
) -> Iterator[TextPart]:
    boundaries = dict.fromkeys(parameters(content_type, "boundary"))
    for boundary in list(boundaries)[:MOST_READINGS]:
        spans = _spans(entity, boundary.encode("utf-8", "replace"))
        if not spans:
            continue
        yield from _outside(entity, spans, children)
        for start, end in spans:
            header = split_content(entity.source, start=start, end=end)
            yield from _part_fields(entity, header, start, end)
            children.append(
                _Entity(
                    entity.source,
                    header.body_start,
                    end,
                    header.cuts,
                    entity.depth + 1,
                    entity.nesting,
                    media_type == "multipart/digest",
                    entity.is_guessed,
                    entity.is_signed or media_type == _SIGNED,
                    media_type,
                )
            )
        if len(boundaries) == 1:
            return
    if not children or len(boundaries) > 1:
        yield _as_text(entity)
        if not entity.is_guessed:
            _guess_parts(entity, entity.start, entity.end, children)


def _part_fields(
    entity: _Entity, header: HeaderBlock, start: int, end: int
) -> Iterator[TextPart]:
    fields = entity.source[start : header.body_start]
    if (
        _MAY_NAME.search(fields)
        or header.is_broken
        or header.is_cut
        or header.body_start == end
    ):
        is_protected = _PROTECTED.search(fields) is not None
        yield TextPart(
            Kind.PROTECTED if is_protected else Kind.NAMES,
            "",
            entity.source,
            start,
            header.body_start,
            nesting=entity.nesting,
            header=header,
        )


def _outside(
    entity: _Entity, spans: list[tuple[int, int]], children: list[_Entity]
) -> Iterator[TextPart]:
    """What stands before the first part and after the last (RFC 2046 §5.1.1)."""
    for start, end in ((entity.start, spans[0][0]), (spans[-1][1], entity.end)):
        if entity.source.find(b"@", start, end) >= 0:
            yield TextPart(
                Kind.TEXT, "", entity.source, start, end, nesting=entity.nesting
            )
        if end - start > _LONGEST_DELIMITER and not entity.is_guessed:
            _guess_parts(entity, start, end, children)


def _as_text(entity: _Entity) -> TextPart:
    return TextPart(
        Kind.TEXT,
        "text/plain",
        entity.source,
        entity.start,
        entity.end,
        nesting=entity.nesting,
    )


def _spans(entity: _Entity, boundary: bytes) -> list[tuple[int, int]]:
    """The spans of one multipart; of too many the first, and one too many."""
    return list(islice(_between(entity, boundary), MOST_PARTS + 1))


def _between(entity: _Entity, boundary: bytes) -> Iterator[tuple[int, int]]:
    """The spans between the delimiter lines; the last one ends where it must."""
    delimiter = b"--" + boundary
    source, end = entity.source, entity.end
    opened = -1
    # A line that ends with CR alone is rare, and found by a slower way.
    has_cr = source.find(b"\r" + delimiter, entity.start, end) >= 0
    line = delimiter if has_cr else b"\n" + delimiter
    step = len(line) - len(delimiter)
    at = entity.start
    if not source.startswith(delimiter, at, end):
        at = _step(source.find(line, at, end), step)
    while at >= 0:
        after = at + len(delimiter)
        line_end = source.find(b"\n", after, end)
        line_end = end if line_end < 0 else line_end + 1
        rest = source[after : min(line_end, after + 256)].strip()
        at_line_start = at == entity.start or source[at - 1] in b"\r\n"
        if at_line_start and rest in (b"", b"--"):
            if opened >= 0:
                yield opened, _before_line_end(source, opened, at)
            opened = -1 if rest == b"--" else line_end
            after = line_end
            # After a closing delimiter some readers go on; so does this one.
        at = _step(source.find(line, max(after - step, entity.start), end), step)
    if opened >= 0:
        yield opened, end


def _step(found: int, step: int) -> int:
    return found + step if found >= 0 else -1


def _before_line_end(source: bytes, start: int, at: int) -> int:
    if at - 1 >= start and source[at - 1 : at] == b"\n":
        at -= 1
        if at - 1 >= start and source[at - 1 : at] == b"\r":
            at -= 1
    return at
