# SPDX-License-Identifier: Apache-2.0
"""What every test may ask for: a database.

Tests of the floors below the store, and of the guard, do without Django: it is
configured when the first module of another folder is collected, since modules that
import models need it then. No server runs before a test asks for ``database``.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.postgres import TestDatabase

WITHOUT_TABLES = ("core", "formats", "transport", "guard", "scan")

# A busy machine proves nothing about a deadline. Where a change lands, the same code
# has the same answer; at home each run tries other inputs, and the fuzzers try more.
settings.register_profile("undisclosed", deadline=None)
settings.register_profile("landing", deadline=None, derandomize=True)
settings.load_profile("landing" if os.environ.get("CI") else "undisclosed")

_DATABASE = pytest.StashKey["TestDatabase"]()
_HERE = Path(__file__).parent


def _database(config: pytest.Config) -> "TestDatabase":
    if _DATABASE not in config.stash:
        from tests.postgres import TestDatabase

        config.stash[_DATABASE] = TestDatabase()
        config.stash[_DATABASE].configure()
    return config.stash[_DATABASE]


def pytest_pycollect_makemodule(
    module_path: Path, parent: pytest.Collector
) -> pytest.Module | None:
    """Configure Django before a module is imported that may need it."""
    if module_path.relative_to(_HERE).parts[0] not in WITHOUT_TABLES:
        _database(parent.config)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright's event loop stays in this thread.

    The longest of them comes first, so that no worker waits for another at the end.
    """
    order = {"test_walk": 1}  # of the browser's; all others 2, and 0 elsewhere
    items.sort(
        key=lambda item: (
            order.get(item.path.stem, 2) if "browser" in item.path.parts else 0
        )
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """The last one out stops the server."""
    if _DATABASE in config.stash:
        config.stash[_DATABASE].end()


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator["TestDatabase"]:
    """An empty database with every table; the server runs for the whole run."""
    found = _database(request.config)
    found.start()
    found.empty()
    yield found
