# SPDX-License-Identifier: Apache-2.0
"""``undisclosed keys``: list, rotate, reseal."""

import pytest

from tests.postgres import MASTER_KEY, TestDatabase
from undisclosed.cli import main
from undisclosed.store.crypto import Keys


@pytest.fixture(autouse=True)
def at_home(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings and the key of the tests' installation."""
    monkeypatch.setenv("UNDISCLOSED_SETTINGS", str(database.settings.file))
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", MASTER_KEY.hex())


def test_the_keys_are_named_and_nothing_is_sealed_anew_without_a_new_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["keys", "list"]) == 0
    assert main(["keys", "reseal"]) == 0

    said = capsys.readouterr().out.splitlines()
    assert said[0] == Keys(MASTER_KEY).id
    assert said[1].startswith("0 values were sealed anew")


def test_a_key_of_the_environment_is_left_to_who_gives_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["keys", "rotate"]) == 78

    assert "comes from the environment" in capsys.readouterr().err


def test_a_new_key_goes_into_the_file_and_is_not_printed(
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("UNDISCLOSED_MASTER_KEY")
    file = database.data / "master.key"
    file.write_text(MASTER_KEY.hex() + "\n")
    file.chmod(0o600)

    assert main(["keys", "rotate"]) == 0

    kept = file.read_text().split()
    file.unlink()
    said = capsys.readouterr().out
    assert kept[1:] == [MASTER_KEY.hex()]
    assert kept[0] not in said
    assert "undisclosed keys reseal" in said
