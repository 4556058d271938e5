# SPDX-License-Identifier: Apache-2.0
"""What a limit let through and did not leave is there for the next one."""

from datetime import timedelta

import pytest

from tests.send.sending import DRAFT, QUEUED, SENT, sent
from tests.store.campaigns import NOW, sending
from undisclosed.guard.testing import FixedClock
from undisclosed.send.draft import to_json
from undisclosed.send.rates import HOUR, MINUTE, Rate, Rates
from undisclosed.store import ledger
from undisclosed.store.database import database as connected
from undisclosed.store.ledger import Claimed

DAY = timedelta(days=1)
MANY = 10_000


def left(key, number, per=HOUR):
    """What is left in a bucket, all of it taken."""
    return ledger.take(key, MANY, number=number, per=per, now=NOW)


def people(*domains):
    return [Claimed(number, 0, domain) for number, domain in enumerate(domains, 1)]


@pytest.mark.parametrize(
    "rates",
    [(Rate(20, HOUR), Rate(4, DAY)), (Rate(4, DAY), Rate(20, HOUR))],
    ids=["the narrow one last", "the narrow one first"],
)
def test_a_domain_uses_up_no_more_of_one_rate_than_of_another(database, rates):
    limits = Rates(domain=rates)

    going, late = limits.by_domain(people(*["a.example"] * 10), NOW)

    assert ([one.number for one in going], late) == ([1, 2, 3, 4], [5, 6, 7, 8, 9, 10])
    assert left("hop/3600/a.example", 20) == 16
    assert left("hop/86400/a.example", 4, DAY) == 0


def test_what_did_not_leave_is_given_back_to_its_own_domain(database):
    limits = Rates(domain=(Rate(5, HOUR), Rate(50, DAY)))
    claimed = people("a.example", "b.example", "a.example", "", "a.example")

    going, late = limits.by_domain(claimed, NOW)
    limits.give_back(going[2:], NOW)

    assert (len(going), late) == (5, [])
    assert left("hop/3600/a.example", 5) == 4
    assert left("hop/86400/a.example", 50, DAY) == 49
    assert left("hop/3600/b.example", 5) == 4


def test_what_the_hop_does_not_take_yet_is_not_used_up_of_its_domain(database):
    campaign = sending(30, to_json(DRAFT))
    ledger.take("hop/3600", 3, number=5, per=HOUR, now=NOW)

    sent(rates=Rates(hop=(Rate(5, HOUR),), domain=(Rate(20, HOUR),)))

    assert ledger.counts(campaign) == {SENT: 2, QUEUED: 28}
    assert left("hop/3600/a.example", 20) == 18


def test_both_limits_in_a_minute_let_through_what_the_narrower_one_does(database):
    campaign = sending(40, to_json(DRAFT))
    with connected() as connection:
        connection.run("UPDATE store_campaign SET per_minute = 10")
    clock, limits = FixedClock(NOW), Rates(domain=(Rate(20, MINUTE),))

    for _ in range(21):  # ten at once, and then one every six seconds
        sent(clock=clock, rates=limits)
        clock.advance(MINUTE / 10)

    assert ledger.counts(campaign) == {SENT: 30, QUEUED: 10}
