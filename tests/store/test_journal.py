# SPDX-License-Identifier: Apache-2.0
"""The journal is only ever added to, and holds no address."""

from datetime import UTC, datetime

import psycopg
import pytest

from undisclosed.store import journal, sealing
from undisclosed.store.database import transaction


def entries(database):
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "SELECT event, actor, facts FROM store_journalentry ORDER BY id"
        ).fetchall()


def test_an_entry_is_written_with_its_facts(database):
    journal.write("held", actor="guard", hold="7f3a", people=37, late=None, all=(1, 2))

    assert entries(database) == [
        ("held", "guard", {"hold": "7f3a", "people": 37, "late": None, "all": [1, 2]})
    ]


def test_whatever_looks_like_an_address_is_withheld(database):
    journal.write(
        "released",
        actor="ann@a.example",
        reason="bob@b.example asked",
        more={"carol@c.example": ["dave@d.example", 1]},
    )

    ((_, actor, facts),) = entries(database)
    assert actor == journal.WITHHELD
    assert "@" not in str(facts)
    assert facts["more"] == {journal.WITHHELD: [journal.WITHHELD, 1]}


@pytest.mark.parametrize(
    ("number", "stands"),
    [
        (2**53 - 1, 2**53 - 1),
        (1 - 2**53, 1 - 2**53),
        (2**53, "9007199254740992"),
        (-(2**53), "-9007199254740992"),
        (10**30, "1" + "0" * 30),
        (1e300, "1e+300"),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (1.5, 1.5),
    ],
)
def test_a_number_that_could_not_be_sealed_stands_as_text(database, number, stands):
    journal.write("counted", people=number, all=[number])

    assert entries(database) == [("counted", "", {"people": stands, "all": [stands]})]
    assert sealing.seal(datetime.now(UTC)).entries == 1


def test_what_is_rolled_back_is_not_journalled(database):
    with pytest.raises(ZeroDivisionError), transaction():
        journal.write("held")
        _ = 1 / 0

    assert entries(database) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE store_journalentry SET event = 'other'",
        "DELETE FROM store_journalentry",
        "TRUNCATE store_journalentry",
    ],
)
def test_the_database_refuses_to_change_the_journal(database, statement):
    journal.write("held")

    with (
        psycopg.connect(database.url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="only ever added"),
    ):
        connection.execute(statement)

    assert len(entries(database)) == 1
