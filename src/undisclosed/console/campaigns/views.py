# SPDX-License-Identifier: Apache-2.0
"""Campaigns: the list, a new one, the page of one, and its progress."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from undisclosed.console import paging
from undisclosed.console.access import account_of, requires
from undisclosed.console.campaigns import samples, wiring
from undisclosed.console.campaigns.forms import (
    ApproveForm,
    DelegateForm,
    NewForm,
    ReasonForm,
    RefuseForm,
    ScheduleForm,
)
from undisclosed.console.campaigns.live import live_of
from undisclosed.console.campaigns.opening import demand, opened
from undisclosed.console.campaigns.sight import Sight, sight_of
from undisclosed.core.campaign import CampaignState, MailKind
from undisclosed.errors import TransientError
from undisclosed.store import campaigns as store
from undisclosed.store import progress as long_work
from undisclosed.store.models import Account, Campaign, Membership
from undisclosed.store.rights import Right, teams_with

_MOST_TIMES: Final = 5


@requires()
@require_safe
def campaigns(request: HttpRequest) -> HttpResponse:
    """The campaigns of one's teams, the latest first."""
    account = account_of(request)
    teams = teams_with(account, Right.SEE_CAMPAIGNS)
    rows = (
        Campaign.objects.filter(team__in=teams)
        .select_related("team")
        .defer("draft_sealed", "approved_sealed", "proof_sealed", "findings")
        .order_by("-updated_at", "id")
    )
    page = paging.page_of(rows, request.GET.get("page"))
    return render(
        request,
        "campaigns/list.html",
        {
            "page": page,
            "rows": [
                {"row": one, "state": CampaignState(one.state)} for one in page.items
            ],
            "teams": teams,
            "may_make": bool(teams_with(account, Right.WRITE_CAMPAIGNS)),
        },
    )


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new campaign of a team in which the account sends."""
    account = account_of(request)
    teams = teams_with(account, Right.WRITE_CAMPAIGNS)
    demand(teams)
    form = NewForm(request.POST or None, teams=teams)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        campaign_id = store.create(
            wanted["name"],
            team=wanted["team"],
            kind=MailKind(wanted["kind"]),
            by=account.pk,
            now=timezone.now(),
        )
        return redirect("campaigns:write", campaign_id)
    status = 400 if form.errors else 200
    return render(request, "campaigns/new.html", {"form": form}, status=status)


@requires()
@require_safe
def campaign(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """The page of one campaign."""
    return page_of(request, campaign_id)


def page_of(
    request: HttpRequest, campaign_id: str, *, status: int = 200, **forms: Any
) -> HttpResponse:
    """The page of one campaign, with the forms that were filled in wrongly.

    Whoever consents does so to the digest on the page: where something was changed
    while the page was made, it is made again.
    """
    now = timezone.now()
    for _again in range(_MOST_TIMES):
        found, account = opened(request, campaign_id)
        sight = sight_of(found, account, now)
        sample = _sample(sight, now)
        if store.get(campaign_id).updated_at == found.updated_at:
            break
    else:
        raise TransientError("The campaign is being changed.")
    context: dict[str, Any] = {
        "sight": sight,
        "campaign": found,
        "may": sight.may,
        "live": sight.live,
        "work": long_work.of(campaign_id, now),
        "reason_form": ReasonForm(auto_id="id_why_%s"),
        "schedule_form": ScheduleForm(),
        "seeds_form": ReasonForm(auto_id="seeds_%s"),
        "decisions": _decisions(sight, account),
        "refusals": [_refusal(sight, role) for role in sight.may.refuse],
        "sample": sample,
    }
    return render(request, "campaigns/campaign.html", context | forms, status=status)


@requires()
@require_safe
def progress(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Where the deliveries are: the fragment that the page asks for again and again."""
    found, _account = opened(request, campaign_id)
    if not request.headers.get("HX-Request"):
        return redirect("campaigns:campaign", campaign_id)
    now = timezone.now()
    if request.GET.get("of") != "work":
        live = live_of(found, now)
        return render(request, "campaigns/live.html", {"campaign": found, "live": live})
    work = long_work.of(campaign_id, now)
    if work is None:
        # What was waited for is over: the page has something else to say.
        return HttpResponse(headers={"HX-Refresh": "true"})
    return render(request, "campaigns/work.html", {"campaign": found, "work": work})


def _decisions(sight: Sight, account: Account) -> list[dict[str, Any]]:
    """The forms of each role in which the account may consent."""
    people = _colleagues(sight, account) if sight.may.decide else []
    return [
        {
            "role": role,
            "approve": ApproveForm(
                initial={"digest": sight.digest, "role": role},
                auto_id=f"id_approve_{role}_%s",
            ),
            "delegate": DelegateForm(
                initial={"digest": sight.digest, "role": role},
                people=people,
                auto_id=f"id_delegate_{role}_%s",
            )
            if people
            else None,
        }
        for role in sight.may.decide
    ]


def _refusal(sight: Sight, role: str) -> dict[str, Any]:
    form = RefuseForm(
        initial={"digest": sight.digest, "role": role}, auto_id=f"id_refuse_{role}_%s"
    )
    return {"role": role, "form": form}


def _colleagues(sight: Sight, account: Account) -> list[tuple[str, str]]:
    """Whom a decision can be handed to: the team, but for who may not decide."""
    out = {account.pk, sight.campaign.created_by, sight.campaign.submitted_by}
    held = Membership.objects.filter(
        team=sight.team, account__is_active=True
    ).select_related("account")
    return sorted(
        (
            (str(one.account.pk), one.account.name)
            for one in held
            if one.account.pk not in out
        ),
        key=lambda pair: pair[1],
    )


def _sample(sight: Sight, now: Any) -> samples.Sample | None:
    """The first person's message, masked: what approvers look at first."""
    if not sight.is_complete or sight.chosen is None:
        return None
    try:
        template = wiring.template_of(sight.campaign)
    except samples.UNREADABLE:
        return None
    return samples.sample_of(sight.campaign, template, 1, now, seen=sight.may.masked)
