# SPDX-License-Identifier: Apache-2.0
"""The texts of a draft that are the same for all, and where in it something stands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from undisclosed.core.campaign import Draft

_TAG = re.compile(r"\{\{[^{}]{0,500}\}\}|\{%[^{}]{0,500}%\}|\{#.{0,500}?#\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Written:
    """A text that somebody wrote: what it is called, and whether it has lines."""

    place: str
    text: str = field(repr=False)
    has_lines: bool = False

    def at(self, start: int) -> str:
        """Where in the draft a place of this text is."""
        if not self.has_lines:
            return self.place
        return f"{self.place}, line {self.text.count(chr(10), 0, start) + 1}"


def written(draft: Draft) -> Iterator[Written]:
    """The sender's name, the subject and the text, without what is filled in."""
    yield Written("sender", draft.author_name)
    yield Written("subject", without_tags(draft.subject))
    yield Written("text", without_tags(draft.markdown), has_lines=True)


def without_tags(source: str) -> str:
    """A template without its fields and conditions; every line stays where it is."""
    return _TAG.sub(lambda tag: " " + "\n" * tag[0].count("\n"), source)
