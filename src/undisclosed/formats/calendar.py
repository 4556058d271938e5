# SPDX-License-Identifier: Apache-2.0
"""Content lines: what calendars (RFC 5545 §3.1) and vCards (RFC 6350 §3.2) are made of.

``NAME;PARAMETER=VALUE:VALUE``, folded by a line end and a blank. Nothing here raises,
whatever the text is, and everything is linear in its length: what is no content line
is one without a name, and all its text is its value.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

NO_LINE = ""
"""The name of a line that is no content line."""

_LINE = re.compile(r"[^\r\n]*(?:(?:\r\n?|\n)[ \t][^\r\n]*)*(?:\r\n?|\n|\Z)")
_FOLD = re.compile(r"(?:\r\n?|\n)[ \t]")
_FOLD_IN_BYTES = re.compile(rb"(?:\r\n?|\n)[ \t]")
_SOFT_BREAK = re.compile(r"=(?:\r\n?|\n)")
# RFC 6350 §3.3 puts a group before the name: item1.EMAIL.
_NAME = re.compile(r"\s*(?:[\w-]{1,64}\.)?([A-Za-z][A-Za-z0-9-]{0,63})\s*(?=[;:])")
_PARAMETER = re.compile(r';([^=;:"]*)(?:=((?:"[^"]*(?:"|\Z)|[^";:])*))?')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_CIRCUMFLEX = re.compile(r"\^([n^'])")
_OF_CIRCUMFLEX = {"n": "\n", "^": "^", "'": '"'}  # RFC 6868 §3.2


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One line, unfolded; text[start:end] is the line whole, line ends included.

    ``name`` is upper-case, without its group. ``parameters`` are name (upper-case) and
    value of each, quotes and escapes as they stand. ``value`` is what follows the
    colon, with its escapes.
    """

    name: str
    parameters: tuple[tuple[str, str], ...] = field(repr=False)
    value: str = field(repr=False)
    start: int
    end: int

    def has(self, parameter: str, value: str) -> bool:
        """Whether a parameter has this value, both upper-case."""
        return any(
            name == parameter and given.strip('" ').upper() == value
            for name, given in self.parameters
        )


def content_lines(text: str) -> Iterator[ContentLine]:
    """Every line of a calendar or a vCard, those that are none of one among them."""
    position, end = 0, len(text)
    while position < end:
        found = _LINE.match(text, position)
        after = found.end() if found else end
        line = _line(text, position, after)
        if _is_quoted_printable(line):
            after = _end_of_soft_breaks(text, after)
            line = _line(text, position, after)
        yield line
        position = after


def unfolded(data: bytes) -> bytes:
    """The bytes without their folds, which may lie inside of a character."""
    return _FOLD_IN_BYTES.sub(b"", data)


def unescaped(text: str) -> str:
    """A value without its backslashes (RFC 5545 §3.3.11), ``\\n`` as a line end."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda one: "\n" if one[1] in "nN" else one[1], text)


def unescaped_parameter(text: str) -> str:
    """A parameter's value without quotes and circumflexes (RFC 6868)."""
    text = text.replace('"', " ")
    if "^" in text:
        text = _CIRCUMFLEX.sub(lambda one: _OF_CIRCUMFLEX[one[1]], text)
    return unescaped(text)


def _line(text: str, start: int, end: int) -> ContentLine:
    line = _FOLD.sub("", text[start:end]).rstrip("\r\n")
    name = _NAME.match(line)
    if name is None:
        return ContentLine(NO_LINE, (), line, start, end)
    position = name.end()
    parameters: list[tuple[str, str]] = []
    while parameter := _PARAMETER.match(line, position):
        parameters.append((parameter[1].strip().upper(), parameter[2] or ""))
        position = parameter.end()
    value = line[position:].removeprefix(":")
    return ContentLine(name[1].upper(), tuple(parameters), value, start, end)


def _is_quoted_printable(line: ContentLine) -> bool:
    """vCard 2.1 and vCalendar 1.0 encode values so, with soft line breaks in them."""
    return line.value.endswith("=") and any(
        "QUOTED-PRINTABLE" in (name, value.strip('" ').upper())
        for name, value in line.parameters
    )


def _end_of_soft_breaks(text: str, position: int) -> int:
    """Where a value ends whose lines end with an equals sign."""
    while position < len(text):
        found = _LINE.match(text, position)
        after = found.end() if found else len(text)
        line = text[position:after].rstrip("\r\n")
        position = after
        if not line.endswith("="):
            break
    return position


def from_quoted_printable(value: str) -> str:
    """The text of a value in quoted-printable (vCard 2.1), UTF-8 or Latin-1."""
    data = binascii.a2b_qp(_SOFT_BREAK.sub("", value).encode("utf-8", "replace"))
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
