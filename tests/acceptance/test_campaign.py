# SPDX-License-Identifier: Apache-2.0
"""kill -9 of two workers, the database and the next hop while a campaign leaves.

The promise: nobody is lost, whoever gets it twice was shown as in doubt, the states
add up to the approved list. ``bench.send`` does the same with fifty kills.
"""

from pathlib import Path

import pytest

from tests.acceptance.campaigning import PARTS, kill_at_random, prepared
from tests.acceptance.installation import Installation

PEOPLE, KILLS = 600, 8


@pytest.mark.timeout(400)
def test_a_campaign_adds_up_after_random_kills(tmp_path: Path) -> None:
    installation = Installation(
        tmp_path, send={"per_second": 50}, worker={"metrics": ""}
    )
    installation.prepare()
    with installation:
        campaign = prepared(installation, PEOPLE)
        sent = kill_at_random(
            installation,
            campaign,
            people=PEOPLE,
            kills=KILLS,
            seed=20261122,
            pause=(0.5, 1.5),
        )
        audiences = installation.rows("SELECT kind, people FROM store_audience")

    print(sent)
    assert sent.lost == ()
    assert sent.unexplained == ()
    assert sent.others == 0
    assert audiences == [("hidden", PEOPLE)]
    assert len(sent.doubled) <= sent.doubted
    assert sent.states == {"sent": PEOPLE}
    assert sent.kills.keys() == set(PARTS)
