# SPDX-License-Identifier: Apache-2.0
"""As many connections as a next hop needs, and no more than it may have."""

from hypothesis import given
from hypothesis import strategies as st

from tests.transport.smtp.talking import run
from undisclosed.send.connections import FEW, Connections
from undisclosed.transport.smtp.errors import HopAway


async def away():
    raise HopAway


@given(st.integers(1, 100), st.lists(st.booleans(), max_size=20))
def test_wanted_stays_within_its_bounds(most, steps):
    kept = Connections(away, most)

    for is_more in steps:
        kept.want_more() if is_more else kept.want_less()
        assert min(FEW, most) <= kept.wanted <= most


def test_a_slow_hop_has_all_connections_after_some_steps():
    kept = Connections(away, 25)

    for _ in range(3):
        kept.want_more()

    assert kept.wanted == 25


def test_a_hop_that_is_away_gives_no_connection():
    assert run(Connections(away, 3).take()) is None
