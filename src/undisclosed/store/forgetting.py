# SPDX-License-Identifier: Apache-2.0
"""Forgetting who stood behind the journal's pseudonyms; that it was done stays."""

from datetime import datetime

from undisclosed.store import journal, pseudonyms
from undisclosed.store.database import Connection, transaction


def forget(epoch: int, *, by: str, now: datetime) -> None:
    """Destroy the key of an epoch that is over, for good. Raises EpochNotOver."""
    with transaction() as connection:
        _forget(connection, epoch, by, now)


def forget_over(connection: Connection, before: datetime, now: datetime) -> int:
    """Destroy the keys of epochs that ended before this time; how many."""
    over = pseudonyms.over(connection, before)
    for epoch in over:
        _forget(connection, epoch, "worker", now)
    return len(over)


def _forget(connection: Connection, epoch: int, by: str, now: datetime) -> None:
    pseudonyms.destroy(connection, epoch, now)
    facts = {"epoch": epoch}
    journal.write_with(connection, "people forgotten", facts, actor=by, at=now)
