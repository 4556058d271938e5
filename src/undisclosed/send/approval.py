# SPDX-License-Identifier: Apache-2.0
"""Approval: who has to consent to a campaign, to exactly what, and who is asked.

A campaign's digest is over template, attachments, list, checks and count. The checks
are recorded with it, it is submitted with it, and every consent is to it. The store
enforces it, and that nobody approves their own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from undisclosed.core.campaign import (
    CampaignState,
    CheckFinding,
    Draft,
    Sensitivity,
    Way,
)
from undisclosed.core.disclosure import INSIDE, Sides
from undisclosed.send.asking import Asking
from undisclosed.send.draft import digest_of, from_json
from undisclosed.store import (
    approvals,
    campaign_findings,
    campaign_lists,
    campaigns,
    lists,
)
from undisclosed.store.campaign_lists import ListSummary
from undisclosed.store.campaigns import Campaign, NotComplete
from undisclosed.store.database import transaction


@dataclass(frozen=True, slots=True)
class ApprovalPolicy:
    """Which roles have to approve, each by another person.

    ``outside`` for a campaign that reaches people outside, ``inside`` where it does
    not, ``sensitive`` besides where the list is of a special category. Approvers are
    reminded ``reminders`` times, ``remind_after`` apart.
    """

    outside: tuple[str, ...] = ("supervisor", "manager", "communications")
    inside: tuple[str, ...] = ("supervisor",)
    sensitive: tuple[str, ...] = ("dpo",)
    remind_after: timedelta = timedelta(days=1)
    reminders: int = 3


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a campaign reaches, as far as it matters who approves.

    ``is_trial``: the members of a team on trial, and nobody else.
    """

    has_outsiders: bool
    sensitivity: Sensitivity
    is_trial: bool = False


def needs(policy: ApprovalPolicy, audience: Audience) -> tuple[str, ...]:
    """The roles in which somebody has to approve; none in a trial to oneself."""
    if audience.is_trial:
        return ()
    roles = policy.outside if audience.has_outsiders else policy.inside
    if audience.sensitivity is Sensitivity.SPECIAL:
        roles += policy.sensitive
    return tuple(dict.fromkeys(roles))


def draft_of(campaign_id: str) -> Draft:
    """The draft with its attachments. Raises NotComplete where there is no text."""
    text = campaigns.text_of(campaign_id)
    if text is None:
        raise NotComplete(campaign=campaign_id)
    return from_json(text, campaigns.files_of(campaign_id))


@dataclass(frozen=True, slots=True)
class Content:
    """What approvals are about: the draft, and the list as it is at one moment."""

    draft: Draft = field(repr=False)
    chosen: ListSummary

    def digest(self, findings: Sequence[CheckFinding]) -> bytes:
        """The hash that approvals are bound to, with what the checks found in it."""
        return digest_of(
            self.draft,
            list_id=self.chosen.id,
            list_version=self.chosen.version,
            recipients=self.chosen.mailed,
            findings=[campaign_findings.facts(one) for one in findings],
        )


def content_of(found: Campaign) -> Content:
    """What would be approved now.

    A list that was imported anew since it was chosen is another one. Raises
    NotComplete and NoSuchList.
    """
    if found.list_id is None or not found.recipients:
        raise NotComplete(campaign=found.id)
    return Content(draft_of(found.id), campaign_lists.get(found.list_id))


def record_checks(
    campaign_id: str,
    content: Content,
    findings: Sequence[CheckFinding],
    *,
    by: object,
    now: datetime,
) -> CampaignState:
    """Write down what the checks found in this content.

    A list that was imported anew since it was chosen is chosen anew. Whatever was
    changed meanwhile cannot be submitted with it. Raises NoSuchStep.
    """
    digest, chosen = content.digest(findings), content.chosen
    if campaigns.get(campaign_id).list_version != chosen.version:
        campaigns.change(campaign_id, by=by, now=now, list_id=chosen.id)
    return campaigns.checked(campaign_id, digest, findings, by=by, now=now)


def submit(
    campaign_id: str,
    policy: ApprovalPolicy,
    sides: Sides,
    asking: Asking,
    *,
    by: object,
    now: datetime,
) -> CampaignState:
    """Submit what was checked, and write to everybody who may approve it.

    Raises NotTheSame, FindingsOpen, NotComplete, TrialOnly, NoSuchStep.
    """
    found = campaigns.get(campaign_id)
    asked = needs(policy, audience_of(found, sides))
    digest = content_of(found).digest(found.findings)
    with transaction() as connection:
        state = campaigns.submit(campaign_id, digest, asked, by=by, now=now)
        if state is CampaignState.SUBMITTED:
            asking.ask(connection, campaigns.get(campaign_id), now)
    return state


def approve(
    campaign_id: str,
    given: bytes,
    role: str,
    asking: Asking,
    *,
    by: object,
    now: datetime,
) -> CampaignState:
    """Consent in a role; its authors are told when it was the last one.

    Raises as ``campaigns.approve`` does, and NotTheSame where the list was imported
    anew since it was submitted.
    """
    found = campaigns.get(campaign_id)
    if content_of(found).digest(found.findings) != given:
        raise campaigns.NotTheSame(campaign=campaign_id)
    with transaction() as connection:
        state = campaigns.approve(campaign_id, given, role, by=by, now=now)
        if state is CampaignState.APPROVED:
            asking.tell(connection, campaigns.get(campaign_id), now, is_approved=True)
    return state


def reject(
    campaign_id: str,
    given: bytes,
    role: str,
    reason: str,
    asking: Asking,
    *,
    by: object,
    now: datetime,
) -> CampaignState:
    """Refuse with a reason; its authors are told. Raises as ``approve`` does."""
    found = campaigns.get(campaign_id)
    with transaction() as connection:
        state = campaigns.reject(campaign_id, given, role, reason, by=by, now=now)
        asking.tell(connection, found, now, is_approved=False)
    return state


def delegate(
    campaign_id: str,
    given: bytes,
    role: str,
    asking: Asking,
    *,
    to: object,
    by: object,
    now: datetime,
) -> None:
    """Hand a decision on, and write to whoever got it. Raises as the store does."""
    with transaction() as connection:
        approvals.delegate(campaign_id, given, role, to=to, by=by, now=now)
        asking.ask(connection, campaigns.get(campaign_id), now, only=to)


def remind(asking: Asking, policy: ApprovalPolicy, now: datetime) -> int:
    """Remind the approvers of what waits too long; how many campaigns there were."""
    after, reminded = policy.remind_after, 0
    for campaign_id in approvals.waiting(now, after=after, most=policy.reminders):
        with transaction() as connection:
            if approvals.still_waits(connection, campaign_id, now, after=after):
                asking.ask(connection, campaigns.get(campaign_id), now, again=True)
                reminded += 1
    return reminded


def audience_of(found: Campaign, sides: Sides) -> Audience:
    """Whom a campaign reaches. The list is read as far as the first outsider."""
    if found.list_id is None:
        raise NotComplete(campaign=found.id)
    chosen = campaign_lists.get(found.list_id)
    people = lists.rows(found.list_id, way=Way.MAIL)
    return Audience(
        any(
            one.address is not None and sides.organisation(one.address) != INSIDE
            for one in people
        ),
        chosen.sensitivity,
        chosen.is_trial,
    )
