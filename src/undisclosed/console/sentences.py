# SPDX-License-Identifier: Apache-2.0
"""Sentences that the core wrote, in the reader's language.

A finding is stored as it was written, in English, with its numbers and its channels
in it. The catalogue knows it by what stays the same: numbers become ``{0}``, ``{1}``
and so on, the channels in brackets the last of them.
"""

import re
from typing import Final

from django.utils.translation import gettext

_PARTS: Final = re.compile(r"\d[\d,]*|(?<=\()[^()]+(?=\)\.?$)")


def pattern_of(sentence: str) -> tuple[str, tuple[str, ...]]:
    """The message id of a sentence, and what stands at its places.

    >>> pattern_of("37 people would see each other's addresses (To, Cc).")
    ("{0} people would see each other's addresses ({1}).", ('37', 'To, Cc'))
    """
    found: list[str] = []

    def place(match: re.Match[str]) -> str:
        found.append(match[0])
        return f"{{{len(found) - 1}}}"

    return _PARTS.sub(place, sentence), tuple(found)


def in_the_readers_language(sentence: str) -> str:
    """The sentence as the catalogue has it, with its own numbers; else as it is."""
    if not sentence or "{" in sentence:
        return sentence
    pattern, parts = pattern_of(sentence)
    translated = gettext(pattern)
    for number, part in enumerate(parts):
        translated = translated.replace(f"{{{number}}}", part)
    return translated
