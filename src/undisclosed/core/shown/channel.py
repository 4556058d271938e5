# SPDX-License-Identifier: Apache-2.0
"""A channel of the header block: which field, whom it shows, what becomes of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from undisclosed.core.address import Address

_PLAIN_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_SPELLED = {
    "arc": "ARC", "bcc": "Bcc", "cc": "Cc", "cfbl": "CFBL", "csa": "CSA",
    "dkim": "DKIM", "id": "ID", "ip": "IP", "mc": "MC", "mime": "MIME", "ms": "MS",
    "smtp": "SMTP", "smtpapi": "SMTPAPI", "spf": "SPF", "tnef": "TNEF",
}  # fmt: skip


class Role(Enum):
    """What a field's addresses are to the message."""

    SHOWN = "shown"
    DESTINATION = "destination"
    AUTHOR = "author"  # its first address is who wrote the message
    SENDER = "sender"  # its first address is who sent it
    IDENTIFIER = "identifier"  # what looks like addresses are identifiers
    OFFICE = "office"  # a list's own addresses, unless they are too many
    RETURN = "return"  # its first address is where failures go back to


@dataclass(frozen=True, slots=True)
class FieldChannel:
    """How one field shows people.

    ``label`` is the name that users read. ``read`` finds the addresses in the decoded
    text of the field's body. A field with ``is_removable`` is cut out of mail that
    leaves, where it names others. One that ``is_coded`` may name people without an at
    sign or anything that stands for one.
    """

    label: str
    read: Callable[[str], list[Address]]
    role: Role = Role.SHOWN
    is_removable: bool = False
    is_coded: bool = False


def usual_spelling(name: str) -> str:
    """A field name as people write it: ``x-original-to`` is ``X-Original-To``.

    A name that could itself hold an address is not repeated.
    """
    if not name:
        return "a line that is no field"
    if not _PLAIN_NAME.fullmatch(name):
        return "a field with an odd name"
    words = name.split("-")
    return "-".join(_SPELLED.get(word, word.capitalize()) for word in words)
