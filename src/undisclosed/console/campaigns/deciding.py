# SPDX-License-Identifier: Apache-2.0
"""Checking, submitting, approving: what is decided before anything leaves."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from undisclosed.console.access import requires
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.campaigns import views, wiring
from undisclosed.console.campaigns.forms import (
    ApproveForm,
    DelegateForm,
    ReasonForm,
    RefuseForm,
)
from undisclosed.console.campaigns.opening import demand, opened, taken
from undisclosed.console.campaigns.rights import may
from undisclosed.send import approval
from undisclosed.store import campaign_checks, campaigns
from undisclosed.store.models import Account, Membership


@requires()
@require_POST
def check(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Run the checks: at once for a short list, else by a worker."""
    found, account = opened(request, campaign_id)
    now = timezone.now()
    demand(may(account, found, now).write)
    run = wiring.check if found.recipients <= wiring.AT_ONCE else campaign_checks.want
    return taken(request, campaign_id, lambda: run(campaign_id, by=account.pk, now=now))


@requires()
@require_POST
@asked_on_post
def override(request: HttpRequest, campaign_id: str, check: str) -> HttpResponse:
    """Answer for what one check found, with a reason."""
    found, account = opened(request, campaign_id)
    now = timezone.now()
    demand(may(account, found, now).write)
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was changed: a reason is needed."))
        return redirect("campaigns:campaign", campaign_id)
    reason = form.cleaned_data["reason"]
    return taken(
        request,
        campaign_id,
        lambda: campaigns.override(campaign_id, check, reason, by=account.pk, now=now),
    )


@requires()
@require_POST
def submit(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Ask for the approvals that it needs; its approvers are written to."""
    found, account = opened(request, campaign_id)
    now = timezone.now()
    demand(may(account, found, now).submit)
    return taken(
        request,
        campaign_id,
        lambda: approval.submit(
            campaign_id,
            wiring.approval_policy(),
            wiring.sides(),
            wiring.asking(),
            by=account.pk,
            now=now,
        ),
    )


@requires()
@require_POST
@asked_on_post
def approve(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Consent, in one role, to exactly what the page showed."""
    _found, account = opened(request, campaign_id)
    form, now = ApproveForm(request.POST), timezone.now()
    if not form.is_valid():
        messages.error(
            request, _("Nothing was decided: say first that you have looked at it.")
        )
        return views.page_of(request, campaign_id, status=400)
    role, digest = form.cleaned_data["role"], form.cleaned_data["digest"]
    _demand_role(account, campaign_id, role)
    return taken(
        request,
        campaign_id,
        lambda: approval.approve(
            campaign_id,
            bytes.fromhex(digest),
            role,
            wiring.asking(),
            by=account.pk,
            now=now,
        ),
        _("Your approval is recorded."),
    )


@requires()
@require_POST
@asked_on_post
def refuse(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Refuse with a reason: it becomes a draft again."""
    found, account = opened(request, campaign_id)
    form, now = RefuseForm(request.POST), timezone.now()
    if not form.is_valid():
        messages.error(request, _("Nothing was decided: a reason is needed."))
        return views.page_of(request, campaign_id, status=400)
    wanted = form.cleaned_data
    demand(wanted["role"] in may(account, found, now).refuse)
    return taken(
        request,
        campaign_id,
        lambda: approval.reject(
            campaign_id,
            bytes.fromhex(wanted["digest"]),
            wanted["role"],
            wanted["reason"],
            wiring.asking(),
            by=account.pk,
            now=now,
        ),
        _("It is refused, and its authors are told."),
    )


@requires()
@require_POST
@asked_on_post
def delegate(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Hand the decision in a role on to a colleague, for this version."""
    found, account = opened(request, campaign_id)
    held = Membership.objects.filter(
        team_id=found.team,  # type: ignore[misc]
        account__is_active=True,
    ).exclude(account=account)
    people = [(str(one.account_id), "") for one in held]
    form, now = DelegateForm(request.POST, people=people), timezone.now()
    if not form.is_valid():
        messages.error(request, _("Nothing was changed: choose a colleague."))
        return views.page_of(request, campaign_id, status=400)
    wanted = form.cleaned_data
    demand(wanted["role"] in may(account, found, now).decide)
    to = Account.objects.get(pk=wanted["to"]).pk
    return taken(
        request,
        campaign_id,
        lambda: approval.delegate(
            campaign_id,
            bytes.fromhex(wanted["digest"]),
            wanted["role"],
            wiring.asking(),
            to=to,
            by=account.pk,
            now=now,
        ),
        _("It is handed on, and your colleague is written to."),
    )


def _demand_role(account: Account, campaign_id: str, role: str) -> None:
    """Raise PermissionDenied where the account cannot consent in this role."""
    found = campaigns.get(campaign_id)
    allowed = may(account, found, timezone.now())
    # Their own, and what they decided already: the store says so in its own words.
    demand(role in allowed.decide or allowed.is_own or _has_decided(account, found))


def _has_decided(account: Account, found: campaigns.Campaign) -> bool:
    if found.digest is None:
        return True  # no longer what the page showed
    given = campaigns.consents(found.id, found.digest)
    return any(one[1] == account.pk for one in given)
