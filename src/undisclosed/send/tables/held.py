# SPDX-License-Identifier: Apache-2.0
"""A table's bytes as a file that readers can open, without writing it to a disk."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def file_of(pieces: Iterable[bytes]) -> Iterator[Path]:
    """A file with these bytes, gone with the block; it lies in memory on Linux.

    Elsewhere it lies in a folder that only its owner may enter. A child process of
    the same user can open it by its path.
    """
    if hasattr(os, "memfd_create"):
        number = os.memfd_create("table")
        with os.fdopen(number, "wb") as file:
            _fill(file.fileno(), pieces)
            yield Path(f"/proc/{os.getpid()}/fd/{number}")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        with path.open("wb") as file:
            _fill(file.fileno(), pieces)
        yield path


def _fill(number: int, pieces: Iterable[bytes]) -> None:
    for piece in pieces:
        view = memoryview(piece)
        while view:
            view = view[os.write(number, view) :]
