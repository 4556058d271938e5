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
    Progress,
    RateBucket,
)
from undisclosed.store.models.caught import CaughtMail
from undisclosed.store.models.desk import AcceptedMail, Bypass
from undisclosed.store.models.held import HeldChunk, HeldMail, OutgoingMail
from undisclosed.store.models.journal import (
    JournalBatch,
    JournalEntry,
    JournalSeal,
    JournalTimestamp,
)
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
    MasterKey,
    MemoryKey,
    RememberedWave,
    VisibleMailControl,
)
from undisclosed.store.models.people import CampaignAuthor, PeopleEpoch
from undisclosed.store.models.returns import ReturnedMail, SeedRound
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
    "JournalTimestamp",
    "ListRow",
    "ListUpload",
    "ListUploadChunk",
    "LoginLink",
    "Mailing",
    "MasterKey",
    "Membership",
    "MemoryKey",
    "OutgoingMail",
    "Override",
    "PeopleEpoch",
    "Progress",
    "RateBucket",
    "RecipientList",
    "RememberedWave",
    "ReturnedMail",
    "Role",
    "SeedRound",
    "Suppression",
    "Team",
    "UsedToken",
    "VisibleMailControl",
]
