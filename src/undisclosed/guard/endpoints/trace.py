# SPDX-License-Identifier: Apache-2.0
"""The Received field that we put in front of mail we pass on (RFC 5321 §4.4).

It has no FOR clause: a trace field that names a recipient shows one recipient
to all the others.
"""

import itertools
import re
import secrets
from datetime import UTC, datetime

from undisclosed.transport.smtp.handler import Session

_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}\Z")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


class TraceWriter:
    """Writes trace fields; the ids of one writer never repeat."""

    def __init__(self, hostname: str) -> None:
        self._hostname = hostname
        self._base = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._written_at = datetime.min.replace(tzinfo=UTC)
        self._date = ""

    def field(
        self,
        session: Session,
        now: datetime,
        *,
        utf8: bool,
        is_logged_in: bool = False,
    ) -> bytes:
        """The whole field with its line ends. ``utf8``: MAIL said SMTPUTF8."""
        protocol = _protocol(session, utf8=utf8, is_logged_in=is_logged_in)
        # What a client calls itself could be anything, an address too.
        name = session.hello if _HOST.match(session.hello) else "unknown"
        return (
            f"Received: from {name} ({_literal(session.peer)})\r\n"
            f" by {self._hostname} with {protocol}"
            f" id {self._base}.{next(self._numbers)};\r\n"
            f" {self._date_of(now)}\r\n"
        ).encode("ascii", "replace")

    def local_field(self, now: datetime) -> bytes:
        """The field of a mail that a program of this machine handed in by a pipe."""
        return (
            f"Received: by {self._hostname} id {self._base}.{next(self._numbers)};\r\n"
            f" {self._date_of(now)}\r\n"
        ).encode("ascii", "replace")

    def _date_of(self, now: datetime) -> str:
        second = now.replace(microsecond=0)
        if second != self._written_at:
            self._written_at, self._date = second, _date(now)
        return self._date


def _literal(peer: str) -> str:
    """An address literal (RFC 5321 §4.1.3)."""
    return f"[IPv6:{peer}]" if ":" in peer else f"[{peer}]"


def _protocol(session: Session, *, utf8: bool, is_logged_in: bool) -> str:
    """The protocol's name (RFC 3848 §2, RFC 6531 §4.3)."""
    name = "UTF8SMTP" if utf8 else "ESMTP" if session.is_extended else "SMTP"
    if session.is_extended:
        name += "S" if session.is_secured else ""
        name += "A" if is_logged_in else ""
    return name


def _date(now: datetime) -> str:
    """A date-time (RFC 5322 §3.3) of an aware UTC time."""
    day, month = _DAYS[now.weekday()], _MONTHS[now.month - 1]
    time = f"{now.hour:02}:{now.minute:02}:{now.second:02}"
    return f"{day}, {now.day} {month} {now.year:04} {time} +0000"
