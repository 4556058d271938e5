# SPDX-License-Identifier: Apache-2.0
"""What comes back of a campaign, as values: reports, complaints, auto-replies."""

from enum import StrEnum
from typing import Final


class ReturnKind(StrEnum):
    """What came back."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"  # to a server that sends no such reports: no more will be known
    EXPANDED = "expanded"  # a list or an alias took it, and made several of it
    COMPLAINT = "complaint"
    AUTO_REPLY = "auto-reply"
    UNSUBSCRIBE = "unsubscribe"  # by the page behind a message's link
    REPORT = "report"  # "not spam": it changes nothing
    UNKNOWN = "unknown"  # perhaps a person's letter


class Cause(StrEnum):
    """Why a message was not delivered. The first three last: nobody is there."""

    NO_MAILBOX = "no such mailbox"
    NO_DOMAIN = "no such domain"
    MOVED = "moved"
    FULL = "mailbox full"
    TOO_LARGE = "too large"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    OTHER = "other"

    @property
    def is_lasting(self) -> bool:
        """Whether the next message to this address fails for the same reason."""
        return self in _LASTING


_LASTING: Final = frozenset({Cause.NO_MAILBOX, Cause.NO_DOMAIN, Cause.MOVED})
