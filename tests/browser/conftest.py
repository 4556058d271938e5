# SPDX-License-Identifier: Apache-2.0
"""What the browser tests ask for: a browser, the pages, an installation."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Browser

from tests.browser.site import CHROMIUM, browsing, served
from tests.postgres import TestDatabase

if TYPE_CHECKING:
    from tests.console.world import World


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The system's Chromium; without one, these tests are skipped by name."""
    if not CHROMIUM:
        pytest.skip("chromium is not installed")
    with browsing() as found:
        yield found


@pytest.fixture
def world(database: TestDatabase) -> "World":
    """An empty installation."""
    # Models can be imported once Django is configured, which comes after this file.
    from tests.console.world import World

    return World(database)


@pytest.fixture
def url(database: TestDatabase) -> Iterator[str]:
    """Where the pages are served."""
    with served() as found:
        yield found
