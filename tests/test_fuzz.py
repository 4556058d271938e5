# SPDX-License-Identifier: Apache-2.0
"""The fuzzers run, stop where they are told to, and say what they found."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import guiding

ROOT = Path(__file__).resolve().parent.parent
HARNESSES = sorted(
    path.stem for path in (ROOT / "fuzz").glob("*.py") if path.stem != "guiding"
)


@pytest.mark.parametrize("name", HARNESSES)
def test_a_harness_tries_as_many_inputs_as_it_is_asked_to(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"fuzz.{name}", "--inputs", "20", "--seed", "7"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Done 20 runs in ")


@pytest.mark.parametrize("name", HARNESSES)
def test_a_harness_is_named_where_the_fuzzers_are_listed(name: str) -> None:
    module = importlib.import_module(f"fuzz.{name}")

    assert module.__doc__ is not None
    assert module.__doc__.startswith(f"``python -m fuzz.{name}``: ")


def test_a_find_is_printed_with_its_seed_and_raised(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def check(data: bytes) -> None:
        assert b"x" not in data

    with pytest.raises(AssertionError):
        guiding.run(check, lambda _: b"ax", seed=3, most=5)

    assert capsys.readouterr().err == "input 0 of seed 3: b'ax'\n"


def test_the_same_seed_makes_the_same_inputs() -> None:
    inputs = guiding.mutations((b"To: ann@a.example\r\n\r\n", b"From: x"), (b"@", b","))

    def made(seed: int) -> list[bytes]:
        taken: list[bytes] = []
        guiding.run(taken.append, inputs, seed=seed, most=50)
        return taken

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_an_input_that_takes_too_long_is_a_find(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guiding, "LONGEST_SECONDS", -1.0)

    with pytest.raises(guiding.TooSlow):
        guiding.run(lambda _: None, lambda _: b"", most=1)
