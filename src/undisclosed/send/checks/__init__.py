# SPDX-License-Identifier: Apache-2.0
"""What is looked at before anybody may approve: one file, one check, one table."""

from undisclosed.send.checks.attachments import Attachments
from undisclosed.send.checks.check import Check
from undisclosed.send.checks.confidential_data import ConfidentialData
from undisclosed.send.checks.fields import Fields
from undisclosed.send.checks.links import Links
from undisclosed.send.checks.marketing import Marketing
from undisclosed.send.checks.mass_mail import MassMail
from undisclosed.send.checks.merge_shift import MergeShift
from undisclosed.send.checks.next_hop import NextHopRates
from undisclosed.send.checks.other_rows import OtherRows
from undisclosed.send.checks.sender_domain import SenderDomain
from undisclosed.send.checks.size import Size
from undisclosed.send.checks.special_categories import SpecialCategories
from undisclosed.send.checks.view import CampaignView

__all__ = ["ALL_CHECKS", "CampaignView", "Check"]

ALL_CHECKS: tuple[Check, ...] = (
    MassMail(),
    Fields(),
    OtherRows(),
    MergeShift(),
    ConfidentialData(),
    SpecialCategories(),
    Attachments(),
    Links(),
    Marketing(),
    Size(),
    SenderDomain(),
    NextHopRates(),
)
"""Every check, in the order in which its findings are read."""
