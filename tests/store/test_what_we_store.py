# SPDX-License-Identifier: Apache-2.0
"""Every table with people's data has its row in the page that says what we store."""

import re
from pathlib import Path

from tests.postgres import TestDatabase
from undisclosed.store.database import database as stored

PAGE = Path(__file__).parents[2] / "docs/explanation/what-we-store-and-how-long.md"

NO_PEOPLE = {
    "store_ratebucket": "how many messages may leave, by a keyed hash of a domain",
    "store_progress": "how far a piece of work is",
    "store_masterkey": "what a master key does, since when; not the key",
    "store_memorykey": "keys, wrapped",
    "account_emailaddress": "allauth's own, never written: addresses are sealed",
    "account_emailconfirmation": "allauth's own, never written",
    "socialaccount_socialapp": "never written: the settings name the one server",
    "socialaccount_socialtoken": "never written: no token of that server is kept",
    "auth_permission": "Django's own words",
    "auth_group": "never written: roles are our own",
    "auth_group_permissions": "never written",
    "django_content_type": "names of tables",
    "django_migrations": "which migrations were run",
    "procrastinate_jobs": "that there is work, without arguments",
    "procrastinate_events": "that there was",
    "procrastinate_workers": "when a worker was last seen",
    "procrastinate_periodic_defers": "never written",
    "socialaccount_socialapp_sites": "never written",
}
"""Tables that hold nothing of anybody, and what they are there for."""

PARTITION = re.compile(r"store_(?:delivery|deliverytally)_[0-9]+")


def tables() -> set[str]:
    """Every table there is, a partition under the name of the whole."""
    with stored() as connection:
        rows = connection.all(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
    return {str(name) for (name,) in rows if not PARTITION.fullmatch(str(name))}


def documented() -> set[str]:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line[:2] == "| "]
    last = [row.rstrip("| ").rpartition("|")[2] for row in rows]
    return set(
        re.findall(r"`((?:store|django|mfa|socialaccount|user\w*)_\w+)`", str(last))
    )


def test_every_table_has_its_row_or_holds_nothing_of_anybody(
    database: TestDatabase,
) -> None:
    there = tables()

    assert there - documented() - NO_PEOPLE.keys() == set()
    assert documented() <= there
    assert not documented() & NO_PEOPLE.keys()


def test_tables_that_are_never_written_are_empty(database: TestDatabase) -> None:
    never = [name for name, why in NO_PEOPLE.items() if "never written" in why]

    with stored() as connection:
        for name in sorted(tables() & set(never)):
            row = connection.one(f"SELECT count(*) FROM {name}")  # noqa: S608
            assert row == (0,), name


def test_every_row_says_for_how_long() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line[:2] == "| "]

    cells = [[cell.strip() for cell in row.split("|")[1:-1]] for row in rows[1:]]
    assert all(len(row) == 5 for row in cells)
    assert all(row[0] and row[1] for row in cells)
    assert all(row[2] for row in cells if row[4])
