# SPDX-License-Identifier: Apache-2.0
"""Who does the work of a scan: this process, or a pool of processes.

Messages go out in batches and come back in their order, a bounded number under
way. A message that kills the process that reads it is found and named; the others
are read again.
"""

import multiprocessing
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor
from typing import ParamSpec, TypeVar

from undisclosed.core.documents import Reader
from undisclosed.core.policy import Policy
from undisclosed.scan.message import Looked, look
from undisclosed.transport.mailbox import Message, Unreadable

_P = ParamSpec("_P")
_T = TypeVar("_T")

Batch = Sequence[Message]


class Here(Executor):
    """An executor that works at once, in the process that asks."""

    def submit(
        self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs
    ) -> "Future[_T]":
        """Do the work now; the future already has its result or its error."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def executor_for(jobs: int) -> Executor:
    """An executor of that many processes; of this one alone where one is asked.

    The processes leave Ctrl-C to the one that started them. They are forked, and
    started at once, so ask before any thread runs.
    """
    if jobs <= 1:
        return Here()
    pool = ProcessPoolExecutor(
        jobs, mp_context=multiprocessing.get_context("fork"), initializer=_start
    )
    pool.submit(int).result()
    return pool


class Workers:
    """A number of processes that look at messages, begun anew when they break."""

    def __init__(self, policy: Policy, jobs: int, reader: Reader | None = None) -> None:
        """``reader`` travels to each process, where it has to be of use."""
        self._policy = policy
        self._reader = reader
        self._jobs = jobs
        self._executor = executor_for(jobs)
        self._under_way: deque[tuple[Batch, Future[Looked]]] = deque()

    def look_at(self, batches: Iterable[Batch]) -> Iterator[Looked]:
        """What became of each batch, in the order in which they were given."""
        under_way = self._under_way
        limit = 1 if self._jobs <= 1 else 2 * self._jobs + 1
        for batch in batches:
            under_way.append((batch, self._submit(batch)))
            if len(under_way) >= limit:
                yield from self._settle()
        while under_way:
            yield from self._settle()

    def stop(self) -> Iterator[Looked]:
        """What became of the batches that are begun; the others are given up."""
        for _, future in self._under_way:
            future.cancel()
        for _, future in self._under_way:
            if not future.cancelled() and future.exception() is None:
                yield future.result()

    def close(self) -> None:
        """Let go of the processes; what they have not begun is not begun."""
        # Not waiting would race with the interpreter's own wait at its end.
        self._executor.shutdown(wait=True, cancel_futures=True)

    def _submit(self, batch: Batch) -> "Future[Looked]":
        try:
            return self._executor.submit(look, batch, self._policy, self._reader)
        except BrokenExecutor as error:
            failed: Future[Looked] = Future()
            failed.set_exception(error)
            return failed

    def _settle(self) -> Iterator[Looked]:
        """The result of the oldest batch; where a process broke, of all of them.

        Nobody can tell which batch broke it, so each is tried again by itself, its
        messages one by one where it breaks again.
        """
        _, future = self._under_way[0]
        try:
            looked = future.result()
        except BrokenExecutor:
            batches = [waiting for waiting, _ in self._under_way]
            self._under_way.clear()
        else:
            self._under_way.popleft()
            yield looked
            return
        for again in batches:
            yield self._look_again(again)

    def _look_again(self, batch: Batch) -> Looked:
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = executor_for(self._jobs)
        try:
            return self._submit(batch).result()
        except BrokenExecutor:
            if len(batch) > 1:
                return _joined([self._look_again([message]) for message in batch])
            self._executor = executor_for(self._jobs)
            reason = "could not be read: it ended the process that read it"
            return Looked(1, (), (), (Unreadable(batch[0].name, reason),))


def _joined(parts: Sequence[Looked]) -> Looked:
    return Looked(
        messages=sum(part.messages for part in parts),
        glances=tuple(glance for part in parts for glance in part.glances),
        uncertain=tuple(pair for part in parts for pair in part.uncertain),
        problems=tuple(problem for part in parts for problem in part.problems),
    )


def _start() -> None:
    """In a new process: Ctrl-C is for the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
