# SPDX-License-Identifier: Apache-2.0
"""The spool that forgets keeps the contract of every spool."""

import pytest

from tests.guard.spool_contract import CHECKS, name_of
from undisclosed.errors import TransientError
from undisclosed.guard.testing import MemorySpool


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_the_spool_in_memory(check):
    check(MemorySpool)


def test_a_spool_that_is_away_says_so():
    spool = MemorySpool(is_away=True)

    with pytest.raises(TransientError):
        spool.get("hold-1")
