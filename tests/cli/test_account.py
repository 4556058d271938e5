# SPDX-License-Identifier: Apache-2.0
"""``undisclosed account link``, and keys: a part never makes its own."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.acceptance.installation import Installation

ANOTHER_KEY = "ab" * 32


@pytest.fixture
def installation(tmp_path) -> Iterator[Installation]:
    """An installation with tables and its first account; only its database runs."""
    made = Installation(tmp_path)
    made.database.start()
    try:
        assert made.command("migrate").returncode == 0
        yield made
    finally:
        made.database.stop()


def test_a_link_is_made_for_an_account(installation) -> None:
    answer = installation.command("account", "link", "admin@localhost.invalid")

    assert answer.returncode == 0, answer.stderr
    assert "/log-in/" in answer.stdout


def test_an_address_without_account_is_said(installation) -> None:
    answer = installation.command("account", "link", "nobody@council.example")

    assert answer.returncode == 78
    assert "There is no active account with this address." in answer.stderr


def test_what_is_no_address_is_wrong_usage(installation) -> None:
    assert installation.command("account", "link", "nobody").returncode == 2


@pytest.mark.parametrize("part", ["guard", "worker", "postoffice"])
def test_a_part_without_the_master_key_does_not_start(installation, part) -> None:
    del installation.environment["UNDISCLOSED_MASTER_KEY"]

    answer = installation.command(part)

    assert answer.returncode == 78
    assert "The master key is missing" in answer.stderr
    assert not (installation.folder / "master.key").exists()


@pytest.mark.parametrize("part", ["guard", "worker"])
def test_a_part_with_another_master_key_does_not_start(installation, part) -> None:
    installation.environment["UNDISCLOSED_MASTER_KEY"] = ANOTHER_KEY

    answer = installation.command(part)

    assert answer.returncode == 78
    assert "another master key" in answer.stderr


def test_a_part_without_tables_does_not_start(tmp_path) -> None:
    installation = Installation(tmp_path)
    installation.database.start()
    try:
        answer = installation.command("guard")
    finally:
        installation.database.stop()

    assert answer.returncode == 78
    assert "run `undisclosed migrate`" in answer.stderr


def test_lost_factors_are_removed_and_shown(installation) -> None:
    login = "admin@localhost.invalid"
    with psycopg.connect(installation.database.url) as connection:
        connection.execute(
            "INSERT INTO mfa_authenticator (user_id, type, data, created_at)"
            " SELECT id, 'totp', '{}', now() FROM store_account"
        )

    shown = installation.command("account", "factors", login)
    removed = installation.command("account", "remove-factors", login)
    again = installation.command("account", "remove-factors", login)

    assert shown.stdout == "totp: 1\n"
    assert removed.returncode == 0, removed.stderr
    assert "Removed: totp." in removed.stdout
    assert "Nobody could be told." in removed.stdout
    assert again.returncode == 78
    assert "This account has no second factor." in again.stderr
