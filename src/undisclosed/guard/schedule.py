# SPDX-License-Identifier: Apache-2.0
"""When a copy is tried again, and for how long (RFC 5321 §4.5.4.1)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

KEEP_TRYING = timedelta(days=5)
"""After this time a copy is given up; RFC 5321 asks for four to five days."""

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60))
"""The wait after the first, second, … try that failed for now; then the last one."""


def retry_at(
    attempts: int, now: datetime, after: Sequence[timedelta] = RETRY_AFTER
) -> datetime:
    """When to try again after so many tries, the one that just failed not counted."""
    return now + after[min(attempts, len(after) - 1)]
