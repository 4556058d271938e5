# SPDX-License-Identifier: Apache-2.0
"""Whom we do not mail: for a team or all, for every mail or for marketing only."""

import psycopg

from tests.store.campaigns import NOW, address_of, recipient_list, sending
from undisclosed.core.campaign import DeliveryState, MailKind
from undisclosed.store import crypto, ledger, suppressions
from undisclosed.store.models import JournalEntry, Team
from undisclosed.store.suppressions import Lifted, Reason

BOTH = (MailKind.SERVICE, MailKind.MARKETING)


def teams():
    return [
        Team.objects.create(name=name, created_at=NOW).pk for name in ("Roads", "Parks")
    ]


def suppress(*numbers, reason=Reason.ASKED, **more):
    people = [address_of(number) for number in numbers]
    return suppressions.suppress(people, reason, by="test", now=NOW, **more)


def reasons(number, team):
    return [suppressions.why(address_of(number), team=team, kind=kind) for kind in BOTH]


def test_one_for_all_teams_stops_every_mail(database):
    roads, parks = teams()

    assert suppress(1) == 1

    assert reasons(1, roads) == reasons(1, parks) == ["asked", "asked"]
    assert reasons(2, roads) == ["", ""]


def test_one_of_a_team_leaves_other_teams_alone(database):
    roads, parks = teams()

    suppress(1, team=roads)

    assert reasons(1, roads) == ["asked", "asked"]
    assert reasons(1, parks) == ["", ""]


def test_an_unsubscribe_does_not_stop_service_mail(database):
    roads, _ = teams()

    suppress(1, reason=Reason.UNSUBSCRIBED, team=roads, only=MailKind.MARKETING)

    assert reasons(1, roads) == ["", "unsubscribed"]


def test_the_same_person_twice_is_one_and_keeps_the_first_reason(database):
    roads, _ = teams()

    assert suppress(1, 1, 2) == 2
    assert suppress(1, reason=Reason.COMPLAINT) == 0

    assert reasons(1, roads) == ["asked", "asked"]


def test_a_lifted_one_is_mailed_again(database):
    roads, _ = teams()
    suppress(1)
    (found,) = suppressions.page([roads]).items

    assert suppressions.lift(found.id, Lifted.ASKED, by="test", now=NOW)

    assert reasons(1, roads) == ["", ""]
    assert suppressions.get(found.id) is None
    assert not suppressions.lift(found.id, Lifted.ASKED, by="test", now=NOW)


def test_a_page_has_those_of_the_teams_and_of_all(database):
    roads, parks = teams()
    suppress(1)
    suppress(2, team=roads)
    suppress(3, team=parks)

    def shown(of, **more):
        items = suppressions.page(of, **more).items
        return {one.address.spelled_out() for one in items}

    everybody = {address_of(number).spelled_out() for number in (1, 2, 3)}
    assert shown([roads]) == everybody - {address_of(3).spelled_out()}
    assert shown(None) == everybody
    assert shown([]) == {address_of(1).spelled_out()}
    assert shown(None, address=address_of(3)) == {address_of(3).spelled_out()}


def test_more_than_a_page_says_that_there_are_more(database):
    suppress(*range(1, 52))

    assert suppressions.page(None).has_next
    assert len(suppressions.page(None, number=2).items) == 1


def test_whoever_is_suppressed_while_a_campaign_is_sent_leaves_it(database):
    campaign = sending(3)

    suppress(2)

    counts = ledger.counts(campaign)
    assert (counts[DeliveryState.QUEUED], counts[DeliveryState.SUPPRESSED]) == (2, 1)


def test_another_teams_suppression_takes_nobody_out(database):
    campaign = sending(3)
    roads, _ = teams()

    suppress(2, team=roads)

    assert DeliveryState.SUPPRESSED not in ledger.counts(campaign)


def test_neither_table_nor_journal_holds_a_readable_address(database):
    recipient_list(0)
    suppress(1, 2)

    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT * FROM store_suppression").fetchall()
    stored = b"".join(x for one in rows for x in one if isinstance(x, bytes))
    assert len(rows) == 2
    assert b"p1" not in stored
    entry = JournalEntry.objects.get(event="suppressed")
    assert entry.facts == {
        "people": 2, "reason": "asked", "taken_out": 0, "team": "all",
    }  # fmt: skip


def test_a_keyed_hash_is_enough_to_leave_what_is_being_sent(database):
    campaign = sending(3)
    hashed = crypto.address_hash(address_of(2))

    new = [
        suppressions.suppress_hash(hashed, Reason.FAILED, only=None, by="test", now=NOW)
        for _ in range(2)
    ]

    assert new == [1, 0]
    assert ledger.counts(campaign)[DeliveryState.SUPPRESSED] == 1
    assert suppressions.page(None).items[0].address == suppressions.FORGOTTEN
    first = JournalEntry.objects.filter(event="suppressed").earliest("pk")
    assert first.facts == {
        "people": 1, "reason": "failed", "taken_out": 1, "team": "all",
    }  # fmt: skip
