# SPDX-License-Identifier: Apache-2.0
"""What the pages of campaigns and the command join: settings, checks, own mail.

Can be imported before Django is configured, as ``console.wiring``.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache, partial
from typing import Final

from undisclosed.console import wiring
from undisclosed.console.campaigns import outside
from undisclosed.core.address import Address
from undisclosed.core.campaign import CampaignState, CheckFinding, NoSuchStep, Weight
from undisclosed.core.disclosure import Sides
from undisclosed.core.held import Outgoing
from undisclosed.send import approval
from undisclosed.send.approval import ApprovalPolicy, Content
from undisclosed.send.asking import Asking
from undisclosed.send.checking import run_checks
from undisclosed.send.checks.view import CampaignView
from undisclosed.send.merge import Template, compile_draft
from undisclosed.send.template import TemplateError
from undisclosed.store import (
    campaign_checks,
    campaigns,
    copies,
    crypto,
    lists,
)
from undisclosed.store.campaigns import Campaign, NotComplete
from undisclosed.store.database import transaction
from undisclosed.store.lists import NoSuchList
from undisclosed.store.progress import Deed, told

AT_ONCE: Final = 5_000
"""People of a list up to which the checks run while the page waits; else a worker."""


@cache
def sides() -> Sides:
    """Who is inside."""
    policy = wiring.policy()
    return Sides(policy.own_domains, policy.outsiders)


def approval_policy() -> ApprovalPolicy:
    """Who has to approve, as the settings say."""
    chosen = wiring.settings().send
    return ApprovalPolicy(
        chosen.approvals,
        chosen.approvals_inside,
        chosen.approvals_sensitive,
        chosen.remind_after,
        chosen.reminders,
    )


def asking() -> Asking:
    """Who writes to approvers."""
    settings = wiring.settings()
    author = settings.holds.notice_from
    return Asking(
        author or Address("postmaster", settings.guard.hostname),
        settings.guard.hostname,
        f"{settings.console.url}/campaigns/{{campaign_id}}/",
    )


def template_of(found: Campaign) -> Template:
    """The campaign's text over its list's columns. Raises NotComplete, TemplateError.

    Without a list there are no columns.
    """
    columns: Sequence[str] = lists.columns(found.list_id) if found.list_id else ()
    draft = approval.draft_of(found.id)
    return compile_draft(draft, columns, hostname=wiring.settings().guard.hostname)


def view_of(content: Content, template: Template, now: datetime) -> CampaignView:
    """A campaign's content as the checks look at it."""
    chosen, settings = content.chosen, wiring.settings()
    return CampaignView(
        draft=content.draft,
        columns=lists.columns(chosen.id),
        people=chosen.mailed,
        ways=lists.ways(chosen.id),
        template=template,
        source=lambda: lists.rows(chosen.id),
        own_domains=wiring.policy().own_domains,
        sensitivity=chosen.sensitivity,
        legal_basis=chosen.legal_basis,
        next_hop=outside.next_hop(settings),
        domain=outside.domain(settings),
        resolver=outside.resolver(settings),
        reader=wiring.reader(),
        now=now,
    )


def check(
    campaign_id: str,
    *,
    by: object,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> CampaignState:
    """Run every check over what is there now, and write down what they found.

    A text that cannot be read as a template is a finding. Raises NotComplete and
    NoSuchStep.
    """
    content = approval.content_of(campaigns.get(campaign_id))
    try:
        template = compile_draft(content.draft, lists.columns(content.chosen.id))
        view = view_of(content, template, now)
        with (
            told(campaign_id, Deed.READING, sum(view.ways.values())) as reading,
            told(campaign_id, Deed.CHECKING, view.people, progress) as looked,
        ):
            findings = run_checks(view, progress=looked, reading=reading)
    except TemplateError as error:
        findings = (CheckFinding("template", Weight.STOP, str(error), "text"),)
    return approval.record_checks(campaign_id, content, findings, by=by, now=now)


def check_wanted(now: datetime) -> int:
    """A worker's step: run the checks that pages asked for; how many campaigns."""
    wanted = campaign_checks.wanted()
    for campaign_id, by in wanted:
        try:
            check(
                campaign_id,
                by=by,
                now=now,
                progress=partial(campaign_checks.progressed, campaign_id),
            )
        except (NotComplete, NoSuchStep, NoSuchList):
            campaign_checks.give_up(campaign_id)
    return len(wanted)


def remind(now: datetime) -> int:
    """Remind approvers of what has waited too long; how many campaigns."""
    return approval.remind(asking(), approval_policy(), now)


def queue(mails: Sequence[Outgoing], now: datetime) -> None:
    """Queue mail of our own: a worker sends it."""
    with transaction() as connection:
        copies.insert(connection, crypto.keys(), mails, now)
