# SPDX-License-Identifier: Apache-2.0
"""The text of an Exchange journal report: a mail's envelope, line by line.

[MS-XJRNL] §2.2.1: ``Sender: ADDRESS``, then one line for each recipient, named for
the field in which the writer put them or ``Recipient``, and with ``Expanded`` or
``Forwarded`` where a list or a forwarding stands behind it. Lines of other names are
left out. Never raises.
"""

import re
from dataclasses import dataclass, field

LONGEST = 4 * 1024 * 1024
"""Characters that are read: some 50,000 recipients."""

_LINE = re.compile(
    r"^(Sender|To|Cc|Bcc|Recipient):[ \t]*<?([^\s,<>]+)", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class JournalReport:
    """Who sent the mail, empty where no line says so, and whom it went to."""

    sender: str = field(repr=False)
    recipients: tuple[str, ...] = field(repr=False)


def parse_journal_report(text: str) -> JournalReport:
    """Read the text of a report. Recipients stand once, in the order of the lines."""
    sender = ""
    recipients: dict[str, None] = {}
    for found in _LINE.finditer(text[:LONGEST]):
        if found[1].lower() == "sender":
            sender = sender or found[2]
        else:
            recipients[found[2]] = None
    return JournalReport(sender, tuple(recipients))
