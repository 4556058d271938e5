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
    DPO = "dpo"  # reads everything but rows, approves campaigns, destroys lists
    AUDITOR = "auditor"  # reads everything but rows, changes nothing
    ADMINISTRATOR = "administrator"  # accounts, teams, the journal; no mail


APPROVING: Final = frozenset(
    (Role.SUPERVISOR, Role.MANAGER, Role.COMMUNICATIONS, Role.DPO)
)
"""The roles in which a campaign may have to be approved."""
