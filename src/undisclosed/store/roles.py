# SPDX-License-Identifier: Apache-2.0
"""The roles of accounts, as the design names them (its section on people)."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an account may act as; an account may have several.

    What a role allows today is told beside it.
    """

    SENDER = "sender"  # sees their own held mail, sends it singly, withdraws it
    SUPERVISOR = "supervisor"  # approves: sends others' mail singly, releases it
    MANAGER = "manager"  # approves: the same rights as a supervisor
    COMMUNICATIONS = "communications"  # approves the wording of campaigns
    DPO = "dpo"  # reads all held mail and the post office, changes nothing
    AUDITOR = "auditor"  # the same rights as a data protection officer
    ADMINISTRATOR = "administrator"  # accounts and log-in links, no mail


APPROVING: Final = frozenset(
    (Role.SUPERVISOR, Role.MANAGER, Role.COMMUNICATIONS, Role.DPO)
)
"""The roles in which a campaign may have to be approved."""
