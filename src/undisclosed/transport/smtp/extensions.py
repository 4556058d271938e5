# SPDX-License-Identifier: Apache-2.0
"""The service extensions that a server offers (RFC 5321 §4.1.1.1)."""

from collections.abc import Iterable
from dataclasses import dataclass

from undisclosed.transport.smtp.authentication import MECHANISMS
from undisclosed.transport.smtp.replies import Reply


@dataclass(frozen=True, slots=True)
class Extensions:
    """What was offered in the reply to EHLO; nothing at all after HELO.

    ``size`` is None where SIZE is not offered, 0 where it is without a limit
    (RFC 1870 §3).
    """

    pipelining: bool = False  # RFC 2920
    size: int | None = None  # RFC 1870
    eight_bit: bool = False  # 8BITMIME, RFC 6152
    utf8: bool = False  # SMTPUTF8, RFC 6531
    dsn: bool = False  # RFC 3461
    enhanced_status: bool = False  # ENHANCEDSTATUSCODES, RFC 2034
    starttls: bool = False  # RFC 3207
    auth: bool = False  # RFC 4954
    requiretls: bool = False  # RFC 8689

    def reply(self, hostname: str) -> Reply:
        """The reply to EHLO that offers these."""
        offered = (
            (self.pipelining, "PIPELINING"),
            (self.size is not None, f"SIZE {self.size}"),
            (self.eight_bit, "8BITMIME"),
            (self.utf8, "SMTPUTF8"),
            (self.dsn, "DSN"),
            (self.enhanced_status, "ENHANCEDSTATUSCODES"),
            (self.starttls, "STARTTLS"),
            (self.auth, f"AUTH {MECHANISMS}"),
            (self.requiretls, "REQUIRETLS"),
        )
        return Reply(250, (hostname, *(line for is_on, line in offered if is_on)))


NONE = Extensions()


def read_extensions(lines: Iterable[str]) -> Extensions:
    """What a reply to EHLO offers; its first line is the greeting."""
    words = {}
    for line in tuple(lines)[1:]:
        keyword, _, argument = line.strip().partition(" ")
        words[keyword.upper()] = argument
    size = words.get("SIZE")
    return Extensions(
        pipelining="PIPELINING" in words,
        size=None if size is None else _size_of(size),
        eight_bit="8BITMIME" in words,
        utf8="SMTPUTF8" in words,
        dsn="DSN" in words,
        enhanced_status="ENHANCEDSTATUSCODES" in words,
        starttls="STARTTLS" in words,
        auth="AUTH" in words,
        requiretls="REQUIRETLS" in words,
    )


def _size_of(argument: str) -> int:
    digits = argument.strip()
    return int(digits) if digits.isascii() and digits.isdigit() else 0
