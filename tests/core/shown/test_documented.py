# SPDX-License-Identifier: Apache-2.0
"""Each channel's file has a line in the documents, and vectors that it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SHOWN = ROOT / "src" / "undisclosed" / "core" / "shown"
VECTORS = ROOT / "tests" / "messages" / "leaks"
PAGE = (ROOT / "docs" / "reference" / "channels.md").read_text("utf-8")
NOT_CHANNELS = {"__init__", "channel", "parts"}
CHANNELS = sorted(
    path.stem for path in SHOWN.glob("*.py") if path.stem not in NOT_CHANNELS
)
LINES = dict(re.findall(r"^\| `(\w+)` \| .+ \| ([\d, ]+) \|$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("channel", CHANNELS)
def test_every_channel_has_a_line_and_vectors(channel: str) -> None:
    numbers = LINES[channel].split(", ")

    assert [one for one in numbers if not list(VECTORS.glob(f"{one}-*.eml"))] == []


def test_no_line_is_about_a_channel_that_is_gone() -> None:
    assert sorted(LINES) == CHANNELS
