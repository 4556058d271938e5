# SPDX-License-Identifier: Apache-2.0
"""A value as those see it who may not read it: that there is one, never what."""

import re
from collections.abc import Mapping
from typing import Final

SIGN: Final = "▇"
_LEADS_TO: Final = re.compile(r"\s*(https?://|mailto:|tel:)", re.IGNORECASE)
_STEP: Final = 3  # signs: a word is short, middling or long, and nothing more is told
_LONGEST: Final = 3 * _STEP


def masked(value: str) -> str:
    """What kind of value it is: words, an address, a link. Empty where it is empty."""
    if leads := _LEADS_TO.match(value):
        return f"{leads[1].lower()}{SIGN * _STEP}"
    return " ".join(map(_word, value.split()))


def masked_values(values: Mapping[str, str]) -> dict[str, str]:
    """The same of every value."""
    return {name: masked(value) for name, value in values.items()}


def _word(word: str) -> str:
    if "@" in word.strip("@"):
        return f"{SIGN * _STEP}@{SIGN * _STEP}"
    return SIGN * min(-(-len(word) // _STEP) * _STEP, _LONGEST)
