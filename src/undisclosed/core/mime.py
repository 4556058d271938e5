# SPDX-License-Identifier: Apache-2.0
"""The parts of a message (RFC 2045, RFC 2046), read as every mail reader might.

Where a message contradicts itself (two boundaries, two encodings, two types), each
way of reading it is walked: what one mail reader shows is found, whichever it is.
Depth, number of parts and bytes are bounded; what is beyond the bounds is read as
plain text and reported. Nothing here raises.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import unquote_to_bytes

from undisclosed.core.charsets import decode
from undisclosed.core.header import Cut, HeaderBlock, field_name, split_content

MOST_PARTS = 2_000
DEEPEST = 40
MOST_READINGS = 3
"""Ways of reading one part that contradicts itself."""
BLOCK = 256 * 1024
"""Bytes of a part that are decoded at once, so that memory stays bounded."""

_PARAMETER = re.compile(
    rb';\s*([^\s=;"]+?)\s*=\s*("(?:[^"\\]|\\.)*+"?|[^\s;]*)', re.DOTALL
)
_MEDIA_TYPE = re.compile(rb"\s*([^\s;/]+)\s*/\s*([^\s;]+)")
_C = (b"C", b"c")
_MAY_NAME = re.compile(rb"@|%40|=\?|[\x80-\xff]")
_UNFOLD = re.compile(rb"[\r\n]+")
_MESSAGE_SUFFIXES = (".eml", ".mht", ".mhtml", ".nws")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


class Kind(Enum):
    """What a part is to a reader."""

    TEXT = "text"
    HTML = "html"
    MESSAGE = "message"  # an attached message; its header block is in ``header``
    REPORT = "report"  # fields of a delivery report (RFC 3464 §2)
    NAMES = "names"  # the fields of a part, with its file name and description
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class TextPart:
    """A part as bytes of its source, still encoded (RFC 2045 §6).

    ``nesting`` counts the attached messages around it; ``is_attached`` says whether a
    mail reader offers it as a file.
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


@dataclass(slots=True)
class Limits:
    """How much may still be walked; ``exceeded`` once it was too much."""

    parts: int = MOST_PARTS
    exceeded: bool = False


@dataclass(frozen=True, slots=True)
class _Entity:
    source: bytes
    start: int
    end: int
    cuts: tuple[Cut, ...]
    depth: int
    nesting: int
    digest: bool = False


def parts_of(content: bytes, header: HeaderBlock, limits: Limits) -> Iterator[TextPart]:
    """Every part that can be shown, and each attached message's header block."""
    entities = [_Entity(content, header.body_start, len(content), header.cuts, 0, 0)]
    while entities:
        entity = entities.pop()
        limits.parts -= 1
        if limits.parts < 0 or entity.depth > DEEPEST:
            limits.exceeded = True
            yield _as_text(entity)
            continue
        children: list[_Entity] = []
        yield from _entity_parts(entity, children)
        entities += reversed(children)


def _entity_parts(entity: _Entity, children: list[_Entity]) -> Iterator[TextPart]:
    types, encodings, disposition = _mime_fields(entity.cuts)
    for content_type in types or [b""]:
        media_type = media_type_of(content_type)
        if not media_type:
            media_type = "message/rfc822" if entity.digest else "text/plain"
        if media_type.startswith("multipart/"):
            yield from _multipart(entity, content_type, media_type, children)
            continue
        for encoding in encodings or [""]:
            yield from _leaf(
                entity, (content_type, media_type, encoding, disposition), children
            )


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
            encodings[_encoding(body)] = None
        elif name == "content-disposition":
            disposition = body
    return list(types)[:MOST_READINGS], list(encodings)[:MOST_READINGS], disposition


def _encoding(body: bytes) -> str:
    words = body.decode("latin-1").lower().strip(" \t\r\n\"';.").split()
    encoding = words[0].strip("\"';") if words else ""
    return encoding if encoding in ("base64", "quoted-printable") else ""


def media_type_of(content_type: bytes) -> str:
    """Type and subtype, lower-case; empty where there is none (RFC 2045 §5.1)."""
    found = _MEDIA_TYPE.match(content_type)
    return (found[1] + b"/" + found[2]).decode("latin-1").lower() if found else ""


def parameters(body: bytes, name: str) -> list[str]:
    """Every value that a parameter is given, in each form (RFC 2045 §5.1, RFC 2231)."""
    if b";" not in body or name.encode() not in body.lower():
        return []
    values: list[str] = []
    pieces: list[str] = []
    for match in _PARAMETER.finditer(_UNFOLD.sub(b" ", body)):
        given = match[1].decode("latin-1").lower()
        base, _, section = given.partition("*")
        if base != name:
            continue
        value = _parameter_value(match[2], is_extended=given.endswith("*"))
        if section.rstrip("*").isdigit():
            pieces.append(value)
        else:
            values.append(value)
    return [*values, "".join(pieces)] if pieces else values


def _parameter_value(raw: bytes, *, is_extended: bool) -> str:
    if raw.startswith(b'"'):
        raw = re.sub(rb"\\(.)", rb"\1", raw[1:-1] if raw[-1:] == b'"' else raw[1:])
    if not is_extended:
        return decode(raw)
    charset, quote, rest = raw.partition(b"'")
    if not quote:
        return decode(unquote_to_bytes(raw))
    return decode(unquote_to_bytes(rest.partition(b"'")[2]), charset.decode("latin-1"))


def _leaf(
    entity: _Entity, given: tuple[bytes, str, str, bytes], children: list[_Entity]
) -> Iterator[TextPart]:
    content_type, media_type, encoding, disposition = given
    names = parameters(disposition, "filename") + parameters(content_type, "name")
    if _is_message(media_type, names):
        yield from _attached_message(entity, media_type, encoding, children)
        return
    kind = _kind(media_type)
    charsets = parameters(content_type, "charset")
    yield TextPart(
        kind,
        media_type,
        entity.source,
        entity.start,
        entity.end,
        charsets[0] if charsets else "",
        encoding,
        entity.nesting,
        bool(names) or disposition.lstrip()[:10].lower() == b"attachment",
    )
    if encoding == "base64" and kind in (Kind.TEXT, Kind.HTML):
        at = entity.source.find(b"@", entity.start, entity.end)
        if at >= 0:
            # Not Base64 after all: some readers show it as it stands.
            yield _as_text(entity)


def _kind(media_type: str) -> Kind:
    if media_type in ("text/html", "application/xhtml+xml"):
        return Kind.HTML
    if media_type in ("message/delivery-status", "message/global-delivery-status"):
        return Kind.REPORT
    if media_type.startswith(("text/", "message/")) or "/" not in media_type:
        return Kind.TEXT
    return Kind.UNREAD


def _is_message(media_type: str, names: list[str]) -> bool:
    return media_type in (
        "message/rfc822",
        "message/global",
        "message/partial",
        "message/news",
        "text/rfc822-headers",
        "message/rfc822-headers",
        "message/global-headers",
        "text/rfc822",
    ) or any(name.strip().lower().endswith(_MESSAGE_SUFFIXES) for name in names)


def _attached_message(
    entity: _Entity, media_type: str, encoding: str, children: list[_Entity]
) -> Iterator[TextPart]:
    source, start, end = entity.source, entity.start, entity.end
    if encoding:
        source = b"".join(decoded(source, start, end, encoding))
        start, end = 0, len(source)
    # Some mail programs leave empty lines, or a mailbox's From line, before it.
    while start < end and source[start] in b"\r\n":
        start += 1
    header = split_content(source, start=start, end=end)
    yield TextPart(
        Kind.MESSAGE,
        media_type,
        source,
        start,
        end,
        nesting=entity.nesting + 1,
        is_attached=True,
        header=header,
    )
    children.append(
        _Entity(
            source,
            header.body_start,
            end,
            header.cuts,
            entity.depth + 1,
            entity.nesting + 1,
        )
    )


def _multipart(
    entity: _Entity, content_type: bytes, media_type: str, children: list[_Entity]
) -> Iterator[TextPart]:
    boundaries = dict.fromkeys(parameters(content_type, "boundary"))
    for boundary in list(boundaries)[:MOST_READINGS]:
        spans = list(_between(entity, boundary.encode("utf-8", "replace")))
        if not spans:
            continue
        yield from _outside(entity, spans)
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
                )
            )
        if len(boundaries) == 1:
            return
    if not children or len(boundaries) > 1:
        yield _as_text(entity)


def _part_fields(
    entity: _Entity, header: HeaderBlock, start: int, end: int
) -> Iterator[TextPart]:
    fields = entity.source[start : header.body_start]
    if _MAY_NAME.search(fields) or header.is_broken or header.body_start == end:
        yield TextPart(
            Kind.NAMES,
            "",
            entity.source,
            start,
            header.body_start,
            nesting=entity.nesting,
            header=header,
        )


def _outside(entity: _Entity, spans: list[tuple[int, int]]) -> Iterator[TextPart]:
    """What stands before the first part and after the last (RFC 2046 §5.1.1)."""
    for start, end in ((entity.start, spans[0][0]), (spans[-1][1], entity.end)):
        if entity.source.find(b"@", start, end) >= 0:
            yield TextPart(
                Kind.TEXT, "", entity.source, start, end, nesting=entity.nesting
            )


def _as_text(entity: _Entity) -> TextPart:
    return TextPart(
        Kind.TEXT,
        "text/plain",
        entity.source,
        entity.start,
        entity.end,
        nesting=entity.nesting,
    )


def _between(entity: _Entity, boundary: bytes) -> Iterator[tuple[int, int]]:
    """The spans between the delimiter lines; the last one ends where it must."""
    delimiter = b"--" + boundary
    source, end = entity.source, entity.end
    opened = -1
    at = source.find(delimiter, entity.start, end)
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
        at = source.find(delimiter, after, end)
    if opened >= 0:
        yield opened, end


def _before_line_end(source: bytes, start: int, at: int) -> int:
    if at - 1 >= start and source[at - 1 : at] == b"\n":
        at -= 1
        if at - 1 >= start and source[at - 1 : at] == b"\r":
            at -= 1
    return at


def decoded(source: bytes, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """The bytes of a part with its transfer encoding undone, block by block.

    Blocks of text end with a line where there are lines, so that an address does not
    straddle two.
    """
    if encoding == "base64":
        yield from _whole_lines(_from_base64(source, start, end))
        return
    while start < end:
        cut = min(start + BLOCK, end)
        if cut < end:
            line = source.rfind(b"\n", start + 1, cut) + 1
            cut = line or cut
        block = source[start:cut]
        if encoding == "quoted-printable":
            block = binascii.a2b_qp(block)
        yield block
        start = cut


def _from_base64(source: bytes, start: int, end: int) -> Iterator[bytes]:
    left = b""
    while start < end:
        cut = min(start + BLOCK, end)
        clean = left + _NOT_BASE64.sub(b"", source[start:cut])
        whole = len(clean) - len(clean) % 4
        yield binascii.a2b_base64(clean[:whole])
        left = clean[whole:]
        start = cut
    if len(left) > 1:
        yield binascii.a2b_base64(left + b"=" * (4 - len(left)))


def _whole_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    left = b""
    for block in blocks:
        whole = left + block
        cut = whole.rfind(b"\n") + 1
        if not cut and len(whole) > BLOCK:
            cut = max(whole.rfind(b" "), len(whole) - 1024)
        yield whole[:cut]
        left = whole[cut:]
    yield left
