# SPDX-License-Identifier: Apache-2.0
"""``undisclosed keys``: list, rotate, reseal."""

import pytest
from django.test import override_settings

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


def test_the_whole_exchange_is_told_step_by_step(
    database: TestDatabase,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    newer = bytes(range(60, 92))
    old, new = Keys(MASTER_KEY).id, Keys(newer).id
    both = f"{newer.hex()} {MASTER_KEY.hex()}"
    monkeypatch.setenv("UNDISCLOSED_MASTER_KEY", both)
    with override_settings(UNDISCLOSED_KEYS=Keys(newer + MASTER_KEY)):
        assert main(["keys", "status"]) == 3
        begun = capsys.readouterr().out
        assert main(["keys", "reseal"]) == 0
        assert main(["keys", "rehash"]) == 0
        done = capsys.readouterr().out
    with override_settings(UNDISCLOSED_KEYS=Keys(newer + MASTER_KEY + newer)):
        assert main(["keys", "drop", new]) == 78
        assert main(["keys", "drop", "00000000"]) == 78
        refused = capsys.readouterr().err

    assert f"{new}: seals what is new" in begun
    assert f"{old}: seals still" in begun
    assert "Put the newest key last as well" in done
    assert "Something still needs this master key" in refused
    assert "None of the master keys has this name" in refused
