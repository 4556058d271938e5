# SPDX-License-Identifier: Apache-2.0
"""Fetches what comes back from a mailbox over IMAP.

A report is taken and marked as read, or moved away; what is no report is left as it
is, unread, for a person. One worker reads at a time; what it takes twice, after a
crash between the two, counts once.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.returns import ReturnKind
from undisclosed.send.return_reading import LONGEST
from undisclosed.send.returns import Returns
from undisclosed.store import returns as kept
from undisclosed.transport.imap import ImapBox, ImapSettings

MOST: Final = 500
"""Messages that are read in one go; the next one goes on."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What one look into the mailbox found: taken, and left for a person."""

    taken: int = 0
    left: int = 0


def fetch(box: ImapSettings, done: str, takes: Returns) -> Fetched:
    """Take what is waiting in the mailbox; ``done`` is the folder for it, or empty.

    Raises TransientError where the mailbox or the store is away.
    """
    with kept.alone() as is_alone:
        if not is_alone:
            return Fetched()
        with ImapBox(box) as opened:
            return _take_all(opened, done, takes)


def _take_all(opened: ImapBox, done: str, takes: Returns) -> Fetched:
    taken = left = 0
    for uid in opened.waiting(MOST):
        found = takes.take(opened.fetch(uid, LONGEST))
        if found.kind is ReturnKind.UNKNOWN or not found.is_ours:
            # Reports about mail that people sent by themselves come here, too.
            opened.leave(uid)
            left += 1
            continue
        if done:
            opened.move(uid, done)
        else:
            opened.mark_read(uid)
        taken += 1
    return Fetched(taken, left)


class Fetching:
    """Looks into the mailbox again and again, as often as the settings say."""

    def __init__(
        self,
        box: ImapSettings,
        done: str,
        takes: Returns,
        *,
        every: timedelta,
        clock: Callable[[], datetime],
    ) -> None:
        self._box = box
        self._done = done
        self._takes = takes
        self._every = every
        self._clock = clock
        self._next_at: datetime | None = None

    def fetch_due(self) -> Fetched:
        """Look where it is time to. Raises TransientError."""
        now = self._clock()
        if self._next_at is not None and now < self._next_at:
            return Fetched()
        self._next_at = now + self._every
        fetched = fetch(self._box, self._done, self._takes)
        if fetched.taken or fetched.left:
            log.info("Returned mail: %d taken, %d left.", fetched.taken, fetched.left)
        return fetched
