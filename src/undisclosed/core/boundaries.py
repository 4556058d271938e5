# SPDX-License-Identifier: Apache-2.0
"""Delimiter lines that no field announces (RFC 2046 §5.1.1).

A boundary that is misspelt in its field, a delimiter that is longer than it should
be, parts behind the last one: some mail readers find the parts all the same. Where a
text holds a line that looks like a delimiter and a field under it, it is read as a
multipart, too.
"""

import re

MOST_GUESSED = 8
"""Delimiters that are tried in one text."""

_DELIMITER = re.compile(
    rb"^--(?=[^\s-]|-[^\s-])([^\r\n]{1,200}?)[ \t]*\r?\n(?=[!-9;-~]{1,40}[ \t]*:)",
    re.MULTILINE,
)


def guessed_boundaries(source: bytes, start: int, end: int) -> list[bytes]:
    """The boundaries that a reader might see in source[start:end], in their order."""
    if source.find(b"\n--", start, end) < 0 and not source.startswith(b"--", start):
        return []
    found: dict[bytes, None] = {}
    for delimiter in _DELIMITER.finditer(source, start, end):
        found[delimiter[1]] = None
        if len(found) >= MOST_GUESSED:
            break
    return list(found)
