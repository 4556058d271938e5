# SPDX-License-Identifier: Apache-2.0
"""From, Sender and Return-Path (RFC 5322 §3.6.2, §3.6.7).

The first address of the first From is the author, the first of Sender the sender,
the first of Return-Path where failures go back to: the message's own side, not shown
to anybody. Every further address in these fields is shown: a From field may hold a
list of people (RFC 5322 §3.6.2), and a list of 250 put there by mistake is one.

Who resent a message (Resent-From, Resent-Sender) is not its author, and is shown.
"""

import re

from undisclosed.core.address import Address
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.channel import FieldChannel, Role, usual_spelling

_ROLES = {
    "from": Role.AUTHOR,
    "sender": Role.SENDER,
    "return-path": Role.RETURN,
    "resent-from": Role.SHOWN,
    "resent-sender": Role.SHOWN,
}

CHANNELS = {
    name: FieldChannel(usual_spelling(name), mailboxes, role)
    for name, role in _ROLES.items()
}

_NAMES_AND_COMMENTS = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*"\s*(?!@)|\([^()]*\)')
_ANGLED = re.compile(r"<([^<>]*@[^<>]*)>")
LONGEST_STRUCTURED = 4096
"""Characters of a field in which the first mailbox is looked for by its structure."""


def first_mailbox(text: str, found: list[Address]) -> Address | None:
    """The first mailbox of an address list (RFC 5322 §3.4), out of those ``found``.

    An address in the display name before it is not the author: ``"bob@b.example"
    <ann@a.example>`` was written by ann.
    """
    if len(found) < 2:
        return found[0] if found else None
    structure = _NAMES_AND_COMMENTS.sub(" ", text[:LONGEST_STRUCTURED])
    first = next((item for item in structure.split(",") if "@" in item), "")
    angled = _ANGLED.search(first)
    named = mailboxes(angled[1] if angled else first)
    return named[-1] if named else found[0]
