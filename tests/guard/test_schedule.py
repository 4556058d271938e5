# SPDX-License-Identifier: Apache-2.0
"""A copy is tried again soon at first, then every hour."""

from datetime import UTC, datetime

from undisclosed.guard.schedule import retry_at

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_the_waits_grow_to_an_hour():
    waits = [
        (retry_at(attempts, NOW) - NOW).total_seconds() / 60 for attempts in range(8)
    ]

    assert waits == [1, 5, 15, 30, 60, 60, 60, 60]
