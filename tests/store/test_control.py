# SPDX-License-Identifier: Apache-2.0
"""Visible-mail control: of a person, for some days, by all their addresses."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from tests.guard.memory_contract import DAY, NOW, asking, known, people
from tests.postgres import MASTER_KEY
from undisclosed.core.address import Address
from undisclosed.store import control
from undisclosed.store.control import ControlRefused
from undisclosed.store.crypto import Keys
from undisclosed.store.memory import PostgresMemory

OLIVE = Address("olive", "council.example")
DESK = Address("desk", "council.example")
PERSON = (OLIVE, Address("Olive.Carter", "Council.example"))
NUMBERS = iter(range(10**6))


def impose(addresses=PERSON, days=9, **changes):
    values = {"reason": "Last week", "by": "kim", "until": NOW + days * DAY, "now": NOW}
    return control.impose(addresses, **{**values, **changes})


def is_controlled(*authors, now=NOW):
    mail = asking(f"mail {next(NUMBERS)}", range(2))
    memory = PostgresMemory(Keys(MASTER_KEY))
    return known(memory, replace(mail, authors=frozenset(authors)), now).is_controlled


def test_a_person_is_controlled_by_every_address(database):
    impose()

    assert is_controlled(Address("OLIVE", "council.example"))
    assert is_controlled(Address("olive.carter", "council.example"))
    assert not is_controlled(DESK)
    assert not is_controlled()


def test_a_shared_mailbox_is_not_but_who_writes_from_it_is(database):
    impose()

    assert is_controlled(DESK, OLIVE)


def test_a_control_ends_by_itself(database):
    impose(days=9)

    assert is_controlled(OLIVE, now=NOW + 8 * DAY)
    assert not is_controlled(OLIVE, now=NOW + 10 * DAY)
    assert control.active(NOW + 10 * DAY) == ()


def test_a_control_can_be_lifted(database):
    first = impose()

    lifted = [control.lift(first, by="kim", now=NOW) for _ in range(2)]

    assert lifted == [True, False]
    assert not is_controlled(OLIVE)
    assert control.active(NOW) == ()


def test_two_controls_of_one_person_are_lifted_apart(database):
    first = impose()
    impose()

    control.lift(first, by="kim", now=NOW)

    assert is_controlled(OLIVE)


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": ""},
        {"until": NOW},
        {"until": NOW + control.LONGEST + timedelta(seconds=1)},
        {"addresses": ()},
    ],
    ids=["no reason", "no time", "too long", "nobody"],
)
def test_a_control_without_reason_end_or_person_is_refused(database, changes):
    with pytest.raises(ControlRefused):
        impose(**changes)

    assert control.active(NOW) == ()


def test_the_page_is_told_who_why_and_until_when(database):
    made = impose()

    (found,) = control.active(NOW)

    assert (found.id, found.by, found.reason) == (made, "kim", "Last week")
    assert set(found.addresses) == set(PERSON)
    assert "olive" not in repr(found)


def test_every_act_is_journalled_without_an_address(database):
    made = impose(reason="olive@council.example")
    control.lift(made, by="kim", now=NOW)

    with psycopg.connect(database.url) as connection:
        entries = connection.execute(
            "SELECT event, actor, facts FROM store_journalentry ORDER BY id"
        ).fetchall()

    assert entries == [
        ("control imposed", "kim", {"control": made, "days": 9}),
        ("control lifted", "kim", {"control": made}),
    ]


def test_people_who_are_asked_about_are_no_authors(database):
    impose(sorted(people(range(2))))

    assert not is_controlled(OLIVE)
