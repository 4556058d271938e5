# SPDX-License-Identifier: Apache-2.0
"""Fields in which gateways and servers leave the envelope's recipients behind.

Apparently-To (sendmail), Envelope-To (Exim), X-Envelope-To, X-Original-To, X-RCPT-To,
X-To, X-Cc, X-Bcc and any other ``X-…-To`` that is not about answers or reports. They
tell each recipient of the others, hidden ones included, and no reader needs them, so
they are removed from mail that leaves.

Delivered-To names others as well, and stays: servers find mail loops by it (RFC 9228
§1), and an MTA adds it for one recipient alone. It is shown.
"""

import functools
import re

from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.channel import FieldChannel, usual_spelling

_REMOVABLE = re.compile(
    r"(?:x-)?(?:apparently|envelope|original|rcpt|smtp-rcpt|real|intended)-(?:to|cc|rcpt)"
    r"|(?:x-)?(?:envelope|original|smtp|mail)-recipients?"
    r"|x-(?:[a-z0-9_-]*-)?(?:to|cc|bcc|rcpts?|rcptto|recipients?|receivers?)"
)
_KEPT = re.compile(
    r"x-(?:[a-z0-9_-]*-)?(?:reply|replies|followup|errors?|warnings?|complaints?|abuse"
    r"|report|reports|reading|delivery|acknowledge|confirm|failed|delivered|forwarded"
    r"|unsubscribe|loop|in-reply|up|how|due|resent-reply)-(?:to|recipients)"
)
_SHOWN = ("delivered-to", "x-delivered-to", "x-forwarded-to", "x-forwarded-for")

CHANNELS = {name: FieldChannel(usual_spelling(name), mailboxes) for name in _SHOWN}


@functools.lru_cache(maxsize=1024)
def gateway_channel(name: str) -> FieldChannel | None:
    """The channel of a field that repeats the envelope; None for other fields."""
    if not _REMOVABLE.fullmatch(name[:80]) or _KEPT.fullmatch(name):
        return None
    return FieldChannel(usual_spelling(name), mailboxes, is_removable=True)
