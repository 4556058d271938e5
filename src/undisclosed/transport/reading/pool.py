# SPDX-License-Identifier: Apache-2.0
"""A pool of child processes that read documents, within limits of time and memory.

Content goes to a child over a pipe and its text comes back over another; nothing is
written to a disk. A child that is over its time is killed and replaced; one that dies
is replaced. Either way the document is one that could not be read, and said to be.
"""

import functools
import os
import queue
import selectors
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import undisclosed
from undisclosed.core.documents import Document
from undisclosed.errors import UndisclosedError
from undisclosed.transport.reading import frames
from undisclosed.transport.reading.limits import ReaderLimits

TOO_SLOW = "A document in it takes longer to read than is allowed."
TOO_SLOW_TOGETHER = (
    "The documents in it take longer to read, together, than is allowed."
)
ENDED = "A document in it ended the process that read it."
NO_CHILD = "A document in it was not read: the program that reads them did not start."
BUSY = "A document in it was not read: too many were waiting."

START = 30.0
"""Seconds more for the first document of a child, which has yet to begin."""

PATIENCE = 4
"""Times the limit of one document that a document waits for a child."""

DOCUMENTS_OF_A_MAIL = 3
"""Times the limit of one document that all documents of a mail may take."""

_LONGEST_PIECE = 256 * 1024
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PYTHONHOME")


class _Failed(UndisclosedError):
    """No document came of it; the sentence says why."""


class PooledReader:
    """Reads documents in child processes; fits ``core.documents.Reader``.

    Threads may share one. Children start when they are first needed. A process that
    was forked from this one starts children of its own.
    """

    def __init__(self, limits: ReaderLimits | None = None) -> None:
        self.limits = limits or ReaderLimits()
        self._begin()

    def __reduce__(self) -> tuple[object, ...]:
        """Travel to another process without the children of this one."""
        return reader_of, (self.limits,)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, kind: str, content: bytes) -> Document:
        """What the document shows. Never raises."""
        return self.timed(kind, content)[0]

    def for_one_mail(self) -> "MailReader":
        """The same within a limit of time for all documents of one mail."""
        return MailReader(self)

    def timed(self, kind: str, content: bytes) -> tuple[Document, float]:
        """What the document shows, and the seconds that reading it took."""
        if os.getpid() != self._process:
            self._begin()
        try:
            place = self._places.get(timeout=PATIENCE * self.limits.seconds)
        except queue.Empty:
            return Document(uncertain=(BUSY,)), 0.0
        began = time.monotonic()
        try:
            document = self._ask(place, kind, content)
        except _Failed as failure:
            document = Document(uncertain=(str(failure),))
        finally:
            self._places.put(place)
        return document, time.monotonic() - began

    def close(self) -> None:
        """End the children. A document that comes later starts a new one."""
        for place in self._all:
            self._end(place)

    def _begin(self) -> None:
        self._process = os.getpid()
        self._children: dict[int, _Child] = {}
        self._all = range(self.limits.processes)
        self._places: queue.LifoQueue[int] = queue.LifoQueue()
        for place in self._all:
            self._places.put(place)
        weakref.finalize(self, _end_all, self._children, self._process)

    def _ask(self, place: int, kind: str, content: bytes) -> Document:
        child = self._children.get(place)
        limit = self.limits.seconds
        if child is None or not child.is_running:
            self._end(place)
            child = self._children[place] = _Child(self.limits)
            limit += START
        try:
            document, is_last = child.ask(kind, content, time.monotonic() + limit)
        except _Failed:
            self._end(place)
            raise
        if is_last:
            self._end(place)
        return document

    def _end(self, place: int) -> None:
        child = self._children.pop(place, None)
        if child is not None:
            child.end()


class MailReader:
    """Reads the documents of one mail, while they do not take too long together.

    Time that is spent waiting for a child does not count.
    """

    def __init__(self, reader: PooledReader) -> None:
        self._reader = reader
        self._left = DOCUMENTS_OF_A_MAIL * reader.limits.seconds

    def read(self, kind: str, content: bytes) -> Document:
        """What the document shows. Never raises."""
        if self._left <= 0:
            return Document(uncertain=(TOO_SLOW_TOGETHER,))
        document, seconds = self._reader.timed(kind, content)
        self._left -= seconds
        return document


@functools.lru_cache(maxsize=8)
def reader_of(limits: ReaderLimits) -> PooledReader:
    """The one reader with these limits in this process."""
    return PooledReader(limits)


def _end_all(children: "dict[int, _Child]", process: int) -> None:
    if os.getpid() == process:
        for child in children.values():
            child.end()


class _Child:
    """One child process, and the pipes to it and from it."""

    def __init__(self, limits: ReaderLimits) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [
                    *(sys.executable, "-m", "undisclosed.transport.reading.child"),
                    *(str(limits.memory), str(limits.seconds)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(os.environ),
                cwd="/",
                bufsize=0,
                start_new_session=True,
            )
        except OSError:
            raise _Failed(NO_CHILD) from None
        self._to, self._from = self._process.stdin, self._process.stdout
        for pipe in (self._to, self._from):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def ask(self, kind: str, content: bytes, deadline: float) -> tuple[Document, bool]:
        """The child's answer, and whether it ends after it. Raises _Failed."""
        try:
            self._send(frames.request(kind, content), deadline)
            self._send(content, deadline)
            prefix = self._receive(frames.ANSWER.size, deadline)
            head, body = frames.lengths(prefix)
            return frames.read_answer(
                self._receive(head, deadline), self._receive(body, deadline)
            )
        except (OSError, frames.BadAnswer):
            raise _Failed(ENDED) from None

    def end(self) -> None:
        """Kill the process and wait for it."""
        self._process.kill()
        for pipe in (self._to, self._from):
            if pipe is not None:
                pipe.close()
        self._process.wait()

    def _send(self, data: bytes, deadline: float) -> None:
        rest = memoryview(data)
        while rest:
            pipe = self._wait(selectors.EVENT_WRITE, deadline)
            rest = rest[os.write(pipe, rest[:_LONGEST_PIECE]) :]

    def _receive(self, size: int, deadline: float) -> bytes:
        received = bytearray()
        while len(received) < size:
            pipe = self._wait(selectors.EVENT_READ, deadline)
            piece = os.read(pipe, min(size - len(received), _LONGEST_PIECE))
            if not piece:
                raise _Failed(ENDED)
            received += piece
        return bytes(received)

    def _wait(self, event: int, deadline: float) -> int:
        pipe = self._to if event == selectors.EVENT_WRITE else self._from
        if pipe is None:
            raise _Failed(NO_CHILD)
        with selectors.PollSelector() as selector:
            selector.register(pipe, event)
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise _Failed(TOO_SLOW)
        return pipe.fileno()


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What a child is told: where programs and modules are, no setting, no secret."""
    told = {name: ours[name] for name in _PASSED_ON if name in ours}
    source = str(Path(undisclosed.__file__).parent.parent)
    further = ours.get("PYTHONPATH", "")
    told["PYTHONPATH"] = os.pathsep.join(
        (source, *(os.path.abspath(one) for one in further.split(os.pathsep) if one))
    )
    return told
