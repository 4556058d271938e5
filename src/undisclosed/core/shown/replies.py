# SPDX-License-Identifier: Apache-2.0
"""Where an answer goes: Reply-To (RFC 5322 §3.6.2) and its relatives.

A client's *reply all*, a list server or a template may put everybody there.
"""

from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.channel import FieldChannel, usual_spelling

_NAMES = (
    "reply-to",
    "resent-reply-to",
    "mail-reply-to",
    "mail-followup-to",
    "followup-to",
    "x-reply-to",
    "x-mail-reply-to",
    "x-mail-followup-to",
    "x-original-reply-to",
    "x-ms-exchange-reply-to",
)

CHANNELS = {name: FieldChannel(usual_spelling(name), mailboxes) for name in _NAMES}
