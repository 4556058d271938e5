# SPDX-License-Identifier: Apache-2.0
"""Protected header fields: copies of To, Cc and others under a signature or cipher.

A mail reader that knows RFC 9788 shows them instead of the message's own fields, as
it shows the fields of a message that S/MIME wraps (RFC 8551 §3.1). Rewriting the
outer fields hides nobody who stands here. The draft before it, which Enigmail and
others still write, marks such a part with ``protected-headers="v1"``.
"""

from undisclosed.core.shown import name_and_channel
from undisclosed.core.shown.channel import FieldChannel

PREFIX = "protected header: "


def is_of_the_part(name: str) -> bool:
    """Whether the field says how the part is to be read, as it would in any part."""
    return name.startswith("content-") or not name


def channel_of_protected(raw_name: bytes) -> FieldChannel | None:
    """The channel of a protected field; None for fields that name nobody."""
    name, channel = name_and_channel(raw_name)
    return None if is_of_the_part(name) else channel
