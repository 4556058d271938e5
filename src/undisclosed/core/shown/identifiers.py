# SPDX-License-Identifier: Apache-2.0
"""Message identifiers (RFC 5322 §3.6.4) look like addresses and are none.

What stands right of the at sign in a Message-ID is a host, left of it a number: no
person is named, and References repeats dozens of them. Counting them would hold every
long thread. Where a message is answered by an old mail program, In-Reply-To may also
say ``Message from Ann <ann@a.example> of Friday``: whoever stands outside of angle
brackets, or behind a name, is a person, and shown. One identifier without brackets is
the mistake of a mail program; several are a list. An identifier that is the address of
a viewer is that viewer's (``core.quiet_fields``).
"""

import re

from undisclosed.core.address import Address
from undisclosed.core.shown.channel import FieldChannel, Role, usual_spelling
from undisclosed.core.text import addresses_in_text

_NAMES = re.compile(
    r"(?:.*-)?message-id|references|x-references|content-id|supersedes|article-names"
    r"|x-ms-tnef-correlator|x-ms-exchange-parent-message-id|obsoletes|x-mailman-hash"
    r"|x-ms-exchange-calendar-series-.*|x-face|face|x-uidl|x-uid|thread-index|openpgp"
)
_IDENTIFIER = re.compile(r'(?:(?<=^)|(?<=[\s;,>"]))(?<![\w.] )<[^<>]*>')


_NAMED = re.compile(r"[\w\"] +<[^<>]*@")


def is_identifier(name: str) -> bool:
    """Whether the field of this name holds identifiers and nothing else."""
    return bool(_NAMES.fullmatch(name[:80]))


def _read(text: str) -> list[Address]:
    return addresses_in_text(_IDENTIFIER.sub(" ", text))


def _read_identifiers(text: str) -> list[Address]:
    if text.count("@") < 2 and "%40" not in text:
        return []
    found = _read(text)
    return found if len(dict.fromkeys(found)) > 1 or _NAMED.search(text) else []


def identifier_channel(name: str) -> FieldChannel | None:
    """The channel of a field that holds identifiers and nothing else; else None."""
    if not is_identifier(name):
        return None
    return FieldChannel(usual_spelling(name), _read_identifiers, Role.IDENTIFIER)


CHANNELS = {"in-reply-to": FieldChannel("In-Reply-To", _read, Role.IDENTIFIER)}
