# SPDX-License-Identifier: Apache-2.0
"""What may block runs beside the loop, and what comes of it returns to the loop."""

import asyncio
import threading
from datetime import timedelta

from tests.guard.endpoints.deciding import run
from undisclosed.errors import TransientError
from undisclosed.guard.endpoints.threads import Threads


def test_results_and_errors_return_to_the_loop() -> None:
    heard: list[object] = []

    def fail() -> None:
        raise ValueError("no")

    async def scenario() -> None:
        threads, loop_thread = Threads(2), threading.get_ident()

        def done(result: object) -> None:
            heard.append((result, threading.get_ident() == loop_thread))

        threads.run(lambda: threading.get_ident() == loop_thread, done, heard.append)
        threads.run(fail, done, heard.append)
        await threads.close()
        await asyncio.sleep(0)

    run(scenario())

    (result,) = [one for one in heard if isinstance(one, tuple)]
    (error,) = [one for one in heard if isinstance(one, Exception)]
    assert result == (False, True)
    assert isinstance(error, ValueError)


def test_what_has_not_begun_at_the_end_is_told_so() -> None:
    failed: list[BaseException] = []
    released = threading.Event()

    async def scenario() -> None:
        threads = Threads(1)
        for _ in range(2):
            threads.run(lambda: released.wait(20), lambda _: None, failed.append)
        await threads.close(timedelta(seconds=0.05))
        released.set()
        while not failed:
            await asyncio.sleep(0.005)

    run(scenario())

    (error,) = failed
    assert isinstance(error, TransientError)
