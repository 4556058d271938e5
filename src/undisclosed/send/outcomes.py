# SPDX-License-Identifier: Apache-2.0
"""What an answer of the next hop means for a delivery."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from undisclosed.core.campaign import DeliveryState
from undisclosed.store.ledger import Marked
from undisclosed.transport.smtp.bulk import Handed, Outcome

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""Waits after the first, second, … answer that was no for now; the last one repeats."""

KEEP_TRYING = timedelta(days=2)
"""How long a delayed message is tried, unless its campaign ends before."""

_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


def marked(
    outcome: Outcome,
    *,
    attempts: int,
    now: datetime,
    until: datetime,
    retry_after: Sequence[timedelta] = RETRY_AFTER,
) -> Marked | None:
    """The row's next state; None where it stays in doubt.

    ``attempts`` were made before this one; behind ``until`` nothing is tried again.
    """
    number, reply = outcome.number, outcome.reply
    if outcome.handed is Handed.UNKNOWN:
        return None
    again_at = now + retry_after[min(attempts, len(retry_after) - 1)]
    if outcome.handed is Handed.NOT_HANDED_OVER:
        # Nothing of it left: it is waiting as before, and was not refused.
        return Marked(
            number,
            DeliveryState.QUEUED,
            again_at=again_at,
            reason="hop",
            attempt=attempts + 1,
        )
    status = _STATUS.match(reply.lines[0])
    facts = (reply.code, status[0] if status else "", reply.text[:1000])
    if reply.is_positive:
        return Marked(number, DeliveryState.SENT, *facts, attempt=attempts + 1)
    if reply.is_transient and again_at <= until:
        delayed = DeliveryState.DELAYED
        return Marked(number, delayed, *facts, again_at, attempt=attempts + 1)
    reason = "given up" if reply.is_transient else "refused"
    failed = DeliveryState.FAILED
    return Marked(number, failed, *facts, reason=reason, attempt=attempts + 1)
