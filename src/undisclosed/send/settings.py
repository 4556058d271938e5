# SPDX-License-Identifier: Apache-2.0
"""How campaigns are sent."""

from dataclasses import dataclass, field
from datetime import timedelta

from undisclosed.formats.dkim import DkimKey
from undisclosed.send.outcomes import KEEP_TRYING, RETRY_AFTER


@dataclass(frozen=True, slots=True)
class SendSettings:
    """How a worker sends campaigns. Times as timedelta.

    ``return_domain`` takes the bounces: empty stands for the author's own address.
    ``unsubscribe_page`` has ``{token}`` in it; empty: marketing cannot be sent.
    ``batch`` rows are claimed at once, at most ``group`` of them are written down as
    about to leave in one transaction: after a crash at most twice as many are in doubt,
    for each worker. ``record_for`` is how long a worker tries to record answers that
    it has while the database is away.
    ``lease`` is for how long rows are a worker's own. It runs from when they are
    written down as about to leave, and outlasts what a connection may take for the two
    messages on it (``transport.smtp.bulk.Patience``): else another worker would decide
    about a message whose answer is still waited for. What a dead worker had is free
    without it (``store.presence``).
    ``feedback_sender`` is our name in Feedback-ID, empty: no such field.
    ``asks_delivered``: the next hop is asked for a report of each delivery.
    More than ``fewest_failures``, and more than ``worst_share`` of what was answered,
    pause a campaign.
    """

    hostname: str = "localhost"
    return_domain: str = ""
    unsubscribe_page: str = ""
    batch: int = 1000
    group: int = 50
    connections: int = 10
    lease: timedelta = timedelta(hours=1)
    retry_after: tuple[timedelta, ...] = RETRY_AFTER
    keep_trying: timedelta = KEEP_TRYING
    fewest_failures: int = 10
    worst_share: float = 0.05
    record_for: timedelta = timedelta(minutes=2)
    dkim_key: DkimKey | None = field(default=None, repr=False)
    feedback_sender: str = ""
    asks_delivered: bool = False
