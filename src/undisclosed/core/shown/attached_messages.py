# SPDX-License-Identifier: Apache-2.0
"""Header blocks of attached messages (RFC 2046 §5.2) and fields of delivery reports.

A forwarded message shows its own To and Cc to its new readers; a delivery report
names those whom it could not reach (RFC 3464 §2.3), and returns their header. The
author of an attached message is somebody else than the author of the mail: shown.
"""

import re
from collections.abc import Iterator

from undisclosed.core.address import Address
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.channel import usual_spelling
from undisclosed.core.text import addresses_in_text

PREFIX = "attached message: "
OUTLOOK = "winmail.dat: "
OUTLOOK_TEXTS = (f"{OUTLOOK}text", f"{OUTLOOK}attachment")
"""Of a message in Outlook's own form, what its author wrote, not who gets it."""

REPORT_PREFIX = "delivery report: "
_OTHER_FIELDS = "other fields"
_IDENTIFIERS = (
    "original-envelope-id",
    "original-message-id",  # RFC 8098 §3.2.5
    "x-original-message-id",
    "x-postfix-queue-id",
)
_FOLD = re.compile(r"\r?\n(?=[ \t])")
_REPORT_FIELDS = ("original-recipient", "final-recipient", "x-actual-recipient")


def read_report(text: str) -> Iterator[tuple[str, list[Address]]]:
    """Channel and people of each field of a delivery report that names anybody."""
    for line in _FOLD.sub(" ", text).splitlines():
        name, colon, body = line.partition(":")
        name = name.strip().lower()
        if colon and "@" in body and name in _REPORT_FIELDS:
            yield (
                REPORT_PREFIX + usual_spelling(name),
                mailboxes(body.rpartition(";")[2]),
            )
        elif "@" in line and name not in _IDENTIFIERS:
            yield REPORT_PREFIX + _OTHER_FIELDS, addresses_in_text(line)
