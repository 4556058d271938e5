# SPDX-License-Identifier: Apache-2.0
"""The page about checks names each of them, and each kind of data."""

from pathlib import Path

import pytest

from undisclosed.send.checks import ALL_CHECKS
from undisclosed.send.checks.identifiers import KINDS
from undisclosed.send.checks.words import word_list

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "checks.md"


@pytest.mark.parametrize("check", ALL_CHECKS, ids=lambda one: one.name)
def test_a_check_is_documented(check):
    assert f"| `{check.name}` | {check.description} |" in PAGE.read_text("utf-8")


@pytest.mark.parametrize("words", sorted({one.words for one in KINDS}))
def test_a_kind_of_data_is_documented(words):
    assert f"| {words} |" in PAGE.read_text("utf-8")


@pytest.mark.parametrize("name", ["special_words", "promotional_words"])
def test_every_word_of_a_list_is_found(name):
    text = Path(__file__).parents[3] / "src/undisclosed/send/checks" / f"{name}.txt"
    words = [
        line.strip().removesuffix("*")
        for line in text.read_text("utf-8").splitlines()
        if line.strip() and line[0] not in "#["
    ]

    assert [one for one in words if not word_list(name).categories(f"a {one} b")] == []
    assert all(one == one.lower() for one in words)
