# SPDX-License-Identifier: Apache-2.0
"""``undisclosed journal``: verified, exported, and verified by a file alone."""

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest

from tests.acceptance.installation import Installation


@pytest.fixture
def installation(tmp_path) -> Iterator[Installation]:
    """An installation with tables and the journal of its first acts."""
    made = Installation(tmp_path)
    made.database.start()
    try:
        assert made.command("migrate").returncode == 0
        link = made.command("account", "link", "admin@localhost.invalid")
        assert link.returncode == 0, link.stderr
        yield made
    finally:
        made.database.stop()


def test_a_journal_that_nobody_changed_verifies(installation) -> None:
    answer = installation.command("journal", "verify")

    assert answer.returncode == 0, answer.stderr
    assert "Everything holds." in answer.stdout


def test_an_export_is_verified_by_the_printed_file_alone(
    installation, tmp_path
) -> None:
    export, alone = tmp_path / "journal.jsonl", tmp_path / "verifier.py"
    assert installation.command("journal", "export", str(export)).returncode == 0
    alone.write_text(
        installation.command("journal", "verifier").stdout, encoding="utf-8"
    )

    verified = subprocess.run(
        [sys.executable, "-I", "-S", alone, export],
        capture_output=True,
        text=True,
        check=False,
    )
    again = installation.command("journal", "export", str(export))

    assert verified.returncode == 0, verified.stderr
    assert "log-in link made" in export.read_text("utf-8")
    assert again.returncode == 78
    assert "is there already" in again.stderr


def test_a_head_that_is_not_in_the_journal_is_found(installation) -> None:
    heads = installation.folder / "journal.heads"
    heads.write_text(f"2026-11-20 {'ab' * 32}\n", encoding="ascii")

    answer = installation.command("journal", "verify")

    assert answer.returncode == 3
    assert "that was noted is not in this journal" in answer.stdout


def test_an_entry_in_no_batch_is_found(installation) -> None:
    with psycopg.connect(installation.database.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO store_journalentry (id, at, event, actor, facts)"
            " VALUES (-5, '2026-01-01', 'made up', 'guard', '{}')"
        )

    answer = installation.command("journal", "verify")

    assert answer.returncode == 3
    assert "Entry -5 stands in no batch." in answer.stdout


def test_the_head_is_printed(installation) -> None:
    head = installation.command("journal", "head")
    assert len(head.stdout.strip()) == 64
