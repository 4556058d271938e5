# SPDX-License-Identifier: Apache-2.0
"""Header blocks of attached messages (RFC 2046 §5.2) and fields of delivery reports.

A forwarded message shows its own To and Cc to its new readers; a delivery report
names those whom it could not reach (RFC 3464 §2.3), and returns their header. The
author of an attached message is somebody else than the author of the mail: shown.
"""

from collections.abc import Iterator

from undisclosed.core.address import Address
from undisclosed.core.mailboxes import mailboxes
from undisclosed.core.shown.channel import usual_spelling

PREFIX = "attached message: "
REPORT_PREFIX = "delivery report: "
_REPORT_FIELDS = ("original-recipient", "final-recipient", "x-actual-recipient")


def read_report(text: str) -> Iterator[tuple[str, list[Address]]]:
    """Channel and people of each field of a delivery report that names a recipient."""
    for line in text.splitlines():
        name, colon, body = line.partition(":")
        if colon and "@" in body and name.strip().lower() in _REPORT_FIELDS:
            label = usual_spelling(name.strip().lower())
            yield REPORT_PREFIX + label, mailboxes(body.rpartition(";")[2])
