# SPDX-License-Identifier: Apache-2.0
"""The spool that forgets keeps the contract of every spool."""

import pytest

from tests.guard import spool_undo_contract
from tests.guard.spool_contract import CHECKS, name_of
from undisclosed.errors import TransientError
from undisclosed.guard.testing import MemorySpool

EVERY_CHECK = CHECKS + spool_undo_contract.CHECKS


@pytest.mark.parametrize("check", EVERY_CHECK, ids=name_of)
def test_the_spool_in_memory(check):
    check(MemorySpool)


def test_a_spool_that_is_away_says_so():
    spool = MemorySpool(is_away=True)

    with pytest.raises(TransientError):
        spool.get("hold-1")
