# SPDX-License-Identifier: Apache-2.0
"""kill -9 of guard, worker, database and next hop in the middle of a replay.

The promise: nothing acknowledged is lost, each copy leaves at least once, nobody is
shown to anybody. ``make bench`` does the same with hundreds of kills.
"""

from pathlib import Path

import pytest

from tests.acceptance.installation import Installation
from tests.acceptance.killing import PARTS, replay, start_hop

KILLS = 12


@pytest.mark.timeout(400)
def test_what_was_acknowledged_is_there_after_random_kills(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.prepare()
    start_hop(installation)
    with installation:
        account = replay(installation, kills=KILLS, seed=20261121, pause=(0.3, 1.2))

    print(account)
    assert account.lost == ()
    assert account.shown == ()
    assert account.copies == (
        account.delivered + account.held + account.queued + account.failed
    )
    assert account.kills.keys() == set(PARTS)
    assert account.splits > 0
    assert account.delivered > 0
    assert account.held > 0
    assert account.failed > 0
