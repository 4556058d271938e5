# SPDX-License-Identifier: Apache-2.0
"""A worker's sign of life: there while it lives, gone with it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

from tests.acceptance.installation import until
from tests.guard.spool_contract import own_mail
from undisclosed.console.wiring import spool
from undisclosed.store.presence import Presence, free_leases_of_the_dead, working

HOUR = timedelta(hours=1)


def _renew_at_once(presence: Presence, threads: int) -> None:
    together = Barrier(threads)

    def renew(_: int) -> None:
        together.wait(10)
        presence.renew()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(renew, range(threads)))


def _claim(by: str) -> None:
    now = datetime.now(UTC)
    spool().queue([own_mail(f"of-{by}")], now=now)
    assert spool().claim(by=by, limit=9, lease=HOUR, now=now)


def test_renewing_from_several_threads_at_once_leaves_one_sign(
    database: object,
) -> None:
    for number in range(10):
        presence = Presence(f"worker-{number}")
        try:
            _renew_at_once(presence, 4)

            assert working() == 1
        finally:
            presence.close()
        until(lambda: working() == 0, "the sign is gone")


def test_only_the_dead_lose_what_they_claimed(database: object) -> None:
    _claim("alive")
    _claim("dead")
    presence = Presence("alive")
    try:
        _renew_at_once(presence, 4)

        assert free_leases_of_the_dead() == 1
    finally:
        presence.close()
    until(lambda: free_leases_of_the_dead() == 1, "it is dead, too")
