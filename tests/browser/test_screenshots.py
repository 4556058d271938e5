# SPDX-License-Identifier: Apache-2.0
"""The pictures of the documentation can be taken again, and all of them are there."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.browser.screenshots import FOLDER, NAMES, take
from tests.browser.site import WIDTHS
from tests.postgres import TestDatabase

EXPECTED = {f"{name}-{width}.png" for name in NAMES for width in WIDTHS}


def test_every_picture_is_taken_at_every_width(
    browser: Browser, database: TestDatabase, tmp_path: Path
) -> None:
    taken = {file.name for file in take(database, tmp_path, browser)}

    assert taken == EXPECTED
    assert all((tmp_path / name).stat().st_size > 10_000 for name in taken)


def test_the_documentation_has_every_picture() -> None:
    assert {file.name for file in FOLDER.glob("*.png")} >= EXPECTED
