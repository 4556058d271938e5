# SPDX-License-Identifier: Apache-2.0
"""At signs that nobody answers for: neither an allowed address nor constant text.

Reading finds the addresses that a mail system would take for ones. This asks the other
way round: each at sign, however it is spelled, has to be explained. So a spelling that
no reading knows (a local host, quotes, a space) is not let through for want of a name.
"""

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final
from urllib.parse import unquote

from undisclosed.core.address import Address
from undisclosed.core.mailboxes import as_seen
from undisclosed.core.masking import masked

_ROUNDS: Final = 4  # encodings in each other that are undone
_MASKED: Final = masked("a@a")
_IDEOGRAPHIC_STOP: Final = "\u3002"  # a dot in domains (RFC 3490 §3.1)
_LONGEST_ADDRESS: Final = 320
_LONGEST_LINK: Final = 2_000
_LONGEST_WORD: Final = 80

_NO_LOCAL_PART: Final = re.compile(r"[^\w!#$%&'*+/=?^`{|}~.-]")
_NOT_FIRST: Final = "'*`~.!?^&#$%=+_-"
_NOT_LAST: Final = "._-"
_DOMAIN: Final = re.compile(r"[\w.-]+|\[[^\]\s]{1,60}\]")
_KEY: Final = re.compile(
    r"(?:[\w-]*(?:mail|addr|address|user|login)\w*|to|cc|id)=", re.IGNORECASE
)
_LINK: Final = re.compile(r"(?:://|\bmailto:)[^\s<>\"]*\Z", re.IGNORECASE)
_IN_LINK: Final = re.compile(r"[/?&=#;]")
_ORDINARY: Final = re.compile(r"[\w.+-]+")
_BETWEEN: Final = re.compile(r"[\s<>\"]")
_BLANKS: Final = " \t\u00a0"
_PUNCTUATION: Final = ".,;:!?)"


def plainly(text: str) -> str:
    """A text whose at signs are all plain: percent forms, entities, look-alikes."""
    for _ in range(_ROUNDS):
        before = text
        if "%" in text:
            text = unquote(text)
        if "&" in text:
            text = html.unescape(text)
        text = as_seen(text).replace(_IDEOGRAPHIC_STOP, ".")
        if text == before:
            break
    return text


def constant_signs(texts: Iterable[str]) -> frozenset[str]:
    """The at signs of the template's own text, each with the words around it."""
    return frozenset(
        _around(plain, at) for plain in map(plainly, texts) for at in _signs(plain)
    )


def has_unexplained_sign(
    text: str, people: AbstractSet[Address], constant: AbstractSet[str]
) -> bool:
    """Whether an at sign is in no address of ``people`` and not in ``constant``."""
    plain = plainly(text).replace(_MASKED, "")
    return any(
        not _is_one_of(plain, at, people) and _around(plain, at) not in constant
        for at in _signs(plain)
    )


def _signs(plain: str) -> Iterator[int]:
    at = plain.find("@")
    while at >= 0:
        yield at
        at = plain.find("@", at + 1)


def _around(plain: str, at: int) -> str:
    """An at sign with what stands around it: no more than a word on each side."""
    before = plain[max(0, at - _LONGEST_WORD) : at]
    after = plain[at + 1 : at + 1 + _LONGEST_WORD]
    right = _BETWEEN.split(after.lstrip(_BLANKS), maxsplit=1)[0].rstrip(_PUNCTUATION)
    is_first = not before or before[-1].isspace() or before[-1] in "<>("
    if is_first and right and after[0] == right[0]:
        return f"@{right}"  # a name in a social network, whatever is before it
    left = _BETWEEN.split(before.rstrip(_BLANKS))[-1]
    return f"{left} @ {right}"


def _is_one_of(plain: str, at: int, people: AbstractSet[Address]) -> bool:
    """Whether an at sign is in one of these addresses, and in nothing longer."""
    after = _normal(plain[at + 1 : at + 1 + _LONGEST_ADDRESS])
    match = _DOMAIN.match(after)
    if match is None or unicodedata.combining(after[match.end() :][:1] or " "):
        return False
    domain = match[0].rstrip(_NOT_LAST)
    before = _normal(plain[max(0, at - _LONGEST_ADDRESS) : at])
    link = _LINK.search(plain, max(0, at - _LONGEST_LINK), at) is not None
    if any(Address(one, domain) in people for one in _local_parts(before, link)):
        return True
    return any(
        Address(one.local_part, domain) == one and _ends_with(before, one)
        for one in people
    )


def _local_parts(before: str, link: bool) -> Iterator[str]:
    whole = _NO_LOCAL_PART.split(before)[-1]
    readings = [whole, whole.lstrip(_NOT_FIRST), whole[_end_of_key(whole) :]]
    if link:
        readings.append(_IN_LINK.split(whole)[-1])
    return filter(None, readings)


def _end_of_key(whole: str) -> int:
    key = _KEY.match(whole)
    return key.end() if key else 0


def _ends_with(before: str, one: Address) -> bool:
    """Whether a local part stands there that is more than letters, digits and dots."""
    local_part = _normal(plainly(one.local_part)).lower()
    if _ORDINARY.fullmatch(local_part) or not before.lower().endswith(local_part):
        return False
    return not before[: len(before) - len(local_part)][-1:].isalnum()


def _normal(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)
