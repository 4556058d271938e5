# SPDX-License-Identifier: Apache-2.0
"""Circles: declared, known, ended; the journal tells, the tables do not."""

from datetime import timedelta

import psycopg
import pytest

from tests.guard.memory_contract import DAY, NOW, asking, known, people, show, together
from tests.postgres import MASTER_KEY
from undisclosed.store import circles
from undisclosed.store.circles import CircleRefused
from undisclosed.store.crypto import Keys
from undisclosed.store.memory import PostgresMemory


def memory():
    return PostgresMemory(Keys(MASTER_KEY))


def declare(members, days=30, **changes):
    values = {
        "owner": "olive",
        "reason": "The steering group",
        "until": NOW + days * DAY,
        "by": "kim",
        "now": NOW,
    }
    return circles.declare(members, **{**values, **changes})


def test_people_of_a_circle_know_one_another(database):
    declare(people(range(9)))

    found = known(memory(), asking("one", (0, 1, 2, 50)))

    assert found.circles == (people((0, 1, 2)),)


def test_a_circle_counts_until_its_end(database):
    declare(people(range(9)), days=5)

    assert known(memory(), asking("one", range(9)), NOW + 4 * DAY).circles
    assert not known(memory(), asking("two", range(9)), NOW + 6 * DAY).circles


def test_a_circle_that_was_ended_counts_no_more(database):
    circle = declare(people(range(9)))

    ended = [circles.end(circle, by="kim", now=NOW + DAY) for _ in range(2)]

    assert ended == [True, False]
    assert not known(memory(), asking("one", range(9)), NOW + DAY).circles


def test_each_circle_of_the_same_people_ends_by_itself(database):
    first, second = declare(people(range(9))), declare(people(range(9)))

    circles.end(first, by="kim", now=NOW)

    assert len(known(memory(), asking("one", range(9))).circles) == 1
    assert circles.end(second, by="kim", now=NOW)


def test_who_joins_a_circle_counts(database):
    declare(people(range(9)))

    found = known(memory(), together("one", range(10)))

    assert found.mailing.people == 1
    assert found.joined == 0


def test_what_a_circle_let_pass_is_a_thread_as_well(database):
    circle = declare(people(range(9)))
    kept = memory()
    show(kept, together("one", range(9)))
    circles.end(circle, by="kim", now=NOW)

    assert known(kept, together("two", range(9))).threads == (people(range(9)),)


@pytest.mark.parametrize(
    "changes",
    [
        {"reason": " "},
        {"until": NOW},
        {"until": NOW - DAY},
        {"until": NOW + circles.LONGEST + timedelta(seconds=1)},
        {"members": people((1,))},
    ],
    ids=["no reason", "no time", "in the past", "too long", "one person"],
)
def test_a_circle_without_reason_end_or_people_is_refused(database, changes):
    members = changes.pop("members", people(range(9)))

    with pytest.raises(CircleRefused):
        declare(members, **changes)

    assert circles.all() == ()


def test_the_page_is_told_everything_but_who_is_in_it(database):
    circle_id = declare(people(range(9)))
    ended = declare(people(range(4)), now=NOW - DAY, reason="Was over soon")
    circles.end(ended, by="kim", now=NOW)

    latest, earlier = circles.all()

    assert (latest.id, latest.owner, latest.people) == (circle_id, "olive", 9)
    assert (latest.reason, latest.is_active(NOW)) == ("The steering group", True)
    assert (earlier.ended_at, earlier.is_active(NOW)) == (NOW, False)
    assert not latest.is_active(NOW + 40 * DAY)
    assert "steering" not in repr(latest)


def test_every_act_is_journalled_without_the_reason(database):
    circle_id = declare(people(range(9)), reason="p1@a.example")
    circles.end(circle_id, by="kim", now=NOW)

    with psycopg.connect(database.url) as connection:
        entries = connection.execute(
            "SELECT event, actor, facts FROM store_journalentry ORDER BY id"
        ).fetchall()

    assert entries == [
        (
            "circle declared",
            "kim",
            {"circle": circle_id, "owner": "olive", "people": 9},
        ),
        ("circle ended", "kim", {"circle": circle_id}),
    ]
