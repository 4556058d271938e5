# SPDX-License-Identifier: Apache-2.0
"""HTML as a browser would show it, where tags and comments stand inside an address.

The quick reading (``core.text``) takes every ``<…>`` for a tag. A browser does not:
a comment may hold brackets, an attribute may hold ``>``, an invisible element or a
picture may part two halves of an address that stand beside each other on the screen.
Each pattern here is linear: what it begins to read it reads to an end.
"""

import html
import re

from undisclosed.core.address import Address
from undisclosed.core.text import addresses_in_text, without_unseen

_GAP = "\x1e"
"""Stands where an element begins or ends that is a box of its own."""

# WHATWG HTML §13.2.5: comments, bogus comments, tags with quoted attributes.
# Lazily, to the first end: before 3.11.5 Python matches possessive groups wrongly.
_COMMENT = re.compile(r"<!--(?:-?>|.*?(?:--!?>|\Z))", re.DOTALL)
_BOGUS_COMMENT = re.compile(r"<(?:[!?]|/(?![a-zA-Z]))[^>]*+(?:>|\Z)")
_ATTRIBUTES = r"(?:[^>=]++|=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))?)*(?:>|\Z)"
_BOX = re.compile(
    r"</?(?:address|article|aside|blockquote|body|br|button|caption|center|dd|div|dl|dt"
    r"|fieldset|figure|footer|form|h[1-6]|head|header|hr|html|iframe|img|input|legend"
    r"|li|main|nav|ol|option|p|pre|section|select|table|tbody|td|textarea|tfoot|th"
    rf"|thead|title|tr|ul|video)(?![\w:-]){_ATTRIBUTES}",
    re.IGNORECASE,
)
_TAG = re.compile(rf"</?[a-zA-Z]{_ATTRIBUTES}")
_HIDDEN = re.compile(
    r"<([a-z][a-z0-9]{0,15})\b[^<>]{0,400}?"
    r"(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden"
    r"|(?:font-size|opacity|max-height)\s{0,9}:\s{0,9}0|mso-hide|\shidden\b)"
    r"[^<>]{0,400}>[^<>]{0,1000}</\1\s{0,9}>",
    re.IGNORECASE,
)
_GAPS = re.compile(rf"(?<![\s{_GAP}])[\s{_GAP}]++")
# An at sign without one of its sides: something may stand between them.
_HALF = re.compile(
    rf"(?:\A|[\s<>()\[\]{{}},;:\"{_GAP}])@(?=[{_GAP}\w-]*\.\w|\Z|[^\w\s])"
    r"|\w@(?![\w\[])"
)


def addresses_as_shown(source: str) -> list[Address]:
    """Every address in HTML that stands in it as a browser would show it."""
    text = _shown(_COMMENT.sub("", source) if "<!" in source else source)
    found = addresses_in_text(text)
    if _HALF.search(text):
        hidden = _shown(_HIDDEN.sub("", _COMMENT.sub("", source)))
        for each in (_joined(text), hidden, _joined(hidden)):
            found += addresses_in_text(each)
    lowered = source.lower()
    if "bidi-override" in lowered or "<bdo" in lowered or "\u202e" in lowered:
        found += addresses_in_text(text[::-1])
    return found


def _shown(source: str) -> str:
    """The text between the tags, boxes apart from each other."""
    source = without_unseen(source, gap="")
    if "<!" in source or "<?" in source or "</" in source:
        source = _BOGUS_COMMENT.sub("", source)
    return html.unescape(_TAG.sub("", _BOX.sub(_GAP, source)))


def _joined(text: str) -> str:
    """The text with boxes that end before an at sign, or begin behind it, as one."""
    once = _GAPS.sub(lambda gap: _GAP if _GAP in gap[0] else gap[0], text)
    return (
        once.replace(f"{_GAP}@", "@").replace(f"@{_GAP}", "@").replace(f"{_GAP}.", ".")
    )
