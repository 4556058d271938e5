# SPDX-License-Identifier: Apache-2.0
"""A bypass: one at a time, for a time, journalled at both ends."""

from datetime import timedelta

import pytest

from tests.guard.spool_contract import HOUR, NOW
from undisclosed.errors import UndisclosedError
from undisclosed.store import bypass
from undisclosed.store.bypass import BypassOn, NoBypass
from undisclosed.store.models import Bypass, JournalEntry

TWO_HOURS = 2 * HOUR


def start(**changed):
    given = {"by": "olive", "reason": "The database is being moved."}
    return bypass.start(**{**given, "lasts": TWO_HOURS, "now": NOW, **changed})


def test_it_is_on_until_somebody_ends_it(database):
    started = start()

    on = bypass.active()
    ended = bypass.end(by="sam", now=NOW + HOUR)

    assert (on.started_by, on.reason, on.ends_at) == (
        "olive",
        "The database is being moved.",
        NOW + TWO_HOURS,
    )
    assert on == started == ended
    assert bypass.active() is None
    assert bypass.latest().ended_at == NOW + HOUR


def test_both_ends_are_journalled_without_an_address(database):
    start(reason="For ann@a.example")
    bypass.end(by="sam", now=NOW + 3 * HOUR)

    first, last = JournalEntry.objects.order_by("id")

    assert (first.event, first.actor) == ("bypass started", "olive")
    assert "@" not in str(first.facts)
    assert (last.event, last.facts) == (
        "bypass ended",
        {"minutes": 180, "overdue": True},
    )


def test_a_second_one_is_refused_and_so_is_ending_none(database):
    with pytest.raises(NoBypass):
        bypass.end(by="sam", now=NOW)
    start()

    with pytest.raises(BypassOn):
        start()
    assert Bypass.objects.count() == 1


@pytest.mark.parametrize("lasts", [timedelta(0), timedelta(days=4)])
def test_it_lasts_some_time_and_not_too_long(database, lasts):
    with pytest.raises(UndisclosedError, match="at most 3 days"):
        start(lasts=lasts)


def test_its_time_ends_without_anybody_saying_so(database):
    on = start()

    assert not on.is_overdue(NOW + HOUR)
    assert on.is_overdue(NOW + TWO_HOURS)


def test_the_reason_is_sealed(database):
    start(reason="Move of the database")

    assert b"Move" not in bytes(Bypass.objects.get().reason_sealed)
