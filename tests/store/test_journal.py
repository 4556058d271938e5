# SPDX-License-Identifier: Apache-2.0
"""The journal is only ever added to, and holds no address."""

import psycopg
import pytest

from undisclosed.store import journal
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
