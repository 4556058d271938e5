# SPDX-License-Identifier: Apache-2.0
"""The recipients that an address list names (RFC 5322 §3.4), as ``sendmail -t`` has it.

The guard reads a superset of addresses, since it asks who could be seen. Whom a mail
goes to is another question: exactly the people that its author meant. So a list is
read by its grammar here, with what local programs are used to (names without a
domain, a semicolon between addresses, names without the quotes that they would need),
and a list that could be taken in two ways is refused whole.
"""

import re
from collections.abc import Iterator

from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.errors import UndisclosedError

_PIECE = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<angle><(?:[^<>"]|"(?:[^"\\]|\\.)*")*>)'
    r"|(?P<comment>\()|(?P<end>[,;])|(?P<colon>:)|(?P<odd>[\"<>)])"
    r'|(?P<text>[^"<>(),;:]+)'
)
_PARENTHESES = re.compile(r"\\.|[()]")
_LOCAL_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}\Z")
_SPOILT = re.compile("[\x00-\x08\x0b-\x1f\x7f\ufffd]")
_ADDR_SPEC = re.compile(
    r"(?:[\w!#$%&'*+/=?^`{|}~.-]+|\"(?:[^\"\\]|\\.)*\")"
    r"@(?:\[[\w.:-]+\]|\w+(?:[.-]+\w+)*\.?)\Z"
)


class NoRecipientList(UndisclosedError):
    """A list of recipients can be read in more than one way: nothing was sent."""


def recipient_list(text: str, domain: str) -> tuple[Address, ...]:
    """The mailboxes of an unfolded address list, each person once, in its order.

    Comments, display names and the names of groups are left out; a name without a
    domain is one of ``domain``. Raises NoRecipientList.
    """
    if _SPOILT.search(text):
        raise NoRecipientList
    specs = (spec for spec in _specs(text) if spec)
    return tuple(dict.fromkeys(one_recipient(spec, domain) for spec in specs))


def one_recipient(spec: str, domain: str) -> Address:
    """An addr-spec (RFC 5322 §3.4.1), or a local name. Raises NoRecipientList."""
    if _LOCAL_NAME.match(spec):
        return Address(spec, domain)
    address = parse_addr_spec(spec)
    if address is None or not _ADDR_SPEC.match(address.spelled_out()):
        raise NoRecipientList
    return address


def _specs(text: str) -> Iterator[str]:
    """What stands for the address in each item of the list; empty where none does."""
    words: list[str] = []
    angle: str | None = None
    position = 0
    while position < len(text):
        piece = _PIECE.match(text, position)
        if piece is None:
            raise NoRecipientList
        position = piece.end()
        match piece.lastgroup:
            case "comment":
                position = _after_comment(text, position)
            case "end":
                yield _spec(words, angle)
                words, angle = [], None
            case "colon":
                # What stood before it is the name of a group (RFC 5322 §3.4).
                words, angle = _after_group_name(angle), None
            case "angle" if angle is None:
                angle = piece[0][1:-1].strip()
                words = []
            case "angle" | "odd":
                raise NoRecipientList
            case _:
                words.append(piece[0])
    yield _spec(words, angle)


def _spec(words: list[str], angle: str | None) -> str:
    said = "".join(words).strip()
    if angle is None:
        return said
    if said or not angle:
        raise NoRecipientList
    return angle


def _after_group_name(angle: str | None) -> list[str]:
    if angle is not None:
        raise NoRecipientList
    return []


def _after_comment(text: str, position: int) -> int:
    """Where a comment ends (RFC 5322 §3.2.2); comments may be nested."""
    depth = 1
    for mark in _PARENTHESES.finditer(text, position):
        depth += {"(": 1, ")": -1}.get(mark[0], 0)
        if depth == 0:
            return mark.end()
    raise NoRecipientList
