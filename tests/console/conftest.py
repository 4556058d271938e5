# SPDX-License-Identifier: Apache-2.0
"""What the tests of the pages ask for."""

from typing import TYPE_CHECKING

import pytest

from tests.postgres import TestDatabase

if TYPE_CHECKING:
    from tests.console.world import World


@pytest.fixture
def world(database: TestDatabase) -> "World":
    """An empty installation."""
    # Models can be imported once Django is configured, which comes after this file.
    from tests.console.world import World

    return World(database)
