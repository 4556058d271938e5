# SPDX-License-Identifier: Apache-2.0
"""Message identifiers (RFC 5322 §3.6.4) look like addresses and are none.

What stands right of the at sign in a Message-ID is a host, left of it a number: no
person is named, and References repeats dozens of them. Counting them would hold every
long thread. Where a message is answered by an old mail program, In-Reply-To may also
say ``Message from Ann <ann@a.example> of Friday``: whoever stands outside of angle
brackets, or behind a name, is a person, and shown.
"""

import re

from undisclosed.core.address import Address
from undisclosed.core.shown.channel import FieldChannel
from undisclosed.core.text import addresses_in_text

_NAMES = re.compile(
    r"(?:.*-)?message-id|references|x-references|content-id|supersedes|article-names"
    r"|x-ms-tnef-correlator|x-ms-exchange-parent-message-id|obsoletes|x-mailman-hash"
    r"|x-ms-exchange-calendar-series-.*|x-face|face|x-uidl|x-uid|thread-index|openpgp"
)
_IDENTIFIER = re.compile(r'(?:(?<=^)|(?<=[\s;,>"]))(?<![\w.] )<[^<>]*>')


def is_identifier(name: str) -> bool:
    """Whether the field of this name holds identifiers and nothing else."""
    return bool(_NAMES.fullmatch(name[:80]))


def _read(text: str) -> list[Address]:
    return addresses_in_text(_IDENTIFIER.sub(" ", text))


CHANNELS = {"in-reply-to": FieldChannel("In-Reply-To", _read)}
