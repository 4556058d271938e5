# SPDX-License-Identifier: Apache-2.0
"""The program of a child: reads documents from standard input, one after another.

It shuts itself in before it reads the first byte: a limit on its address space, on
the processor's time for each document, no file that it could write, no program that
it could start, no file or socket that it could open. It ends when its input ends, so
that it never outlives the process that started it.
"""

import encodings
import importlib
import os
import pkgutil
import resource
import sys

from undisclosed.core.documents import KINDS, Document
from undisclosed.transport.reading import frames, shut_in
from undisclosed.transport.reading.found import OUT_OF_MEMORY

MOST_DOCUMENTS = 500
"""After so many a child makes room for a fresh one: libraries leak."""


def main() -> None:
    """Read until the input ends. Arguments: bytes of memory, seconds for each."""
    memory, seconds = int(sys.argv[1]), float(sys.argv[2])
    answers = os.dup(1)
    sizes = os.open("/proc/self/statm", os.O_RDONLY)
    os.dup2(2, 1)  # What a library prints is no answer.
    _load()
    from undisclosed.transport.reading.kinds import read_document  # noqa: PLC0415

    shut_in.shut_in(memory)
    for number in range(1, MOST_DOCUMENTS + 1):
        head = _read(frames.REQUEST.size)
        if not head:
            return
        kind, size = frames.REQUEST.unpack(head)
        content = _read(size)
        _allow(seconds)
        is_last = number == MOST_DOCUMENTS or _is_full(sizes, memory)
        try:
            answer = frames.answer(read_document(KINDS[kind], content), is_last=is_last)
        except MemoryError:
            is_last = True
            answer = frames.answer(Document(uncertain=(OUT_OF_MEMORY,)), is_last=True)
        _write(answers, answer)
        if is_last:
            return


def _load() -> None:
    """Everything that is imported later otherwise, when no file can be opened."""
    for module in pkgutil.iter_modules(encodings.__path__):
        if module.name not in ("mbcs", "oem"):  # They are of another system.
            importlib.import_module(f"encodings.{module.name}")


def _allow(seconds: float) -> None:
    """The processor's time until the kernel ends this process, counted from now."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _is_full(sizes: int, memory: int) -> bool:
    """Whether the documents so far have left too little room for the next one."""
    pages = int(os.pread(sizes, 100, 0).split()[0])
    return pages * resource.getpagesize() > memory * 3 // 4


def _read(size: int) -> bytes:
    """So many bytes of standard input; fewer at its end."""
    pieces = []
    while size and (piece := os.read(0, min(size, 1024 * 1024))):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _write(to: int, answer: bytes) -> None:
    rest = memoryview(answer)
    while rest:
        rest = rest[os.write(to, rest) :]


if __name__ == "__main__":
    main()
