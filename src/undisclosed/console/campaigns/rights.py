# SPDX-License-Identifier: Apache-2.0
"""What one account may do with one campaign.

Rights are those in its team (``store.rights``). The store refuses again what must not
be: that nobody approves their own is not decided here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from undisclosed.console.campaigns.samples import Sight
from undisclosed.core.campaign import CampaignState
from undisclosed.store import approvals, rights
from undisclosed.store.campaigns import Campaign
from undisclosed.store.models import Account
from undisclosed.store.rights import Right

_WRITABLE = (
    CampaignState.DRAFT,
    CampaignState.CHECKED,
    CampaignState.SUBMITTED,
    CampaignState.APPROVED,
    CampaignState.SCHEDULED,
)
_REFUSABLE = (CampaignState.APPROVED, CampaignState.SCHEDULED)
_RUNS = (CampaignState.SENDING, CampaignState.PAUSED)
_ENDED = (CampaignState.DONE, CampaignState.CANCELLED)


@dataclass(frozen=True, slots=True)
class May:
    """What the page of a campaign offers.

    ``decide`` are the roles in which the account may consent now. ``is_own``: the
    account made or submitted it, and so decides nothing about it.
    """

    write: bool = False
    submit: bool = False
    decide: tuple[str, ...] = ()
    refuse: tuple[str, ...] = ()
    send: bool = False
    stop: bool = False
    cancel: bool = False
    see_rows: bool = False
    is_own: bool = False

    @property
    def masked(self) -> Sight:
        """How a row is seen before its values were asked for."""
        return Sight.MASKED if self.see_rows or not self.write else Sight.BLIND

    @property
    def at_most(self) -> Sight:
        """How a row is seen by who asks for its values."""
        return Sight.WHOLE if self.see_rows else self.masked


def may(account: Account, found: Campaign, now: datetime) -> May:
    """Everything that this account may do with the campaign as it is now."""
    team = cast(UUID, found.team)
    held, state = rights.rights_in(account, team), found.state
    is_own = account.pk in (found.created_by, found.submitted_by)
    decides = tuple(
        one.role for one in approvals.approvers(found, now) if one.account == account.pk
    )
    if state is not CampaignState.SUBMITTED:
        decides = ()
    own_roles = rights.approving_roles(account, team)
    refuses = tuple(role for role in found.needs if role in own_roles)
    writes = Right.WRITE_CAMPAIGNS in held
    steers = Right.STEER_CAMPAIGNS in held
    return May(
        write=writes and state in _WRITABLE,
        submit=writes and state is CampaignState.CHECKED,
        decide=decides,
        refuse=decides or (refuses if state in _REFUSABLE and not is_own else ()),
        send=steers and state in (CampaignState.APPROVED, *_RUNS),
        stop=steers and state is CampaignState.SENDING,
        cancel=steers and state not in _ENDED,
        see_rows=Right.SEE_ROWS in held,
        is_own=is_own,
    )
