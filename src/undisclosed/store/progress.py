# SPDX-License-Identifier: Apache-2.0
"""How far long work on a campaign is: for its page, whoever does the work.

What works in one long transaction cannot tell of it there, so this is written over a
thread's own connection. It is a courtesy and never a fact: it may be a little old, it
may be missing, and nothing is decided by it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from undisclosed.store.database import database

OLD: Final = timedelta(minutes=5)
"""What was not heard of for so long was cut off, and is no longer shown."""

_TELL: Final = """
INSERT INTO store_progress (key, deed, done, whole, at) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (key) DO UPDATE SET
    deed = excluded.deed, done = excluded.done, whole = excluded.whole, at = excluded.at
"""
_FORGET: Final = "DELETE FROM store_progress WHERE key = %s OR at < %s"
_OF: Final = (
    "SELECT deed, done, whole, at FROM store_progress WHERE key = %s AND at > %s"
)

Tell = Callable[[int], None]


class Deed(StrEnum):
    """What takes so long."""

    READING = "reading"  # the checks read the list before they look at messages
    CHECKING = "checking"  # they make each message and look at it
    WRITING = "writing"  # the ledger of everybody is written
    HIDING = "hiding"  # Memory learns who is to stay hidden from whom


@dataclass(frozen=True, slots=True)
class Progress:
    """So many rows of so many, at that moment."""

    deed: Deed
    done: int
    whole: int
    at: datetime


def of(key: str, now: datetime) -> Progress | None:
    """How far the work is; None where nothing was heard of it lately."""
    with database() as connection:
        row = connection.one(_OF, (key, now - OLD))
    return Progress(Deed(row[0]), *row[1:]) if row else None


@contextmanager
def told(key: str, deed: Deed, whole: int, also: Tell | None = None) -> Iterator[Tell]:
    """Give something that tells how far the work is; at the end it is forgotten.

    Of numbers that come while one is being written only the latest counts. ``also``
    is told as well, in the caller's own thread.
    """
    with ThreadPoolExecutor(1) as thread:
        last: list[Future[None]] = []

        def tell(done: int) -> None:
            if also is not None:
                also(done)
            if not last or last[-1].done():
                last[:] = [thread.submit(_tell, key, deed, done, whole)]

        try:
            yield tell
        finally:
            if last:
                thread.submit(_forget, key)


def _tell(key: str, deed: Deed, done: int, whole: int) -> None:
    with database() as connection:
        connection.run(_TELL, (key, deed.value, done, whole, datetime.now(UTC)))


def _forget(key: str) -> None:
    with database() as connection:
        connection.run(_FORGET, (key, datetime.now(UTC) - OLD))
