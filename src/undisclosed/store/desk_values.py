# SPDX-License-Identifier: Apache-2.0
"""What the pages are given: rows and views as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

from undisclosed.core.address import Address
from undisclosed.core.held import CopyState, HoldState, OutgoingKind
from undisclosed.core.verdict import Finding

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, its number from 1 on, and whether more come after."""

    items: Sequence[T]
    number: int
    has_next: bool


@dataclass(frozen=True, kw_only=True)
class MailingRow:
    """One mailing in the list. Subject and sender are those of its first held mail.

    ``subject`` is empty and ``sender`` None where retention is over or there is none.
    """

    mailing_id: str
    state: HoldState
    subject: str = field(repr=False)
    sender: Address | None
    people: int
    disclosures: int
    waves: int
    holds: int
    open_holds: int
    first_at: datetime
    last_at: datetime
    held_at: datetime

    @property
    def mails(self) -> int:
        """How many mails the mailing has, those that were not held included."""
        return self.waves


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One held mail of a mailing."""

    hold_id: str
    state: HoldState
    people: int
    disclosures: int
    viewers: int
    received_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str
    findings: tuple[Finding, ...]
    singly_refused: str | None
    escalations: int
    size: int
    is_ownerless: bool = False
    reason: str = field(repr=False)
    subject: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class MailingView(MailingRow):
    """One mailing whole. ``sender_hash`` is compared with an account's addresses.

    ``leaves_at`` is when the undo window of the first copy that waits in one ends.
    """

    sender_hash: bytes | None = field(repr=False)
    batches: tuple[Batch, ...]
    copies: Mapping[CopyState, int]
    leaves_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRow:
    """One copy of held mail and where it is. ``reply`` may quote an address."""

    copy_id: str
    hold_id: str
    recipients: tuple[Address, ...]
    kind: OutgoingKind
    state: CopyState
    attempts: int
    next_attempt_at: datetime
    reply: str = field(repr=False)
    updated_at: datetime

    @property
    def recipient(self) -> Address | None:
        """The one recipient of a private copy; the first of several."""
        return self.recipients[0] if self.recipients else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One person of a mailing: the address as it was asked for, and the channels."""

    address: str = field(repr=False)
    channels: tuple[str, ...]
    is_viewer: bool


@dataclass(frozen=True, kw_only=True)
class CaughtRow:
    """One mail in the post office."""

    caught_id: str
    caught_at: datetime
    mail_from: Address | None
    rcpt_tos: tuple[Address, ...]
    subject: str = field(repr=False)
    size: int


@dataclass(frozen=True, kw_only=True)
class CaughtView(CaughtRow):
    """One mail in the post office with its bytes."""

    content: bytes = field(repr=False)
