# SPDX-License-Identifier: Apache-2.0
"""Used tokens in PostgreSQL: the contract, and what is kept of them."""

from datetime import timedelta

import psycopg
import pytest

from tests.guard.once_contract import NOW, ONE, UNTIL, OnceContract
from tests.postgres import TestDatabase
from undisclosed.guard.ports import Once
from undisclosed.store.models import UsedToken
from undisclosed.store.retention import purge
from undisclosed.store.used import PostgresOnce


class TestPostgresOnce(OnceContract):
    """Over the database."""

    @pytest.fixture(autouse=True)
    def _empty(self, database: TestDatabase) -> None:
        self.database = database

    def once(self) -> Once:
        """Every one of them is the same."""
        return PostgresOnce()

    def test_another_process_knows_what_was_used(self) -> None:
        self.once().use("token", ONE, until=UNTIL, now=NOW)

        assert not self.once().use("token", b"2" * 32, until=UNTIL, now=NOW)

    def test_nothing_readable_is_kept(self) -> None:
        self.once().use("token", ONE, until=UNTIL, now=NOW)

        with psycopg.connect(self.database.url) as connection:
            ((token, digest, _),) = connection.execute(
                "SELECT token_hash, digest_hash, until FROM store_usedtoken"
            ).fetchall()
        assert b"token" not in token
        assert digest != ONE

    def test_the_sweep_forgets_what_has_expired(self) -> None:
        self.once().use("old", ONE, until=UNTIL, now=NOW)
        self.once().use("new", ONE, until=UNTIL + timedelta(hours=2), now=NOW)

        purge(self.database.settings, UNTIL + timedelta(hours=1))

        assert UsedToken.objects.count() == 1
