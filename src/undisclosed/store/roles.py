# SPDX-License-Identifier: Apache-2.0
"""The roles of accounts, as the design names them (its section on people)."""

from enum import StrEnum


class Role(StrEnum):
    """What an account may act as; an account may have several."""

    SENDER = "sender"
    SUPERVISOR = "supervisor"  # approves
    MANAGER = "manager"  # approves
    COMMUNICATIONS = "communications"  # approves wording
    DPO = "dpo"  # sees cases, decides them
    AUDITOR = "auditor"  # reads everything, changes nothing
    ADMINISTRATOR = "administrator"  # settings, no message content
