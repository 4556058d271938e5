# SPDX-License-Identifier: Apache-2.0
"""The spool in PostgreSQL keeps the contract of every spool."""

import pytest

from tests.guard.spool_contract import CHECKS, name_of
from tests.postgres import MASTER_KEY
from undisclosed.store.crypto import Keys
from undisclosed.store.spool import PostgresSpool


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_the_postgres_spool(check, database):
    check(lambda: PostgresSpool(Keys(MASTER_KEY)))
