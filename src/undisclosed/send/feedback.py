# SPDX-License-Identifier: Apache-2.0
"""Feedback-ID: how a mailbox provider tells us what was complained about.

Gmail reads three words and the sender's own name, parted by colons, and counts
complaints by each of them. Providers cut addresses out of what they return, and often
our other fields with them; this one they leave. It says which campaign and which
message it was, to us alone: both are opaque, and have nothing in common with the
Message-ID, the return path or the link to unsubscribe of the same message.
"""

import re
from typing import Final

from undisclosed.core.campaign import MailKind
from undisclosed.send.tokens import LENGTH, Purpose, Tokens

CAMPAIGN: Final = 0
"""The row in the token that all messages of a campaign share: no list has it."""

IN_REPORT: Final = re.compile(
    rb"^Feedback-ID[ \t]*:\s*[^:\s]+:\s*[^:\s]+:\s*([a-z2-7]{%d}):" % LENGTH,
    re.IGNORECASE | re.MULTILINE,
)
"""The message's own token in a field that is returned, folded or not."""


def feedback_id(
    tokens: Tokens, serial: int, row: int, *, kind: MailKind, sender: str
) -> str:
    """The field's body: campaign, kind of mail, message, and the sender's name."""
    campaign = tokens.make(Purpose.FEEDBACK, serial, CAMPAIGN)
    return (
        f"{campaign}:{kind.value}:{tokens.make(Purpose.FEEDBACK, serial, row)}:{sender}"
    )
