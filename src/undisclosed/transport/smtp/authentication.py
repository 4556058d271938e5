# SPDX-License-Identifier: Apache-2.0
"""AUTH on the server's side (RFC 4954) without I/O: PLAIN (RFC 4616) and LOGIN.

Both send the password itself, so they are offered only where nobody can listen.
Who the login is, is not decided here: what the client said comes out as
``Credentials``.
"""

import base64
import binascii
from dataclasses import dataclass, field

from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.replies import Reply

MECHANISMS = "PLAIN LOGIN"
"""What the reply to EHLO offers."""

_MOST_LETTERS = 255  # of a login or a password, as in RFC 4616 §2


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client says it is called, and the password that shall prove it."""

    login: str = field(repr=False)
    password: str = field(repr=False)


class Exchange:
    """One AUTH command and the lines that belong to it.

    Each step gives a 334 (the client has to say more), a refusal, or Credentials.
    """

    def __init__(self) -> None:
        self._is_plain = True
        self._login: str | None = None

    def begin(self, argument: bytes) -> Reply | Credentials:
        """The argument of AUTH: a mechanism, and what a client may say at once."""
        mechanism, _, first = argument.strip().partition(b" ")
        name = mechanism.upper()
        if name not in (b"PLAIN", b"LOGIN"):
            return replies.NO_SUCH_MECHANISM
        self._is_plain = name == b"PLAIN"
        first = first.strip()
        if not first:
            return replies.GO_ON if self._is_plain else replies.WHICH_LOGIN
        return self._read(b"" if first == b"=" else first)

    def go_on(self, line: bytes) -> Reply | Credentials:
        """The next line of the client, without its line end."""
        if line.strip() == b"*":
            return replies.LOGIN_CANCELLED  # RFC 4954 §4
        return self._read(line.strip())

    def _read(self, encoded: bytes) -> Reply | Credentials:
        try:
            text = base64.b64decode(encoded, validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            return replies.NOT_BASE64
        if self._is_plain:
            return _plain(text)
        if self._login is None:
            self._login = text
            return replies.WHICH_PASSWORD
        return _checked(self._login, text)


def _plain(text: str) -> Reply | Credentials:
    """An identity to act for, which is nobody but oneself, a login, a password."""
    parts = text.split("\0")
    if len(parts) != 3 or parts[0] not in ("", parts[1]):
        return replies.NOT_BASE64
    return _checked(parts[1], parts[2])


def _checked(login: str, password: str) -> Reply | Credentials:
    for text in (login, password):
        if not text or len(text) > _MOST_LETTERS or "\0" in text:
            return replies.LOGIN_REFUSED
    return Credentials(login, password)
