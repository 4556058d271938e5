# SPDX-License-Identifier: Apache-2.0
"""``undisclosed migrate``: tables, first account, and nothing the second time."""

from tests.acceptance.installation import Installation


def test_it_makes_the_tables_once_and_prints_a_link(tmp_path, monkeypatch) -> None:
    installation = Installation(tmp_path)
    installation.database.start()
    try:
        first = installation.command("migrate")
        second = installation.command("migrate")
    finally:
        installation.database.stop()

    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "The tables are those of this release." in first.stdout
    assert "/log-in/" in first.stdout
    assert "Nothing to do" in second.stdout


def test_a_database_that_is_away_is_a_sentence_and_75(tmp_path) -> None:
    installation = Installation(tmp_path)
    installation.database.start()
    installation.database.stop()

    answer = installation.command("migrate")

    assert answer.returncode == 75
    assert answer.stderr.strip().startswith("undisclosed: The database is away.")
    assert "Traceback" not in answer.stderr
