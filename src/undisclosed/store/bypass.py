# SPDX-License-Identifier: Apache-2.0
"""A bypass: for how long, and why, mail is said to go around the guard.

The mail server is changed by hand; what stands here tells everybody that it was,
and until when. Each start and each end is journalled.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto, journal
from undisclosed.store.database import Connection, Row, database, transaction

LONGEST: Final = timedelta(days=3)
"""No bypass is longer: whoever needs more says so again."""

_PURPOSE: Final = "bypass"
_LATEST: Final = (
    "SELECT id, started_at, started_by, ends_at, ended_at, reason_sealed"
    " FROM store_bypass ORDER BY id DESC LIMIT 1"
)


class BypassOn(UndisclosedError):
    """A bypass is on already: end it first."""


class NoBypass(UndisclosedError):
    """No bypass is on."""


@dataclass(frozen=True, slots=True)
class BypassView:
    """One bypass. ``ended_at`` is None until somebody said that it is over."""

    started_at: datetime
    started_by: str
    ends_at: datetime
    ended_at: datetime | None
    reason: str = field(repr=False)

    @property
    def is_on(self) -> bool:
        """Whether mail still goes around the guard, as far as is known."""
        return self.ended_at is None

    def is_overdue(self, now: datetime) -> bool:
        """Whether its time is over and nobody said that the mail server is back."""
        return self.is_on and now >= self.ends_at


def start(*, by: str, reason: str, lasts: timedelta, now: datetime) -> BypassView:
    """Write down that mail goes around the guard. Raises BypassOn, TransientError."""
    if not timedelta(0) < lasts <= LONGEST:
        raise UndisclosedError(f"A bypass lasts at most {LONGEST.days} days.")
    sealed = crypto.keys().seal(_PURPOSE, reason.encode(), _PURPOSE)
    with transaction() as connection:
        connection.run("LOCK TABLE store_bypass IN SHARE ROW EXCLUSIVE MODE")
        latest = _latest(connection)
        if latest is not None and latest.is_on:
            raise BypassOn
        connection.run(
            "INSERT INTO store_bypass"
            " (started_at, started_by, ends_at, reason_sealed)"
            " VALUES (%s, %s, %s, %b)",
            (now, by, now + lasts, sealed),
        )
        facts = {"until": f"{now + lasts:%Y-%m-%d %H:%M} UTC", "reason": reason}
        journal.write_with(connection, "bypass started", facts, actor=by, at=now)
    return BypassView(now, by, now + lasts, None, reason)


def end(*, by: str, now: datetime) -> BypassView:
    """Write down that mail passes the guard again. Raises NoBypass, TransientError."""
    with transaction() as connection:
        connection.run("LOCK TABLE store_bypass IN SHARE ROW EXCLUSIVE MODE")
        latest = _latest(connection)
        if latest is None or not latest.is_on:
            raise NoBypass
        connection.run(
            "UPDATE store_bypass SET ended_at = %s WHERE ended_at IS NULL", (now,)
        )
        minutes = round((now - latest.started_at) / timedelta(minutes=1))
        facts = {"minutes": minutes, "overdue": latest.is_overdue(now)}
        journal.write_with(connection, "bypass ended", facts, actor=by, at=now)
    return latest


def latest() -> BypassView | None:
    """The bypass that was started last, on or not; None where there was none."""
    with database() as connection:
        return _latest(connection)


def active() -> BypassView | None:
    """The bypass that is on, or None."""
    found = latest()
    return found if found is not None and found.is_on else None


def _latest(connection: Connection) -> BypassView | None:
    row = connection.one(_LATEST)
    return None if row is None else _view(row)


def _view(row: Row) -> BypassView:
    reason = crypto.keys().open(_PURPOSE, row[5], _PURPOSE)
    return BypassView(row[1], row[2], row[3], row[4], reason.decode())
