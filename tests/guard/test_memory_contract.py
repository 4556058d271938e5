# SPDX-License-Identifier: Apache-2.0
"""The memory that forgets keeps the contract of every memory."""

import pytest

from tests.guard.memory_contract import CHECKS, NOW, WINDOW, name_of, wave
from undisclosed.errors import TransientError
from undisclosed.guard.ports import WaveState
from undisclosed.guard.testing import ForgetfulMemory


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_the_memory_that_forgets(check):
    check(ForgetfulMemory)


def test_a_memory_that_is_away_says_so():
    memory = ForgetfulMemory()
    place = memory.reserve(wave("one"), window=WINDOW, now=NOW)
    memory.is_away = True

    with pytest.raises(TransientError):
        memory.reserve(wave("two"), window=WINDOW, now=NOW)
    with pytest.raises(TransientError):
        memory.settle(place.id, WaveState.SHOWN)

    assert memory.state(place.id) is WaveState.RESERVED
    assert memory.states() == [WaveState.RESERVED]
