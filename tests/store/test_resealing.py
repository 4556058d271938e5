# SPDX-License-Identifier: Apache-2.0
"""Exchanging the master key: what was sealed opens, and is sealed anew."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import override_settings

from tests.postgres import MASTER_KEY, TestDatabase
from tests.store.campaigns import drafted
from undisclosed.errors import UndisclosedError
from undisclosed.store import campaigns, crypto, lists, master_key, resealing
from undisclosed.store.crypto import DataKey, Keys, SealBroken
from undisclosed.store.database import database as stored
from undisclosed.store.models import Account, JournalEntry, RecipientList

NEW = bytes(range(100, 132))


@pytest.fixture
def newer() -> Iterator[Keys]:
    """A process that was started after the master key was exchanged."""
    keys = Keys(NEW + MASTER_KEY)
    with override_settings(UNDISCLOSED_KEYS=keys):
        yield keys


def test_a_newer_key_seals_and_an_earlier_one_still_opens() -> None:
    old, both, new = Keys(MASTER_KEY), Keys(NEW + MASTER_KEY), Keys(NEW)

    sealed_before = old.seal("x", b"plain", "context")
    sealed_after = both.seal("x", b"plain", "context")

    assert both.open("x", sealed_before, "context") == b"plain"
    assert new.open("x", sealed_after, "context") == b"plain"
    with pytest.raises(SealBroken):
        old.open("x", sealed_after, "context")
    with pytest.raises(SealBroken):
        both.open("x", sealed_before, "another context")


def test_what_is_looked_up_is_hashed_as_before() -> None:
    old, both = Keys(MASTER_KEY), Keys(NEW + MASTER_KEY)

    assert both.hash("address", b"x") == old.hash("address", b"x")
    assert both.derive("links") == old.derive("links")
    assert both.id == old.id
    assert both.ids == (Keys(NEW).id, old.id)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 63])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(UndisclosedError):
        Keys(bytes(length))


def test_content_in_chunks_opens_with_an_earlier_key() -> None:
    chunks = list(DataKey(MASTER_KEY).seal_chunks(b"x" * 600_000, "content"))

    opened = DataKey(NEW, MASTER_KEY).open_chunks(chunks, "content")

    assert opened == b"x" * 600_000


def test_what_is_kept_for_long_opens_with_the_new_key_alone(
    database: TestDatabase, newer: Keys
) -> None:
    with override_settings(UNDISCLOSED_KEYS=Keys(MASTER_KEY)):
        campaign = drafted(3, b'{"subject": "x"}')
    held = RecipientList.objects.get()

    first, again = resealing.reseal(), resealing.reseal()

    assert first >= 4
    assert again == 0
    with override_settings(UNDISCLOSED_KEYS=Keys(NEW)):
        assert campaigns.text_of(campaign) == b'{"subject": "x"}'
        assert len(list(lists.rows(held.pk))) == 3
        assert Account.objects.get().login.domain == "council.example"
    entry = JournalEntry.objects.filter(event="master key exchanged").first()
    assert entry is not None
    assert entry.facts["key"] == Keys(NEW).id


def test_more_rows_than_one_step_are_all_sealed_anew(
    database: TestDatabase, newer: Keys
) -> None:
    with override_settings(UNDISCLOSED_KEYS=Keys(MASTER_KEY)):
        from tests.store.campaigns import account

        for number in range(5):
            account(f"p{number}")

    assert resealing.reseal(step=2) == 10


def test_every_sealed_column_is_named(database: TestDatabase) -> None:
    with stored() as connection:
        rows = connection.all(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type = 'bytea'"
            "   AND (column_name LIKE '%%\\_sealed' OR column_name LIKE '%%wrapped'"
            "        OR column_name = 'data_key')"
            "   AND table_name !~ '^store_delivery_[0-9]+$'"
        )

    anew = {(one.table, one.name) for one in resealing.COLUMNS}
    named = anew | resealing.BY_DATA_KEYS
    assert {(str(table), str(column)) for table, column in rows} == named


def test_a_new_key_is_put_before_the_others_in_the_file(
    database: TestDatabase, tmp_path: Path
) -> None:
    given = database.settings
    settings = replace(
        given, master_key=None, store=replace(given.store, data=tmp_path)
    )
    first = master_key.of(settings, may_make=True)

    master_key.add(settings)

    both = master_key.of(settings)
    assert both[32:] == first
    assert Keys(both).id == Keys(first).id
    assert master_key.file_of(tmp_path).stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["master.key"]


def test_a_key_from_the_environment_is_not_touched(database: TestDatabase) -> None:
    with pytest.raises(master_key.KeyIsGiven):
        master_key.add(database.settings)


def test_the_processes_keys_are_those_of_the_settings(database: TestDatabase) -> None:
    assert crypto.keys().ids == (Keys(MASTER_KEY).id,)


def test_who_only_counts_locks_nothing_and_writes_nothing(
    database: TestDatabase,
) -> None:
    drafted(2)
    with stored() as connection:
        connection.run("SET default_transaction_read_only = on")
    try:
        counted = resealing.sealed_by(Keys(MASTER_KEY))
    finally:
        with stored() as connection:
            connection.run("SET default_transaction_read_only = off")

    assert set(counted) == {Keys(MASTER_KEY).id}
