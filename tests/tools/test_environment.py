# SPDX-License-Identifier: Apache-2.0
"""What makes the environment: a stamp that is right, and sentences for people."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import environment

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a lock of two packages and nothing installed."""
    lock = "asgiref==3.13.0 \\\n    --hash=sha256:00\nclick==8.5.1\n"
    (tmp_path / "requirements.lock").write_text(lock, encoding="utf-8")
    (tmp_path / "requirements-dev.lock").write_text(lock, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "stamp.json")
    return tmp_path


def install_by_hand(project: Path, kind: str) -> None:
    """An interpreter that starts, and the stamp of an installation."""
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(sys.executable)
    stamp = {kind: environment.fingerprint(kind)}
    environment.STAMP.write_text(json.dumps(stamp), encoding="utf-8")


def test_a_fresh_checkout_is_not_installed(project: Path) -> None:
    assert not environment.is_installed("run")


def test_the_second_time_there_is_nothing_to_do(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install_by_hand(project, "run")

    environment.install("run")

    assert environment.is_installed("run")
    assert capsys.readouterr().out == ""


def test_the_environment_of_the_tests_serves_to_run_too(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    install_by_hand(project, "test")

    environment.install("run")

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_change_of_what_is_installed_is_noticed(project: Path, changed: str) -> None:
    install_by_hand(project, "run")

    (project / changed).write_text("changed", encoding="utf-8")

    assert not environment.is_installed("run")


def test_a_moved_checkout_is_installed_anew(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_by_hand(project, "run")

    monkeypatch.setattr(environment, "VENV", tmp_path / "elsewhere")

    assert not environment.is_installed("run")


def test_an_interpreter_that_is_gone_is_noticed(project: Path) -> None:
    install_by_hand(project, "run")

    (project / ".venv" / "bin" / "python").unlink()

    assert not environment.is_installed("run")


def test_the_packages_of_a_lock_are_counted(project: Path) -> None:
    assert environment.count_packages("requirements.lock") == 2


def test_the_words_of_an_installer_are_shown_only_where_it_fails(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = "print('no such file'); raise SystemExit(1)"

    good = environment.follow([sys.executable, "-c", "print('chatter')"], 1)
    bad = environment.follow([sys.executable, "-c", failing], 1)

    assert (good, bad) == (0, 1)
    assert capsys.readouterr().out == "no such file\n"


def test_a_python_without_venv_ends_in_a_sentence(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with pytest.raises(environment.EnvironmentProblem, match="python3-venv"):
        environment.make_venv()

    assert not environment.VENV.exists()


def test_make_lists_what_can_be_made() -> None:
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    for target in ("run", "test", "bench", "lint", "docs", "screenshots", "lock"):
        assert f"make {target} " in listed
