# SPDX-License-Identifier: Apache-2.0
"""A catcher that forgets: what the post office's tests stand on."""

from collections.abc import Sequence
from datetime import datetime

from undisclosed.core.mail import Mail
from undisclosed.errors import TransientError


class MemoryCatcher:
    """A Catcher that keeps everything in a list, for tests."""

    def __init__(self) -> None:
        self.groups: list[list[Mail]] = []
        self.caught_at: list[datetime] = []
        self.is_away = False

    @property
    def mails(self) -> list[Mail]:
        """Every caught mail, oldest first."""
        return [mail for group in self.groups for mail in group]

    def keep(self, mails: Sequence[Mail], *, caught_at: datetime) -> None:
        """Keep these; see the port."""
        if self.is_away:
            raise TransientError("The catcher is away.")
        self.groups.append(list(mails))
        self.caught_at.append(caught_at)

    def prune(self, *, keep: int, before: datetime) -> int:
        """Drop what is over; see the port."""
        if self.is_away:
            raise TransientError("The catcher is away.")
        mails = self.mails
        if len(mails) > keep:
            self.groups = [mails[-keep:]]
        return len(mails) - len(self.mails)
