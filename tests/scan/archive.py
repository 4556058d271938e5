# SPDX-License-Identifier: Apache-2.0
"""Messages and archives that the tests of the scan are written with."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from undisclosed.core.policy import Policy
from undisclosed.scan.scan import Result, scan
from undisclosed.transport.mailbox import Message

MONDAY = datetime(2024, 1, 8, 9, 0, tzinfo=UTC)
SURVEY = (
    "Please tell us until the end of the month how you were treated. Your answers are"
    " confidential; nobody outside the team will read them."
)


def people(first: int, count: int) -> list[str]:
    """Outsiders of as many organisations as there are people."""
    return [f"person{n}@place{n}.example" for n in range(first, first + count)]


def written(
    to: Sequence[str],
    *,
    sender: str = "team@council.example",
    subject: str = "Survey",
    text: str = SURVEY,
    days: float = 0,
    field: str = "To",
    identity: str = "",
) -> bytes:
    """One message."""
    sent = MONDAY + timedelta(days=days)
    lines = [
        f"From: {sender}",
        f"{field}: {', '.join(to)}",
        f"Subject: {subject}",
        f"Date: {sent:%a, %d %b %Y %H:%M:%S +0000}",
        f"Message-ID: <{identity or hash((tuple(to), days, subject))}@council.example>",
        "",
        text,
        "",
    ]
    return "\n".join(lines).encode()


def mbox(contents: Iterable[bytes]) -> bytes:
    """An mbox of messages without a line that needs quoting."""
    separator = b"From team@council.example Mon Jan  8 09:00:00 2024\n"
    return b"".join(separator + content + b"\n" for content in contents)


def scanned(contents: Iterable[bytes], *, jobs: int = 1, **policy: object) -> Result:
    """A scan of messages named by their place, from 1."""
    items = [Message(str(n), content) for n, content in enumerate(contents, 1)]
    return scan(items, Policy(**policy), jobs=jobs)  # type: ignore[arg-type]
