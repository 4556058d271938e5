# SPDX-License-Identifier: Apache-2.0
"""Reports that return a mail: what of it may go back to the one who gets the report.

A delivery report (RFC 3464) or a receipt (RFC 8098) may carry the mail that it is
about, with everybody in its fields. It goes on with the fields by which its recipient
knows the mail again (RFC 3461 §6.2 lets a report return the header alone): From,
Subject, Date and Message-ID, where they name nobody else.
"""

import re
from collections.abc import Iterator

from undisclosed.core.address import Address
from undisclosed.core.header import HeaderBlock, split_content
from undisclosed.core.media_types import media_type_of, parameters
from undisclosed.core.patch import Edit, Patch

KEPT = ("from", "subject", "date", "message-id")
"""What is left of a returned header block."""

MOST_PARTS = 50

_RETURNED = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers"}
    | {"message/global-headers"}
)
_AS_IT_STANDS = (b"", b"7bit", b"8bit", b"binary")
_AT_SIGN = re.compile(rb"@|=40|%40|=\?")
_ADDRESS = re.compile(rb"[^\s<>,;:\"()]+@[^\s<>,;:\"()]+")


def cut_returned(content: bytes, recipient: Address) -> Patch | None:
    """The edits that cut returned mail down to what its recipient wrote.

    None where the content is no report, returns nothing, or where a part cannot be
    found in the bytes (it is encoded, its boundary is odd).
    """
    header = split_content(content)
    content_type = _field(header, "content-type")
    if media_type_of(content_type) != "multipart/report":
        return None
    boundaries = parameters(content_type, "boundary")
    if len(boundaries) != 1 or not boundaries[0].isascii():
        return None
    edits: list[Edit] = []
    spans = _spans(content, boundaries[0].encode(), header.body_start)
    for start, end in spans:
        part = split_content(content, start=start, end=end)
        if media_type_of(_field(part, "content-type")) not in _RETURNED:
            continue
        encoding = _field(part, "content-transfer-encoding").strip().lower()
        if encoding not in _AS_IT_STANDS:
            return None
        edits += _cut(content, part.body_start, end, recipient)
    return Patch(tuple(edits)) if edits else None


def _spans(content: bytes, boundary: bytes, start: int) -> Iterator[tuple[int, int]]:
    """The parts of a multipart (RFC 2046 §5.1.1): from after one delimiter line to
    before the line end that belongs to the next.
    """
    line = re.compile(
        rb"(?:^|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|$)"
    )
    opened: int | None = None
    position = max(start - 2, 0)
    for _ in range(MOST_PARTS):
        found = line.search(content, position)
        if found is None:
            break
        if opened is not None:
            yield opened, found.start()
        if found[1]:
            return
        opened = found.end()
        position = found.end() - 1
    if opened is not None:
        yield opened, len(content)


def _cut(content: bytes, start: int, end: int, recipient: Address) -> Iterator[Edit]:
    inner = split_content(content, start=start, end=end)
    for field in inner.fields:
        is_kept = field.name in KEPT and _names_nobody_else(
            field.name, field.body, recipient
        )
        if not is_kept:
            yield Edit(start + field.start, start + field.end)
    if inner.body_start < end:
        yield Edit(inner.body_start, end)


def _names_nobody_else(name: str, body: bytes, recipient: Address) -> bool:
    if name == "message-id" or not _AT_SIGN.search(body):
        return True
    own = recipient.person.encode("utf-8", "replace")
    rest = _ADDRESS.sub(lambda found: b"" if found[0].lower() == own else b"@", body)
    return not _AT_SIGN.search(rest)


def _field(header: HeaderBlock, name: str) -> bytes:
    for field in header.fields:
        if field.name == name:
            return field.body
    return b""
