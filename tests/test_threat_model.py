# SPDX-License-Identifier: Apache-2.0
"""The threat model names tests, and every one of them is there and can run."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "explanation" / "threat-model.md"
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))
LEAST = 40


def functions_of(file: Path) -> set[str]:
    """Every test of a file, those of its classes among them."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_the_threat_model_names_is_there(file: str, name: str) -> None:
    assert name.startswith("test_")
    assert name in functions_of(TESTS / file)


def test_the_threat_model_names_a_test_for_every_attempt() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Who may try what")[2]
    rows = re.findall(r"^\| (.+) \| (.+) \|$", section.partition("\n## ")[0], re.M)
    attempts = [(what, shown) for what, shown in rows if what != "attempt"]

    assert len(attempts) >= LEAST // 2
    assert len(NAMED) >= LEAST
    assert [what for what, shown in attempts if "::" not in shown] == []
