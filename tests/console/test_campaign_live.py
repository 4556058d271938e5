# SPDX-License-Identifier: Apache-2.0
"""The pictures of a campaign: nothing of the tally is lost in them."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from undisclosed.console.campaigns.live import (
    MOST_BARS,
    MOST_DOMAINS,
    Live,
    _bars,
    _domains,
    _time_left,
)
from undisclosed.core.campaign import DeliveryState

BEGIN = datetime(2026, 11, 21, 9, tzinfo=UTC)
SENT = DeliveryState.SENT
ANSWERED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.FAILED)
MINUTES = st.dictionaries(
    st.tuples(st.integers(0, 5_000), st.sampled_from(ANSWERED)),
    st.integers(1, 10_000),
    max_size=40,
)
DOMAINS = st.dictionaries(
    st.tuples(
        st.sampled_from(["", *(f"d{number}.example" for number in range(30))]),
        st.sampled_from(DeliveryState),
    ),
    st.integers(1, 10_000),
    max_size=90,
)


@given(MINUTES)
def test_every_answer_stands_in_one_bar(by_minute):
    rows = sorted(
        (
            (BEGIN + timedelta(minutes=minute), state, number)
            for (minute, state), number in by_minute.items()
        ),
        key=lambda row: row[0],
    )

    _span, bars = _bars(rows)

    failed = sum(n for _, state, n in rows if state is DeliveryState.FAILED)
    assert sum(bar.failed for bar in bars) == failed
    assert sum(bar.sent + bar.failed for bar in bars) == sum(by_minute.values())
    assert len(bars) <= MOST_BARS
    assert all(float(bar.failed_y) >= -0.01 for bar in bars)


def test_the_plot_says_what_its_highest_bar_stands_for_and_when_it_ends():
    rows = [(BEGIN + timedelta(minutes=one), SENT, 10 + one) for one in range(90)]
    span, bars = _bars(rows)

    live = Live("", (), (), 0, 0, "", bars, span, (), 0, is_moving=False)

    assert live.scale == "highest: 197 in 2 minutes"
    assert live.ends_at == BEGIN + timedelta(minutes=90)


def test_a_campaign_that_sent_nothing_has_no_axis():
    live = Live("", (), (), 0, 0, "", (), timedelta(0), (), 0, is_moving=False)

    assert live.ends_at is None


@given(DOMAINS)
def test_every_message_stands_at_one_domain_or_among_the_others(by_domain):
    rows = [(name, state, number) for (name, state), number in by_domain.items()]

    shown = _domains(rows)

    wanted = sum(n for _, state, n in rows if state is not DeliveryState.SUPPRESSED)
    assert sum(one.total for one in shown) == wanted
    assert len(shown) <= MOST_DOMAINS + 1


def test_the_time_left_is_said_in_whole_minutes_or_hours():
    assert _time_left(100, 50) == "about 2 minutes left"
    assert _time_left(1, 50) == "about 1 minute left"
    assert _time_left(60_000, 100) == "about 10 hours left"
    assert _time_left(100, 0) == ""
