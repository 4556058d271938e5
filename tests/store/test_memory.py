# SPDX-License-Identifier: Apache-2.0
"""The memory in PostgreSQL keeps the contract of every memory."""

import pytest

from tests.guard.memory_contract import CHECKS, name_of
from tests.postgres import MASTER_KEY
from undisclosed.store.crypto import Keys
from undisclosed.store.memory import PostgresMemory


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_the_postgres_memory(check, database):
    check(lambda: PostgresMemory(Keys(MASTER_KEY)))
