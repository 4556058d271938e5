# SPDX-License-Identifier: Apache-2.0
"""Hundreds of random kills of guard, worker, database and next hop, all at work.

Not a speed: what is counted is what became of every mail that was acknowledged. The
same replay runs in the tests with a dozen kills.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

from bench.row import Row
from tests.acceptance.installation import Installation
from tests.acceptance.killing import Account, replay, start_hop

KILLS, QUICK = 200, 20
AT_ONCE = 4
"""Installations that are killed at at once: most of a kill is waiting for a restart."""
COUNTS = (
    *("acknowledged", "copies", "delivered", "held", "queued"),
    *("failed", "doubled", "splits"),
)
PAUSE = (0.05, 0.6)
"""Seconds from the return of one part to the kill of the next."""
BREATH = 0.5
"""Seconds between two mails of one program, so that minutes of mail get delivered."""


def rows(*, quick: bool) -> Iterator[Row]:
    """Lost mails, and copies that came twice, over all kills."""
    kills = QUICK if quick else KILLS
    with ThreadPoolExecutor(AT_ONCE) as threads:
        parts = threads.map(kill_at_random, [kills // AT_ONCE] * AT_ONCE, count())
        account = sum_of(list(parts))
    print(f"  {account}", file=sys.stderr, flush=True)
    yield Row(
        name=f"acknowledged and lost over {account.kills.total()} random kills",
        unit="people",
        ours=len(account.lost),
        bound=account.copies,
        bound_name="acknowledged",
        target="0",
        is_met=not account.lost and not account.shown,
        bounded_by=f"nothing: {account}",
    )
    yield Row(
        name="delivered twice over the same kills",
        unit="copies",
        ours=account.doubled,
        bound=account.delivered,
        bound_name="delivered",
        target="only where a kill fell between the hop's 250 and our record",
        bounded_by="SMTP itself: who hears no answer has to try again",
    )


def sum_of(accounts: Sequence[Account]) -> Account:
    """One account of several installations."""
    return Account(
        kills=sum((one.kills for one in accounts), Counter[str]()),
        **{name: sum(getattr(one, name) for one in accounts) for name in COUNTS},
        lost=tuple(person for one in accounts for person in one.lost),
        shown=tuple(person for one in accounts for person in one.shown),
    )


def kill_at_random(kills: int, seed: int = 0) -> Account:
    """The account of so many kills of a fresh installation."""
    with tempfile.TemporaryDirectory(prefix="undisclosed-kill-") as folder:
        installation = Installation(Path(folder))
        installation.prepare()
        start_hop(installation)
        with installation:
            return replay(
                installation, kills=kills, seed=seed, pause=PAUSE, breath=BREATH
            )
