# SPDX-License-Identifier: Apache-2.0
"""The heads of days are noted, whatever happened when they were due."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.postgres import TestDatabase
from undisclosed.store import journal, sealing, verifying
from undisclosed.store.database import database as stored
from undisclosed.store.settings import Settings
from undisclosed.store.timestamps import AuthorityUnknown

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def settings(database: TestDatabase, tmp_path: Path) -> Settings:
    """An installation with a data folder of its own."""
    given = database.settings
    return replace(given, store=replace(given.store, data=tmp_path))


def sealed(days: int) -> None:
    """A journal with so many days that are over and sealed."""
    for number in range(days + 1):
        journal.write("one", actor="guard")
        sealing.seal(NOW + number * DAY)


def in_journal() -> str:
    """What the file of heads has to hold."""
    with stored() as connection:
        rows = connection.all("SELECT day, hash FROM store_journalseal ORDER BY day")
    return "".join(f"{day} {bytes(digest).hex()}\n" for day, digest in rows)


def noted(settings: Settings) -> str:
    return (settings.store.data / verifying.HEADS).read_text("ascii")


def test_days_whose_note_was_lost_are_noted_the_next_time(settings: Settings) -> None:
    sealed(3)

    assert verifying.note(settings) == 3
    assert verifying.note(settings) == 0
    assert noted(settings) == in_journal()


@pytest.mark.parametrize("left", [0, 1, 10, 75, 76, 77, 100])
def test_who_died_while_writing_left_nothing_wrong(
    settings: Settings, left: int
) -> None:
    sealed(3)
    file = settings.store.data / verifying.HEADS
    file.write_text(in_journal()[:left], encoding="ascii")

    found = verifying.found_in(settings, NOW + 3 * DAY)
    verifying.note(settings)

    assert found.faults == []
    assert noted(settings) == in_journal()


def test_what_else_was_noted_stays(settings: Settings) -> None:
    sealed(2)
    file = settings.store.data / verifying.HEADS
    file.write_text(f"2026-01-01 {'ab' * 32}", encoding="ascii")

    verifying.note(settings)

    assert noted(settings) == f"2026-01-01 {'ab' * 32}\n{in_journal()}"
    assert verifying.found_in(settings, NOW + 2 * DAY).faults


def test_a_file_that_cannot_be_written_is_logged(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    sealed(1)
    (settings.store.data / verifying.HEADS).mkdir()

    with caplog.at_level(logging.ERROR):
        assert verifying.note(settings) == 0

    assert "The heads of days cannot be noted" in caplog.text


def test_certificates_that_cannot_be_read_leave_the_wish_open(
    settings: Settings,
) -> None:
    sealed(1)
    missing = settings.store.data / "authority.pem"
    unknown = replace(settings, journal=replace(settings.journal, timestamp_ca=missing))

    with pytest.raises(AuthorityUnknown):
        verifying.ask(unknown, by="test", now=NOW)

    assert verifying.is_wanted()
    assert verifying.verify_wanted(settings, NOW)
