# SPDX-License-Identifier: Apache-2.0
"""Verifying the journal, by the heads of days that were noted beside the data.

That somebody asked for it on a page, and what was found, stands in the journal itself:
so whoever asks last waits for the same answer, and a worker finds what it has to do
without a table of its own. A short journal is verified while the page waits; a long one
by a worker.
"""

import fcntl
import logging
import os
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import IO, Final

from undisclosed.store import (
    jobs,
    journal,
    journal_reading,
    sealing,
    stamping,
    timestamps,
    verifier,
)
from undisclosed.store.database import Connection, database, transaction
from undisclosed.store.settings_values import Settings

ASKED: Final = "journal verification asked"
VERIFIED: Final = "journal verified"
AT_ONCE: Final = 20_000
"""Entries up to which a page waits for the answer."""

HEADS: Final = "journal.heads"
"""The file beside the data in which the seals of days are noted."""

_MOST_FAULTS: Final = 20
_SEALS: Final = "SELECT day, hash FROM store_journalseal WHERE day > %s ORDER BY day"
_HEAD: Final = re.compile(r"(\d{4}-\d\d-\d\d) [0-9a-f]{64}", re.ASCII)
_LOCK: Final = 0x7665_7269  # advisory: one process verifies at a time


log = logging.getLogger(__name__)


def ask(settings: Settings, *, by: str, now: datetime) -> bool:
    """Verify now where the journal is short, else ask a worker; whether it is done."""
    with transaction() as connection:
        journal.write_with(connection, ASKED, {}, actor=by, at=now)
        if not _is_short():
            jobs.defer(connection, jobs.VERIFY)
            return False
    return verify_wanted(settings, now)


def is_wanted() -> bool:
    """Whether somebody asked since it was last verified."""
    asked = journal_reading.newest(ASKED)
    done = journal_reading.newest(VERIFIED)
    return asked is not None and (done is None or done.id < asked.id)


def verify_wanted(settings: Settings, now: datetime) -> bool:
    """Verify it where somebody asked, and write down what was found; whether it was.

    Not where another process is at it. Raises TransientError, and AuthorityUnknown
    where the certificates of ``journal.timestamp_ca`` cannot be read.
    """
    with database() as connection:
        if not _taken(connection):
            return False
        try:
            if not is_wanted():
                return False
            _verify(settings, now)
            return True
        finally:
            connection.run("SELECT pg_advisory_unlock(%s)", (_LOCK,))


def found_in(
    settings: Settings, now: datetime, heads: Iterable[str] = ()
) -> verifier.Verified:
    """Verify all of the journal against the noted heads, and ``heads`` besides.

    Raises AuthorityUnknown where ``journal.timestamp_ca`` cannot be read.
    """
    records = sealing.records(now)
    next(records)
    found = verifier.verify(records, [*heads, *_noted(settings.store.data)])
    ca = settings.journal.timestamp_ca
    if ca is None:
        return found
    return stamping.check(found, timestamps.certificates_of(ca))


def note(settings: Settings) -> int:
    """Add the seals after the last day in the file of heads to it; how many.

    Durably, and whatever a process that died in the middle left out comes with the
    next call. A file that cannot be written is logged. Raises TransientError.
    """
    try:
        with (settings.store.data / HEADS).open("a+b") as file:
            # Two workers may share the folder.
            fcntl.flock(file, fcntl.LOCK_EX)
            return _append(file)
    except OSError as error:
        log.error("The heads of days cannot be noted: %s", error.strerror)
        return 0


def _append(file: IO[bytes]) -> int:
    file.seek(0)
    lines = file.read().decode("ascii", "replace").splitlines(keepends=True)
    if lines and not _is_whole(lines[-1]):
        # Somebody died while writing it: it is written again.
        torn = lines.pop()
        file.truncate(file.tell() - len(torn))
    elif lines and not lines[-1].endswith("\n"):
        file.write(b"\n")
    days = (found[1] for line in lines if (found := _HEAD.fullmatch(line.strip())))
    with database() as connection:
        seals = connection.all(_SEALS, (max(days, default=date.min.isoformat()),))
    if seals:
        text = "".join(f"{day} {bytes(digest).hex()}\n" for day, digest in seals)
        file.write(text.encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    return len(seals)


def _verify(settings: Settings, now: datetime) -> None:
    found = found_in(settings, now)
    journal.write(
        VERIFIED,
        actor="verification",
        holds=not found.faults,
        entries=found.entries,
        batches=found.batches,
        days=found.seals,
        unsealed=found.unsealed,
        head=found.head,
        fault_count=len(found.faults),
        faults=found.faults[:_MOST_FAULTS],
    )


def _is_short() -> bool:
    return journal_reading.chain(0).sealed_until <= AT_ONCE


def _taken(connection: Connection) -> bool:
    row = connection.one("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
    return bool(row and row[0])


def _noted(data: Path) -> Iterator[str]:
    """The heads that were noted when days were sealed."""
    file = data / HEADS
    if file.exists():
        for line in file.read_text("ascii", "replace").splitlines(keepends=True):
            if _is_whole(line):
                yield line.strip().rpartition(" ")[2]


def _is_whole(line: str) -> bool:
    """Not the last line of somebody who died while writing it."""
    return line.endswith("\n") or _HEAD.fullmatch(line) is not None
