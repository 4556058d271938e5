# SPDX-License-Identifier: Apache-2.0
"""Where accepted mail is known to have passed, for `undisclosed trace`.

Only where ``guard.trace`` is on. Sender and recipients are kept as keyed hashes, for
as long as a decided mail is. The guard never waits for it: entries are written in
batches by a thread of their own, so that the last second before a crash is missing.
"""

import logging
import queue
import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail
from undisclosed.errors import TransientError
from undisclosed.store import crypto
from undisclosed.store.crypto import Keys, person_bytes
from undisclosed.store.database import Connection, database

log = logging.getLogger(__name__)

BATCH: Final = 500
MOST_WAITING: Final = 20_000
"""Entries that wait for the database; more than these are dropped, with a warning."""

_AGAIN_AFTER: Final = 1.0
_MOST_PEOPLE: Final = 2_000
"""Recipients of one mail that can be found again."""

_INSERT: Final = """
INSERT INTO store_acceptedmail (at, sender_hash, people_hashes, size)
SELECT at, sender, people::bigint[], size
  FROM unnest(%b::timestamptz[], %b::bytea[], %b::text[], %b::bigint[])
       AS entry(at, sender, people, size)
"""
_FIND: Final = """
SELECT at, size FROM store_acceptedmail
 WHERE sender_hash = %b AND people_hashes @> %b::bigint[]
 ORDER BY at DESC LIMIT %s
"""
_PURGE: Final = """
DELETE FROM store_acceptedmail WHERE id IN (
    SELECT id FROM store_acceptedmail WHERE at < %s ORDER BY at LIMIT %s)
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    at: datetime
    sender: Address | None = field(repr=False)
    recipients: tuple[Address, ...] = field(repr=False)
    size: int


@dataclass(frozen=True, slots=True)
class Passed:
    """One mail that was let through: when, and its size in bytes."""

    at: datetime
    size: int


class PostgresTrace:
    """Writes down that mail passed; fits the guard's port ``Trace``."""

    def __init__(
        self, keys: Keys | None = None, *, most_waiting: int = MOST_WAITING
    ) -> None:
        self._keys = keys or crypto.keys()
        self._waiting: queue.Queue[_Entry] = queue.Queue(most_waiting)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def accepted(self, mail: Mail, now: datetime) -> None:
        """Note that a mail passed. Never waits, never raises."""
        envelope = mail.envelope
        people = envelope.rcpt_tos[:_MOST_PEOPLE]
        try:
            self._waiting.put_nowait(
                _Entry(now, envelope.mail_from, people, len(mail.content))
            )
        except queue.Full:
            log.warning("An accepted mail could not be noted for tracing.")
        self._begin()

    def flush(self) -> None:
        """Write what waits. Raises TransientError; then it waits on."""
        while entries := self._take():
            try:
                self._write(entries)
            except TransientError:
                for entry in entries:
                    if not self._waiting.full():
                        self._waiting.put_nowait(entry)
                raise

    def close(self) -> None:
        """Write what waits, and end the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=10)
        try:
            self.flush()
        except TransientError:
            log.warning("Accepted mail could not be noted for tracing.")

    def _begin(self) -> None:
        # Made with the first mail: a process that forks must not have it before.
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(
                        target=self._run, name="trace", daemon=True
                    )
                    self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(_AGAIN_AFTER):
            try:
                self.flush()
            except TransientError:
                continue

    def _take(self) -> list[_Entry]:
        entries: list[_Entry] = []
        while len(entries) < BATCH:
            try:
                entries.append(self._waiting.get_nowait())
            except queue.Empty:
                break
        return entries

    def _write(self, entries: list[_Entry]) -> None:
        senders = [_sender_hash(self._keys, entry.sender) for entry in entries]
        hashed = self._keys.hasher("address")
        people = [
            "{" + ",".join(str(hashed(person_bytes(p))) for p in entry.recipients) + "}"
            for entry in entries
        ]
        with database() as connection:
            connection.run(
                _INSERT,
                (
                    [entry.at for entry in entries],
                    senders,
                    people,
                    [entry.size for entry in entries],
                ),
            )


def passed(sender: Address | None, recipient: Address, limit: int = 50) -> list[Passed]:
    """The mail of a sender to a recipient that passed, the latest first."""
    keys = crypto.keys()
    to = keys.hasher("address")(person_bytes(recipient))
    with database() as connection:
        rows = connection.all(_FIND, (_sender_hash(keys, sender), [to], limit))
    return [Passed(row[0], row[1]) for row in rows]


def purge(connection: Connection, before: datetime, limit: int) -> int:
    """Forget what is older; how many went."""
    return connection.run(_PURGE, (before, limit)).rowcount


def _sender_hash(keys: Keys, sender: Address | None) -> bytes:
    """The null sender has a hash, too: its mail is asked for like any other."""
    return keys.hash("address", person_bytes(sender) if sender else b"<>")
