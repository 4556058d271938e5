# SPDX-License-Identifier: Apache-2.0
"""The tables. A ``_sealed`` column is encrypted, a ``_hash`` column is keyed."""

from undisclosed.store.models.account import Account, AccountAddress, LoginLink
from undisclosed.store.models.campaign import (
    Approval,
    Campaign,
    CampaignFile,
    CampaignFileChunk,
    Delegation,
    Delivery,
    Override,
    RateBucket,
)
from undisclosed.store.models.caught import CaughtMail
from undisclosed.store.models.desk import AcceptedMail, Bypass
from undisclosed.store.models.held import HeldChunk, HeldMail, OutgoingMail
from undisclosed.store.models.journal import JournalBatch, JournalEntry, JournalSeal
from undisclosed.store.models.lists import (
    ListRow,
    ListUpload,
    ListUploadChunk,
    RecipientList,
    Suppression,
)
from undisclosed.store.models.memory import (
    Audience,
    AudienceMember,
    Circle,
    Mailing,
    MemoryKey,
    RememberedWave,
    VisibleMailControl,
)
from undisclosed.store.models.people import CampaignAuthor, PeopleEpoch
from undisclosed.store.models.returns import ReturnedMail
from undisclosed.store.models.team import Membership, Team
from undisclosed.store.models.token import AccessToken, UsedToken
from undisclosed.store.roles import Role

__all__ = [
    "AcceptedMail",
    "AccessToken",
    "Account",
    "AccountAddress",
    "Approval",
    "Audience",
    "AudienceMember",
    "Bypass",
    "Campaign",
    "CampaignAuthor",
    "CampaignFile",
    "CampaignFileChunk",
    "CaughtMail",
    "Circle",
    "Delegation",
    "Delivery",
    "HeldChunk",
    "HeldMail",
    "JournalBatch",
    "JournalEntry",
    "JournalSeal",
    "ListRow",
    "ListUpload",
    "ListUploadChunk",
    "LoginLink",
    "Mailing",
    "Membership",
    "MemoryKey",
    "OutgoingMail",
    "Override",
    "PeopleEpoch",
    "RateBucket",
    "RecipientList",
    "RememberedWave",
    "ReturnedMail",
    "Role",
    "Suppression",
    "Team",
    "UsedToken",
    "VisibleMailControl",
]
