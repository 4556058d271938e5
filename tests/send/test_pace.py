# SPDX-License-Identifier: Apache-2.0
"""No more is in doubt than keeps the connections busy."""

from hypothesis import given
from hypothesis import strategies as st

from undisclosed.send.pace import Pace

counts = st.integers(0, 500)
rates = st.floats(0, 1e6)


@given(st.integers(1, 200), rates, counts, counts)
def test_never_more_than_two_groups_are_unanswered(group, rate, streams, unanswered):
    pace = Pace(group, 0.0, rate)

    size = pace.size(streams, unanswered)

    assert 0 <= size <= group
    assert size + unanswered <= max(2 * group, unanswered)


@given(st.integers(1, 200), rates, st.integers(1, 500))
def test_a_group_that_is_due_is_never_empty(group, rate, streams):
    pace = Pace(group, 0.0, rate)

    assert pace.size(streams, pace.low(streams)) > 0


def test_a_slow_hop_is_given_what_its_connections_hold():
    pace = Pace(50, 0.0)
    pace.answered = 10
    pace.measure(1.0)

    assert pace.rate == 10
    assert pace.size(1, 0) == 2
    assert pace.low(1) == 2


def test_a_quick_hop_is_given_whole_groups_before_the_last_is_answered():
    pace = Pace(50, 0.0)
    pace.answered = 2_000
    pace.measure(1.0)

    assert pace.low(4) == 48
    assert pace.size(4, pace.low(4)) == 50


def test_a_new_rate_counts_half():
    pace = Pace(50, 0.0, 100.0)
    pace.answered = 300
    pace.measure(1.0)
    pace.measure(2.0)

    assert pace.rate == 200
