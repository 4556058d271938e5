# SPDX-License-Identifier: Apache-2.0
"""A master key goes when nothing needs it any more, and not before."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.postgres import TestDatabase
from tests.store.keyed import MIDDLE, NEW, OLD, fill, process
from undisclosed.console.accounts import links
from undisclosed.store import (
    bootstrap,
    campaign_retention,
    key_use,
    master_key,
    rehashing,
    resealing,
    retention,
    tokens,
)
from undisclosed.store.crypto import Keys
from undisclosed.store.database import database as stored
from undisclosed.store.database import transaction
from undisclosed.store.models import Account, JournalEntry
from undisclosed.store.settings import Settings
from undisclosed.store.tokens import Purpose

NOW = datetime.now(UTC)
MONTH = timedelta(days=30)


@pytest.fixture
def settings(database: TestDatabase, tmp_path: Path) -> Settings:
    """An installation whose keys are in a file."""
    given = database.settings
    return replace(given, master_key=None, store=replace(given.store, data=tmp_path))


def written(settings: Settings, *masters: bytes) -> None:
    file = master_key.file_of(settings.store.data)
    file.write_text("".join(f"{one.hex()}\n" for one in masters))
    file.chmod(0o600)


def needs(settings: Settings, key: bytes, now: datetime = NOW) -> set[str]:
    return {
        one.what for one in key_use.uses(settings, now) if one.key_id == Keys(key).id
    }


@pytest.fixture
def exchanged(settings: Settings) -> Iterator[Settings]:
    """An installation in use whose key was rotated, resealed and rehashed."""
    with process(OLD):
        fill()
    with process(NEW, OLD):
        resealing.reseal()
        rehashing.rehash(NOW)
    written(settings, NEW, OLD, NEW)
    with process(NEW, OLD, NEW):
        yield settings


def test_a_key_that_was_only_added_does_not_yet_replace_the_other(
    settings: Settings,
) -> None:
    with process(OLD):
        fill()
    written(settings, NEW, OLD)

    with process(NEW, OLD):
        needed = needs(settings, OLD)
        with pytest.raises(key_use.KeyNeeded):
            key_use.drop(settings, Keys(OLD).id, NOW, by="test")

    assert any("sealed values" in one for one in needed)
    assert any("seals still" in one for one in needed)
    assert any("looks up addresses" in one for one in needed)
    assert len(master_key.of(settings)) == 64


def test_after_reseal_and_rehash_what_left_in_mails_still_needs_it(
    exchanged: Settings,
) -> None:
    needed = needs(exchanged, OLD)

    assert needed == {
        "campaigns whose messages carry its tokens",
        "links in notices, stamps",
        "remembered mails and audiences",
    }
    with pytest.raises(key_use.KeyNeeded):
        key_use.drop(exchanged, Keys(OLD).id, NOW, by="test")


def test_when_retention_is_over_the_old_key_goes(exchanged: Settings) -> None:
    later = unused(exchanged)

    assert needs(exchanged, OLD, later) == set()
    key_use.drop(exchanged, Keys(OLD).id, later, by="test")

    assert master_key.of(exchanged) == NEW
    entry = JournalEntry.objects.get(event="master key dropped")
    assert entry.facts == {"key": Keys(OLD).id}


def test_the_newest_key_and_one_that_is_none_are_never_dropped(
    exchanged: Settings,
) -> None:
    with pytest.raises(key_use.KeyNeeded):
        key_use.drop(exchanged, Keys(NEW).id, NOW, by="test")
    with pytest.raises(key_use.NoSuchKey):
        key_use.drop(exchanged, "00000000", NOW, by="test")


def test_an_access_token_moves_on_when_it_is_used(settings: Settings) -> None:
    with process(OLD):
        token = tokens.make("addin", tokens.Purpose.CHECK, now=NOW)
    waits = "access tokens that were not used since"

    with process(NEW, OLD):
        assert waits in needs(settings, OLD)
        assert tokens.find(token, Purpose.CHECK, NOW) is not None
        assert waits not in needs(settings, OLD)
    with process(NEW):
        assert tokens.find(token, Purpose.CHECK, NOW) is not None
    with process(MIDDLE):
        assert tokens.find(token, Purpose.CHECK, NOW) is None


def test_a_log_in_link_opens_with_the_key_that_made_it(settings: Settings) -> None:
    with process(OLD):
        fill()
        account = Account.objects.get()
        token = bootstrap.login_link(account, NOW)

    with process(NEW, OLD):
        assert links.find(token, NOW).account == account
        assert "log-in links that are not used yet" in needs(settings, OLD)
        newer = bootstrap.login_link(account, NOW)
    with process(NEW):
        assert links.find(newer, NOW).account == account
    with process(OLD), pytest.raises(links.LinkUnknown):
        links.find(newer, NOW)


def test_of_three_keys_each_is_needed_for_its_own(settings: Settings) -> None:
    with process(OLD):
        fill()
    with process(MIDDLE, OLD):
        resealing.reseal()
        rehashing.rehash(NOW)
    with process(NEW, MIDDLE, OLD, MIDDLE):
        resealing.reseal()
        middle, old = needs(settings, MIDDLE), needs(settings, OLD)

    assert any("looks up addresses" in one for one in middle)
    assert not any("looks up addresses" in one for one in old)
    assert not any("sealed values" in one for one in middle | old)


def test_the_file_names_the_newest_first_and_last(settings: Settings) -> None:
    written(settings, NEW, OLD)

    master_key.look_up_with_newest(settings)
    assert master_key.of(settings) == NEW + OLD + NEW
    master_key.look_up_with_newest(settings)
    assert master_key.of(settings) == NEW + OLD + NEW
    assert Keys(master_key.of(settings)).id == Keys(NEW).id
    master_key.drop(settings, OLD)

    assert master_key.of(settings) == NEW


def unused(settings: Settings) -> datetime:
    """Let everything that needs the old key be over; the time after it."""
    with stored() as connection:
        connection.run(
            "UPDATE store_campaign SET ended_at = %s, state = 'done'", (NOW,)
        )
    later = NOW + 2 * MONTH
    retention.purge(settings, later)
    with transaction() as connection:
        campaign_retention.purge(connection, later, 5, later)
    return later


def test_no_key_goes_without_an_entry_in_the_journal(exchanged: Settings) -> None:
    later = unused(exchanged)
    file = master_key.file_of(exchanged.store.data)
    # What the new file would be written to is a folder: it cannot be.
    file.with_name(f"{file.name}.{os.getpid()}").mkdir()

    with pytest.raises(IsADirectoryError):
        key_use.drop(exchanged, Keys(OLD).id, later, by="test")

    assert JournalEntry.objects.filter(event="master key dropped").exists()


def test_of_a_key_that_was_given_nothing_is_written(exchanged: Settings) -> None:
    later = unused(exchanged)
    given = replace(exchanged, master_key=NEW + OLD + NEW)

    with pytest.raises(master_key.KeyIsGiven):
        key_use.drop(given, Keys(OLD).id, later, by="test")

    assert not JournalEntry.objects.filter(event="master key dropped").exists()
