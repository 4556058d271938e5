# SPDX-License-Identifier: Apache-2.0
"""The tables. A ``_sealed`` column is encrypted, a ``_hash`` column is keyed."""

from undisclosed.store.models.account import Account, AccountAddress, LoginLink
from undisclosed.store.models.caught import CaughtMail
from undisclosed.store.models.held import HeldChunk, HeldMail, OutgoingMail
from undisclosed.store.models.journal import JournalEntry
from undisclosed.store.models.memory import Mailing, RememberedWave
from undisclosed.store.roles import Role

__all__ = [
    "Account",
    "AccountAddress",
    "CaughtMail",
    "HeldChunk",
    "HeldMail",
    "JournalEntry",
    "LoginLink",
    "Mailing",
    "OutgoingMail",
    "RememberedWave",
    "Role",
]
