# SPDX-License-Identifier: Apache-2.0
"""Everything that the page of one campaign shows, as values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final, cast
from uuid import UUID

from undisclosed.console import acting
from undisclosed.console.campaigns.live import Live, live_of
from undisclosed.console.campaigns.rights import May, may
from undisclosed.core.campaign import CampaignState, CheckFinding, Draft, Weight
from undisclosed.send import difference
from undisclosed.send.checks.other_rows import NAME as OTHERS
from undisclosed.send.difference import Difference
from undisclosed.send.draft import from_json
from undisclosed.store import (
    approvals,
    campaign_files,
    campaign_lists,
    campaigns,
    seeds,
)
from undisclosed.store.approvals import Answer
from undisclosed.store.campaign_files import FileSummary
from undisclosed.store.campaign_lists import ListSummary
from undisclosed.store.campaigns import Campaign
from undisclosed.store.lists import NoSuchList
from undisclosed.store.models import Account, Team
from undisclosed.store.seeds import SeedState

_BEFORE_SUBMISSION: Final = (CampaignState.DRAFT, CampaignState.CHECKED)


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found, and who answers for it, if anybody does."""

    check: str
    findings: tuple[CheckFinding, ...]
    stops: bool
    asks: bool
    name: str = ""
    reason: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the campaign cannot be submitted because of it."""
        return self.stops or (self.asks and not self.name)


@dataclass(frozen=True, slots=True)
class Needed:
    """A role that has to approve: by whom it was, or who could."""

    role: str
    by: str
    at: datetime | None
    could: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sight:
    """The page of one campaign."""

    campaign: Campaign
    team: Team
    chosen: ListSummary | None
    draft: Draft | None
    may: May
    found: tuple[Found, ...]
    needed: tuple[Needed, ...]
    refusals: tuple[Answer, ...]
    changed: Difference
    live: Live | None
    made_by: str
    files: tuple[FileSummary, ...]

    @property
    def digest(self) -> str:
        """What is approved with the page, as its forms carry it."""
        return self.campaign.digest.hex() if self.campaign.digest else ""

    @property
    def has_text(self) -> bool:
        """Whether anything was written."""
        return self.draft is not None

    @property
    def is_complete(self) -> bool:
        """Whether there is a text, and somebody to be mailed."""
        return self.has_text and self.campaign.recipients > 0

    @property
    def is_open(self) -> bool:
        """Whether a finding stands against it."""
        return any(one.is_open for one in self.found)

    @property
    def with_others(self) -> int | None:
        """Messages in which the checks found somebody else's data; None unchecked.

        One message may be counted for its text and for its file: it is a most.
        """
        if self.campaign.checked_digest is None:
            return None
        counts = (one.count for one in self.campaign.findings if one.check == OTHERS)
        return min(sum(counts), self.campaign.recipients)

    @property
    def seeds_differ(self) -> bool:
        """Whether it is paused for seeds that came back otherwise than they left."""
        if self.campaign.state is not CampaignState.PAUSED or self.campaign.step != 1:
            return False
        last = seeds.of(self.campaign.id)
        return last is not None and last.state is SeedState.DIFFERENT

    @property
    def is_writable(self) -> bool:
        """Whether it was not submitted yet."""
        return self.campaign.state in _BEFORE_SUBMISSION


def sight_of(found: Campaign, account: Account, now: datetime) -> Sight:
    """The campaign as this account sees it."""
    answers = approvals.answers(found.id)
    return Sight(
        campaign=found,
        team=Team.objects.get(pk=cast(UUID, found.team)),
        chosen=_list_of(found),
        draft=from_json(text) if (text := campaigns.text_of(found.id)) else None,
        may=may(account, found, now),
        found=_found(found),
        needed=_needed(found, now),
        refusals=tuple(one for one in answers if not one.is_consent),
        changed=difference.since_approved(found),
        live=live_of(found, now),
        made_by=acting.name_of(str(found.created_by)),
        files=tuple(campaign_files.summaries(found.id)),
    )


def _list_of(found: Campaign) -> ListSummary | None:
    if found.list_id is None:
        return None
    try:
        return campaign_lists.get(found.list_id)
    except NoSuchList:
        return None


def _found(found: Campaign) -> tuple[Found, ...]:
    answered = {}
    if found.checked_digest is not None:
        overridden = approvals.overrides(found.id, found.checked_digest)
        answered = {one.check: one for one in overridden}
    by_check = groupby(_in_order(found.findings), key=lambda one: one.check)
    return tuple(
        Found(
            check,
            every := tuple(of),
            stops=any(one.weight is Weight.STOP for one in every),
            asks=any(one.weight is Weight.OVERRIDE for one in every),
            name=answered[check].name if check in answered else "",
            reason=answered[check].reason if check in answered else "",
        )
        for check, of in by_check
    )


def _in_order(findings: Sequence[CheckFinding]) -> list[CheckFinding]:
    """By check, in the order in which each check first found something."""
    first = list(dict.fromkeys(one.check for one in findings))
    return sorted(findings, key=lambda one: first.index(one.check))


def _needed(found: Campaign, now: datetime) -> tuple[Needed, ...]:
    if found.digest is None:
        return ()
    given = {
        role: (acting.name_of(str(account)), at)
        for role, account, at in campaigns.consents(found.id, found.digest)
    }
    could: dict[str, list[str]] = {}
    for one in approvals.approvers(found, now):
        could.setdefault(one.role, []).append(one.name)
    return tuple(
        Needed(role, name, at, tuple(could.get(role, ())))
        for role in found.needs
        for name, at in (given.get(role, ("", None)),)
    )
