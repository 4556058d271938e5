# SPDX-License-Identifier: Apache-2.0
"""The header block of a message (RFC 5322 §2.2): where each field lies in the bytes.

Mail readers do not agree where a broken header block ends. A line that is no field
(RFC 5322 §2.2) ends it for some, who then show the rest as text, and is skipped by
others, who read on. Here it is skipped, kept as a field without a name, and what
follows is read as fields: whoever is named there is seen either way.
"""

import re
from dataclasses import dataclass, field

NO_FIELD = ""
"""The name of a line that is no field."""

LONGEST_HEADER = 8 * 1024 * 1024
"""Bytes of a header block that are read: enough for a hundred thousand recipients."""

MOST_FIELDS = 20_000
READ_IN_ANY_CASE = 1024 * 1024
"""Bytes that are read of a header block that is longer, or has more fields."""

_BLANK_LINE = re.compile(rb"\n\r?\n")
# A line and its continuations; white space alone continues, too (RFC 5322 §4.2).
_FOLDED_LINES = re.compile(rb"[^\n]*\n?(?:[ \t][^\n]*\n?)*")
_USUAL = re.compile(
    rb"^([!-9;-~]++):([^\r\n]*+(?:\r?\n[ \t][^\r\n]*+)*)\r?\n(?![ \t])",
    re.MULTILINE,
)
# The same where no CR stands alone: one byte ends the line, which is quicker to find.
# Only a line's start is tried: a long line without a colon is gone through once.
_PLAIN = re.compile(
    rb"^([!-9;-~]++):([^\n]*+(?:\n[ \t][^\n]*+)*)\n(?![ \t])", re.MULTILINE
)
# The name may be followed by white space (RFC 5322 §4.5) and, in broken mail, hold
# 8-bit characters.
_NAME = re.compile(rb"[ \t]*([^\x00-\x20:\x7f][^\x00-\x20:\x7f]*)[ \t\xa0]*:")
_BARE_CR_FIELD = re.compile(rb"\r(?=[A-Za-z][A-Za-z0-9-]*[ \t]*:)")


@dataclass(frozen=True, slots=True)
class Field:
    """One header field; content[start:end] is the field whole, line ends included.

    ``name`` is lower-case, stripped of white space. ``raw_name`` is what stands
    before the colon; ``body`` what follows it, as it was written: still folded, and
    without the last line end. A line that is no field has the name ``NO_FIELD`` and
    all its bytes as its body.
    """

    name: str
    raw_name: bytes
    body: bytes = field(repr=False)
    start: int
    end: int


Cut = tuple[bytes, bytes, int, int]
"""A field before it is named: raw name, body, start and end."""


@dataclass(frozen=True, slots=True)
class HeaderBlock:
    """The header block's bytes as cuts, in their order, and where the body starts.

    ``fields`` makes the cuts into values each time it is asked: the reading of
    ordinary mail looks at few of them. ``may_hide`` is what ``may_hide_at_sign``
    says of the bytes: where it is false, an address needs an at sign in so many words.
    ``is_cut``: it is longer than is read, and the cuts are those of its beginning.
    """

    cuts: tuple[Cut, ...] = field(repr=False)
    body_start: int
    may_hide: bool = True
    is_cut: bool = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """Every field of the header block, those without a name among them."""
        return tuple(
            Field(field_name(raw_name), raw_name, body, start, end)
            for raw_name, body, start, end in self.cuts
        )

    @property
    def is_broken(self) -> bool:
        """Whether a line is no field, so that some readers take the rest for text."""
        return any(not raw_name for raw_name, *_ in self.cuts)


def split_content(
    content: bytes, *, start: int = 0, end: int | None = None
) -> HeaderBlock:
    """Find the fields of the header block. Never raises; linear in its size.

    Lines end with CRLF, with LF alone, or with CR alone where a field follows. With
    ``start`` and ``end`` the message is content[start:end] (an attached message, a
    part): ``body_start`` is still an offset into the content, the fields' offsets are
    into the header block.
    """
    block_end, body_start = _ends(content, start, len(content) if end is None else end)
    block = content[start:block_end]
    is_cut = len(block) > READ_IN_ANY_CASE and _is_too_long(block)
    if is_cut:
        block = block[:READ_IN_ANY_CASE]
    may_hide = may_hide_at_sign(block)
    cuts = _plain_cuts(block) or _cuts(block)
    return HeaderBlock(tuple(cuts), body_start, may_hide, is_cut)


def _is_too_long(block: bytes) -> bool:
    if len(block) > LONGEST_HEADER:
        return True
    folds = block.count(b"\n ") + block.count(b"\n\t")
    return block.count(b"\n") - folds > MOST_FIELDS


def may_hide_at_sign(data: bytes) -> bool:
    """Whether an address could stand in these bytes of a header without an at sign.

    In encoded words (RFC 2047), in 8-bit text, behind an escape (RFC 1468), as ``%40``
    and ``=40``, or routed as of old: ``ann%a.example``, ``a.example!ann``.
    """
    return (
        b"=?" in data
        or b"%" in data
        or b"!" in data
        or b"=40" in data
        or b"\x1b" in data
        or not data.isascii()
    )


def _plain_cuts(block: bytes) -> list[Cut]:
    """The fields of a block that holds nothing but usual fields, else nothing.

    They are found all at once; where they fill the block, nothing lies between.
    """
    carriage_returns = block.count(b"\r")
    if carriage_returns and carriage_returns != block.count(b"\r\n"):
        return []
    cuts: list[Cut] = []
    position = 0
    for raw_name, body in _PLAIN.findall(block):
        start = position
        position += len(raw_name) + len(body) + 2
        if carriage_returns and body.endswith(b"\r"):
            body = body[:-1]  # noqa: PLW2901 (the line end is no part of it)
        cuts.append((raw_name, body, start, position))
    return cuts if position == len(block) else []


def _cuts(block: bytes) -> list[Cut]:
    """The fields of any block, and what stands between them."""
    cuts: list[Cut] = []
    position, end = 0, len(block)
    for usual in _USUAL.finditer(block):
        field_start, after = usual.span()
        if field_start != position:
            _cut_unusual(block, position, field_start, cuts)
        raw_name, body = usual.groups()
        cuts.append((raw_name, body, field_start, after))
        position = after
    if position < end:
        _cut_unusual(block, position, end, cuts)
    return cuts


def field_name(raw_name: bytes) -> str:
    """The name as it is compared: lower-case, no white space, no 8-bit characters."""
    return raw_name.decode("ascii", "ignore").strip().lower()


def _ends(content: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the header block ends, its last line end included, and the body starts."""
    if content.startswith((b"\n", b"\r\n"), start, end):
        return start, content.index(b"\n", start) + 1
    blank = _BLANK_LINE.search(content, start, end)
    if blank is None:
        return end, end
    return blank.start() + 1, blank.end()


def _cut_unusual(block: bytes, position: int, end: int, cuts: list[Cut]) -> None:
    """Cut what the pattern of usual fields does not fit, line by line."""
    while position < end:
        lines = _FOLDED_LINES.match(block, position, end)
        after = max(lines.end() if lines else end, position + 1)
        start = position
        # Fields of old, or smuggled: CR alone parts fields for some readers.
        for bare in _BARE_CR_FIELD.finditer(block, position, after):
            cuts.append(_cut(block, start, bare.end()))
            start = bare.end()
        cuts.append(_cut(block, start, after))
        position = after


def _cut(block: bytes, start: int, end: int) -> Cut:
    line = block[start:end].rstrip(b"\r\n")
    named = _NAME.match(line)
    if named is None or line[:1] in b" \t":
        return b"", line, start, end
    return line[: named.end() - 1], line[named.end() :], start, end
