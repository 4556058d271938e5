# SPDX-License-Identifier: Apache-2.0
"""What the guard counts has fixed words for labels."""

from datetime import timedelta

from undisclosed.core.held import CopyEvent
from undisclosed.core.verdict import Action
from undisclosed.guard.endpoints.smtp import Metrics
from undisclosed.guard.metrics import GuardMetrics, Silent


def test_everything_is_counted_under_its_name():
    metrics = GuardMetrics()

    metrics.accepted()
    metrics.held()
    metrics.rejected()
    metrics.refused(451)
    metrics.seconds(0.004)
    metrics.judged(Action.HOLD, True)
    metrics.trouble("memory")
    metrics.tried(CopyEvent.REPLY_4XX)
    metrics.waiting(3, timedelta(hours=2))

    text = metrics.exposition().decode()
    for line in (
        'undisclosed_mails_total{outcome="accepted"} 1.0',
        'undisclosed_mails_total{outcome="held"} 1.0',
        'undisclosed_mails_total{outcome="rejected"} 1.0',
        'undisclosed_mails_total{outcome="refused"} 1.0',
        'undisclosed_refusals_total{code="451"} 1.0',
        'undisclosed_verdicts_total{action="hold",observed="yes"} 1.0',
        'undisclosed_troubles_total{what="memory"} 1.0',
        'undisclosed_copies_total{answer="4xx"} 1.0',
        'undisclosed_seconds_bucket{le="0.005"} 1.0',
        "undisclosed_waiting_holds 3.0",
        "undisclosed_oldest_hold_seconds 7200.0",
    ):
        assert line in text


def test_two_guards_do_not_count_into_one_another():
    one, other = GuardMetrics(), GuardMetrics()

    one.held()

    assert 'outcome="held"} 0.0' in other.exposition().decode()


def test_it_is_what_the_endpoint_asks_for():
    counted: Metrics = GuardMetrics()

    counted.accepted()


def test_silence_counts_nothing():
    silent = Silent()

    silent.trouble("memory")
    silent.judged(Action.ACCEPT, False)
