# SPDX-License-Identifier: Apache-2.0
"""The tables. A ``_sealed`` column is encrypted, a ``_hash`` column is keyed."""

from undisclosed.store.models.account import Account, AccountAddress, LoginLink
from undisclosed.store.models.caught import CaughtMail
from undisclosed.store.models.held import HeldChunk, HeldMail, OutgoingMail
from undisclosed.store.models.journal import JournalBatch, JournalEntry, JournalSeal
from undisclosed.store.models.memory import Mailing, RememberedWave
from undisclosed.store.models.token import AccessToken, UsedToken
from undisclosed.store.roles import Role

__all__ = [
    "AccessToken",
    "Account",
    "AccountAddress",
    "CaughtMail",
    "HeldChunk",
    "HeldMail",
    "JournalBatch",
    "JournalEntry",
    "JournalSeal",
    "LoginLink",
    "Mailing",
    "OutgoingMail",
    "RememberedWave",
    "Role",
    "UsedToken",
]
