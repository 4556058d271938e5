# SPDX-License-Identifier: Apache-2.0
"""A message's bytes as text for a page: fields as they were written, then the body."""

import re
from dataclasses import dataclass
from typing import Final

from undisclosed.core.header import split_content
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content

MAX_FIELDS: Final = 200
MAX_BODY: Final = 20_000
"""Fields and characters of one field that a page shows; the raw bytes have all."""


@dataclass(frozen=True, slots=True)
class ShownField:
    """One header field as text: its name and its unfolded body."""

    name: str
    body: str


def fields_of(content: bytes) -> tuple[ShownField, ...]:
    """The header fields in their order, unfolded, not decoded further."""
    return tuple(
        ShownField(_text(field.raw_name), _text(b" ".join(field.body.split())))
        for field in split_content(content).fields[:MAX_FIELDS]
    )


def text_of(content: bytes) -> str:
    """What a reader would see of the body; HTML without its tags."""
    return read_content(content, Policy()).visible_text


def linked(text: str, *, own: str) -> tuple[tuple[str, str], ...]:
    """The text in pieces, each with where it leads: "" but for links of our own.

    ``own`` is this console's URL. A notice that was caught leads to its page, and
    nothing else in a message leads anywhere.
    """
    found, end = list[tuple[str, str]](), 0
    for match in re.finditer(rf"{re.escape(own.rstrip('/'))}(/[\w./=-]*)", text):
        found += [(text[end : match.start()], ""), (match[0], match[1])]
        end = match.end()
    return (*found, (text[end:], ""))


def _text(raw: bytes) -> str:
    """Bytes as text that shows what is no UTF-8, cut where a page would burst."""
    text = raw[: MAX_BODY + 1].decode("utf-8", "backslashreplace")
    return text if len(text) <= MAX_BODY else f"{text[:MAX_BODY]} …"
