# SPDX-License-Identifier: Apache-2.0
"""The record-only feed: inbound mail that the guard is shown and does not touch.

Who was shown to whom in mail that outsiders wrote is no news when one of us replies
to all. Only authenticated mail counts: otherwise anybody could make two people known
to one another with a forged From.
"""

import logging
from collections.abc import Collection

from undisclosed.core.authentication import is_authenticated
from undisclosed.core.disclosure import Reading, read
from undisclosed.core.mail import Mail
from undisclosed.core.policy import Policy
from undisclosed.core.threads import thread_of
from undisclosed.guard.journal_reports import JournalRules
from undisclosed.guard.metrics import Alarm, Silent
from undisclosed.guard.origin import UNKNOWN, Origin
from undisclosed.guard.ports import Clock, Memory

log = logging.getLogger(__name__)

MOST_PEOPLE = 500
"""People of one inbound mail up to whom it is taken for a conversation."""


class Feed:
    """Records inbound mail in Memory; it changes nothing and never raises.

    ``authserv_ids`` are the names of our own mail servers in Authentication-Results
    (RFC 8601 §2.5), lower-case. Without one no mail is authenticated. An empty name
    (a server that writes none) counts in journal reports alone.
    """

    def __init__(
        self,
        policy: Policy,
        memory: Memory,
        clock: Clock,
        *,
        authserv_ids: Collection[str],
        journals: JournalRules | None = None,
        metrics: Alarm | None = None,
    ) -> None:
        self._policy = policy
        self._memory = memory
        self._clock = clock
        self._authserv_ids = frozenset(authserv_ids)
        self._journals = journals or JournalRules()
        self._metrics = metrics or Silent()

    def record(self, mail: Mail, origin: Origin = UNKNOWN) -> None:
        """Record who was shown together in an inbound mail. Blocks; never raises."""
        try:
            self._record(mail, origin)
        except Exception as error:
            # The error's own text may hold an address: its kind is all that is told.
            self._metrics.trouble("feed")
            log.error("Inbound mail was not recorded: %s", type(error).__name__)

    def _record(self, mail: Mail, origin: Origin) -> None:
        inside = self._journals.opened(mail, origin)
        ids = named_only(self._authserv_ids) if inside is None else self._authserv_ids
        reading = read(inside or mail, self._policy)
        author = reading.content.author
        if author is None or not reading.sides.is_outsider(author):
            return
        if not is_trusted(reading, ids):
            return
        people = thread_of(reading)
        if len(people) <= MOST_PEOPLE:
            self._memory.learn(people, now=self._clock())


def named_only(authserv_ids: Collection[str]) -> frozenset[str]:
    """The servers that write their name: of another one's fields nothing is known."""
    return frozenset(filter(None, authserv_ids))


def is_trusted(reading: Reading, authserv_ids: Collection[str]) -> bool:
    """Whether one of our own servers found that the author's domain sent the mail."""
    author, fields = reading.content.author, reading.content.header.fields
    return author is not None and is_authenticated(fields, author, authserv_ids)
