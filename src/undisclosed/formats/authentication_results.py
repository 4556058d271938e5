# SPDX-License-Identifier: Apache-2.0
"""Authentication-Results (RFC 8601): what a mail server found out about a sender.

The text of one field as plain values. Comments (RFC 5322 §3.2.2) are left out,
quoted strings unquoted, methods and property names small. Never raises: what does not
look like a result is left out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

LONGEST = 64 * 1024
"""Characters of a field that are read."""

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s=;"]+)')
_RESULT = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*)(?:\s*/\s*\d+)?\s*=\s*([A-Za-z]+)")
_PROPERTY = re.compile(
    r"([A-Za-z][A-Za-z0-9_-]*)\s*\.\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*"
    r'(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))'
)


@dataclass(frozen=True, slots=True)
class Result:
    """One method and what it came to: ``dkim=pass header.d=a.example``.

    ``properties`` have their type and name as key (``header.d``).
    """

    method: str
    result: str
    properties: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """One field: who looked (lower-case), and what was found.

    ``authserv_id`` is empty where the field names nobody: Exchange Online leaves out
    what RFC 8601 §2.2 asks for.
    """

    authserv_id: str
    results: tuple[Result, ...]


def parse_authentication_results(text: str) -> AuthenticationResults:
    """Read the text of a field; an empty ``authserv_id`` where there is none."""
    first, *rest = parts = _parts(_without_comments(text[:LONGEST]))
    # A result is no name: no equals sign stands in one (RFC 2045 §5.1, token).
    is_nameless = _RESULT.match(first) is not None
    named = None if is_nameless else _QUOTED.search(first)
    authserv_id = (named[1] or named[2] or "").lower() if named else ""
    results = []
    for part in parts if is_nameless else rest:
        found = _RESULT.match(part)
        if found:
            properties = {
                f"{one[1]}.{one[2]}".lower(): one[3] if one[4] is None else one[4]
                for one in _PROPERTY.finditer(part, found.end())
            }
            results.append(Result(found[1].lower(), found[2].lower(), properties))
    return AuthenticationResults(authserv_id, tuple(results))


def _parts(text: str) -> list[str]:
    """The text at its semicolons; those in quoted strings part nothing."""
    parts, start, is_quoted, escaped = [], 0, False, False
    for place, char in enumerate(text):
        if escaped:
            escaped = False
        elif char == "\\" and is_quoted:
            escaped = True
        elif char == '"':
            is_quoted = not is_quoted
        elif char == ";" and not is_quoted:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return parts


def _without_comments(text: str) -> str:
    """The text with a blank for each comment, nested ones among them."""
    kept: list[str] = []
    depth, is_quoted, escaped = 0, False, False
    for char in text:
        if escaped:
            escaped = False
        elif char == "\\" and (is_quoted or depth):
            escaped = True
        elif char == '"' and not depth:
            is_quoted = not is_quoted
        elif char == "(" and not is_quoted:
            depth += 1
            kept.append(" ")
            continue
        elif char == ")" and depth and not is_quoted:
            depth -= 1
            continue
        if not depth:
            kept.append(char)
    return "".join(kept)
