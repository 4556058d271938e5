# SPDX-License-Identifier: Apache-2.0
"""The rules: one file, one rule, and one table that lists them."""

from undisclosed.core.rules.addresses_in_body import AddressesInBody
from undisclosed.core.rules.encrypted_recipients import EncryptedRecipients
from undisclosed.core.rules.forwarded_addresses import ForwardedAddresses
from undisclosed.core.rules.hidden_audience import HiddenAudience
from undisclosed.core.rules.protected_headers import ProtectedHeaders
from undisclosed.core.rules.recall import Recall
from undisclosed.core.rules.rule import Rule
from undisclosed.core.rules.shown_outsiders import ShownOutsiders
from undisclosed.core.rules.unreadable import Unreadable
from undisclosed.core.rules.visible_mail_control import VisibleMailControl

__all__ = ["ALL_RULES", "Rule"]

ALL_RULES: tuple[Rule, ...] = (
    ShownOutsiders(),
    HiddenAudience(),
    VisibleMailControl(),
    AddressesInBody(),
    ForwardedAddresses(),
    ProtectedHeaders(),
    EncryptedRecipients(),
    Recall(),
    Unreadable(),
)
"""Every rule is asked, in this order; the strongest objection decides."""
