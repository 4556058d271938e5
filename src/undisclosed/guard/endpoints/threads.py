# SPDX-License-Identifier: Apache-2.0
"""Threads in which an endpoint asks Memory and the spool; what they find returns."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from undisclosed.errors import TransientError

Result = TypeVar("Result")


class Threads:
    """A few threads beside the event loop."""

    def __init__(self, count: int) -> None:
        self._threads = ThreadPoolExecutor(count, "deciding")
        self._running: set[asyncio.Future[object]] = set()

    def run(
        self,
        call: Callable[[], Result],
        done: Callable[[Result], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Run what may block; one of the two callbacks follows, in the event loop."""

        def ended(future: asyncio.Future[Result]) -> None:
            if future.cancelled():
                failed(TransientError("The guard is shutting down."))
            elif (error := future.exception()) is not None:
                failed(error)
            else:
                done(future.result())

        future = asyncio.get_running_loop().run_in_executor(self._threads, call)
        self._running.add(future)  # type: ignore[arg-type]
        future.add_done_callback(self._running.discard)
        future.add_done_callback(ended)

    async def close(self, wait: timedelta = timedelta(seconds=5)) -> None:
        """Let what runs come to its end, for a while."""
        if self._running:
            await asyncio.wait(self._running, timeout=wait.total_seconds())
        self._threads.shutdown(wait=False, cancel_futures=True)
