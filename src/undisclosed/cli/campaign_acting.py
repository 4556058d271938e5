# SPDX-License-Identifier: Apache-2.0
"""Who acts with ``undisclosed campaign``, and what they may do with a campaign."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from undisclosed.cli import wiring
from undisclosed.errors import UndisclosedError

if TYPE_CHECKING:
    from undisclosed.console.campaigns.rights import May
    from undisclosed.store.campaigns import Campaign
    from undisclosed.store.models import Account


class NotAllowed(UndisclosedError):
    """This account may not do that, or not as the campaign is now."""


def allowed(
    args: argparse.Namespace, allows: "Callable[[May], bool]"
) -> "tuple[Campaign, Account]":
    """The campaign and who acts. Raises NotAllowed."""
    from undisclosed.store import campaigns, rights  # noqa: PLC0415

    account, found = account_of(args.account), campaigns.get(args.id)
    team: Any = found.team
    if not rights.may(account, rights.Right.SEE_CAMPAIGNS, team):
        raise NotAllowed
    if not allows(may_of(account, found)):
        raise NotAllowed
    return found, account


def may_of(account: "Account", found: "Campaign") -> "May":
    """What this account may do with the campaign as it is now."""
    from undisclosed.console.campaigns.rights import may  # noqa: PLC0415

    return may(account, found, wiring.utc_now())


def account_of(text: str) -> "Account":
    """The account with this log-in address. Raises UndisclosedError."""
    from undisclosed.cli.held import account_named  # noqa: PLC0415

    return account_named(text)
