# SPDX-License-Identifier: Apache-2.0
"""A mailbox over IMAP (RFC 9051, RFC 3501): what is waiting in it, and what was taken.

Messages are fetched as they lie there, without being marked as read, and not more of
each than asked for. What a server says stays out of errors: it may quote anything.
"""

import imaplib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from undisclosed.errors import TransientError

LEFT: Final = "UndisclosedLeft"
"""The keyword of a message that was looked at and left for a person."""

_UID: Final = re.compile(rb"\d+")


class MailboxAway(TransientError):
    """The mailbox cannot be read now."""


class MailboxRefused(TransientError):
    """The mail server does not let us into the mailbox."""


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Where a mailbox is. ``tls`` is "tls", "starttls" or "none"; ``ca`` a PEM file."""

    host: str
    port: int
    login: str = field(repr=False)
    password: str = field(repr=False)
    tls: str = "tls"
    ca: Path | None = None
    folder: str = "INBOX"
    wait: timedelta = timedelta(seconds=60)


class ImapBox:
    """One folder of a mailbox, open while the ``with`` block runs.

    Every method raises MailboxAway, or MailboxRefused where the server says no.
    """

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._connection: imaplib.IMAP4 | None = None
        self._can: frozenset[bytes] = frozenset()

    def __enter__(self) -> Self:
        chosen = self._settings
        try:
            connection = _connected(chosen)
        except (OSError, imaplib.IMAP4.error) as error:
            raise _why(error, "connect") from None
        self._connection = connection
        login, folder = _quoted(chosen.login), _quoted(chosen.folder)
        try:
            _ask("LOGIN", lambda: connection.login(login, chosen.password))
            # What it can is told anew once we are in (RFC 9051 §6.2).
            told = _ask("CAPABILITY", connection.capability)
            self._can = frozenset(b" ".join(told).upper().split())
            _ask("SELECT", lambda: connection.select(folder))
        except TransientError:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._close()

    def waiting(self, most: int) -> list[str]:
        """The ids of messages that nobody has read and we have not left, in order."""
        return self._found("UNSEEN", "UNDELETED", "UNKEYWORD", LEFT)[:most]

    def with_message_id(self, message_id: str) -> list[str]:
        """The ids of the messages with this Message-ID, without its brackets."""
        return self._found("HEADER", "Message-ID", _quoted(f"<{message_id}>"))

    def fetch(self, uid: str, most: int) -> bytes:
        """At most so many bytes of a message, as they lie there."""
        answer = self._uid("FETCH", uid, f"(BODY.PEEK[]<0.{most}>)")
        for part in answer:
            if isinstance(part, tuple):
                return bytes(part[1])
        return b""

    def mark_read(self, uid: str) -> None:
        """Mark a message as read: it was taken."""
        self._uid("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")

    def leave(self, uid: str) -> None:
        """Leave a message unread for a person; it does not wait for us any more."""
        self._uid("STORE", uid, "+FLAGS.SILENT", f"({LEFT})")

    def move(self, uid: str, folder: str) -> None:
        """Move a message into another folder (RFC 6851), as read.

        The folder is made where it is not there yet.
        """
        connection, name = self._opened(), _quoted(folder)
        self.mark_read(uid)
        try:
            connection.create(name)
        except (OSError, imaplib.IMAP4.error) as error:
            raise _why(error, "CREATE") from None
        if b"MOVE" in self._can:
            self._uid("MOVE", uid, name)
            return
        self._uid("COPY", uid, name)
        self.delete(uid)

    def delete(self, uid: str) -> None:
        """Mark a message as deleted, and remove it where the server can (RFC 4315)."""
        self._uid("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
        if b"UIDPLUS" in self._can:
            self._uid("EXPUNGE", uid)

    def _found(self, *criteria: str) -> list[str]:
        answer = self._uid("SEARCH", *criteria)
        ids = [
            one for part in answer if isinstance(part, bytes) for one in part.split()
        ]
        return sorted(
            (one.decode("ascii") for one in ids if _UID.fullmatch(one)), key=int
        )

    def _uid(self, command: str, *arguments: str) -> list[Any]:
        connection = self._opened()
        return _ask(command, lambda: connection.uid(command, *arguments))

    def _opened(self) -> imaplib.IMAP4:
        if self._connection is None:
            raise MailboxAway
        return self._connection

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.logout()
        except (OSError, imaplib.IMAP4.error):
            return


def _connected(settings: ImapSettings) -> imaplib.IMAP4:
    wait = settings.wait.total_seconds()
    if settings.tls == "none":
        return imaplib.IMAP4(settings.host, settings.port, timeout=wait)
    authorities = str(settings.ca) if settings.ca else None
    context = ssl.create_default_context(cafile=authorities)
    if settings.tls == "tls":
        return imaplib.IMAP4_SSL(
            settings.host, settings.port, ssl_context=context, timeout=wait
        )
    connection = imaplib.IMAP4(settings.host, settings.port, timeout=wait)
    try:
        connection.starttls(context)
    except (OSError, imaplib.IMAP4.error):
        connection.shutdown()
        raise
    return connection


def _ask(command: str, call: Callable[[], tuple[str, list[Any]]]) -> list[Any]:
    try:
        kind, answer = call()
    except (OSError, imaplib.IMAP4.error) as error:
        raise _why(error, command) from None
    if kind != "OK":
        raise MailboxRefused(command=command)
    return answer


def _why(error: Exception, command: str) -> TransientError:
    """Away or refused; imaplib calls a lost connection ``abort``."""
    is_away = isinstance(error, OSError | imaplib.IMAP4.abort)
    kind = MailboxAway if is_away else MailboxRefused
    return kind(command=command, error=type(error).__name__)


def _quoted(text: str) -> str:
    """A string as IMAP quotes it (RFC 9051 §4.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
