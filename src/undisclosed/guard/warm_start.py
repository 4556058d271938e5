# SPDX-License-Identifier: Apache-2.0
"""The warm start: what an archive says of who knows whom, before the first mail.

Mail of our own is judged as it would be today: what would be accepted makes threads,
whom it hid is hidden, and what would be held makes nobody known. Inbound mail counts
as in the record-only feed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from undisclosed.core.disclosure import Reading, read
from undisclosed.core.judge import judge
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.core.mailing import Wave, wave_of
from undisclosed.core.policy import Policy
from undisclosed.core.reading import read_content
from undisclosed.core.reported import reported
from undisclosed.core.threads import thread_of
from undisclosed.core.verdict import Action
from undisclosed.guard.feed import MOST_PEOPLE, is_trusted, named_only
from undisclosed.guard.ports import Memory, WaveState


class Remembered(Enum):
    """What became of one message of an archive."""

    THREAD = "threads"
    HIDDEN = "hidden audiences"
    NOTHING = "without people to remember"
    WOULD_HOLD = "would have been held: they make nobody known"
    NOT_AUTHENTICATED = "inbound and not authenticated"
    TOO_OLD = "too old or without a date"


@dataclass(frozen=True, slots=True)
class WarmStart:
    """Remembers the mail of an archive.

    ``keep``: older mail is not remembered. ``is_trusted_whole``: every inbound mail of
    the archive counts as authenticated, since its own server has seen to that.
    ``has_reports``: it is the mailbox of a journal rule, whose reports are opened.
    """

    policy: Policy
    memory: Memory
    authserv_ids: Collection[str] = ()
    keep: timedelta = timedelta(days=365)
    is_trusted_whole: bool = False
    has_reports: bool = False

    def record(
        self, content: bytes, sent_at: datetime | None, now: datetime
    ) -> Remembered:
        """Remember one message as of the time that it was sent. Blocks.

        Raises TransientError where Memory is away.
        """
        if sent_at is None or sent_at < now - self.keep:
            return Remembered.TOO_OLD
        inside = reported(content) if self.has_reports else None
        read_once = read_content(inside.content if inside else content, self.policy)
        author = read_once.author
        recipients = tuple(map(Recipient, read_once.destinations))
        mail = inside or Mail(Envelope(author, recipients), content)
        reading = read(mail, self.policy, content=read_once)
        at = min(sent_at, now)
        if author is None or reading.sides.is_outsider(author):
            return self._inbound(reading, at, is_report=inside is not None)
        wave = wave_of(reading, mail, self.policy)
        return Remembered.NOTHING if wave is None else self._own(reading, wave, at)

    def _inbound(
        self, reading: Reading, at: datetime, *, is_report: bool
    ) -> Remembered:
        ids = self.authserv_ids if is_report else named_only(self.authserv_ids)
        people = thread_of(reading)
        if not 1 < len(people) <= MOST_PEOPLE:
            return Remembered.NOTHING
        if not (self.is_trusted_whole or is_trusted(reading, ids)):
            return Remembered.NOT_AUTHENTICATED
        self.memory.learn(people, now=at)
        return Remembered.THREAD

    def _own(self, reading: Reading, wave: Wave, at: datetime) -> Remembered:
        place = self.memory.reserve(wave, window=self.policy.mailing_window, now=at)
        verdict = judge(reading, place.known, self.policy)
        is_shown = verdict.action is Action.ACCEPT
        state = WaveState.SHOWN if is_shown else WaveState.CANCELLED
        self.memory.settle(place.id, state)
        if not is_shown:
            return Remembered.WOULD_HOLD
        return Remembered.HIDDEN if wave.hidden else Remembered.THREAD
