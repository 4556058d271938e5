# SPDX-License-Identifier: Apache-2.0
"""The settings of the check API: defaults, and what is refused with its line."""

from datetime import timedelta
from pathlib import Path

import pytest

from undisclosed.store.settings import SettingsError, load


def api(folder: Path, text: str = ""):
    """The settings of the API in a file with this text."""
    file = folder / "undisclosed.toml"
    file.write_text(f"[api]\n{text}\n", encoding="utf-8")
    return load(file, {}).api


def test_without_a_word_they_are_usable(tmp_path) -> None:
    found = api(tmp_path)

    assert found.checks_per_hour == 600
    assert found.clearance == timedelta(hours=1)
    assert found.origins == ()


def test_what_is_set_is_used(tmp_path) -> None:
    found = api(
        tmp_path,
        'checks_per_hour = 5\nclearance_minutes = 10\norigins = ["https://a.example"]',
    )

    assert found.checks_per_hour == 5
    assert found.clearance == timedelta(minutes=10)
    assert found.origins == ("https://a.example",)


@pytest.mark.parametrize(
    "text",
    [
        "checks_per_hour = 0",
        "clearance_minutes = 0",
        'origins = ["*"]',
        'origins = ["https://a.example/"]',
        'origins = ["a.example"]',
        'origins = "https://a.example"',
        "checks_per_day = 5",
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(tmp_path, text) -> None:
    with pytest.raises(SettingsError, match=r"undisclosed\.toml:2: "):
        api(tmp_path, text)
