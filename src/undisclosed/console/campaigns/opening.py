# SPDX-License-Identifier: Apache-2.0
"""A campaign for whoever may see it, and the answers that all of its pages give."""

from collections.abc import Callable
from typing import Final, cast
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from undisclosed.console import pages
from undisclosed.console.access import account_of
from undisclosed.core.campaign import NoSuchStep
from undisclosed.errors import UndisclosedError
from undisclosed.store import approvals, campaigns, rights, seeds, trial
from undisclosed.store.campaigns import Campaign
from undisclosed.store.lists import NoSuchList
from undisclosed.store.models import Account
from undisclosed.store.rights import Right

REFUSALS: Final = (
    NoSuchStep,
    NoSuchList,
    campaigns.AlreadyDecided,
    campaigns.FindingsOpen,
    campaigns.NotComplete,
    campaigns.NotNeeded,
    campaigns.NotTheSame,
    campaigns.OwnCampaign,
    campaigns.RefusedAsItIs,
    approvals.NotTheirs,
    seeds.NothingToAccept,
    trial.TrialEnough,
    trial.TrialOnly,
)
"""Why a step is not taken; each says so in a sentence."""


def opened(request: HttpRequest, campaign_id: str) -> tuple[Campaign, Account]:
    """The campaign and who looks at it; 404 for who is not in its team."""
    account = account_of(request)
    try:
        found = campaigns.get(campaign_id)
    except campaigns.NoSuchCampaign:
        raise Http404 from None
    if not rights.may(account, Right.SEE_CAMPAIGNS, cast(UUID, found.team)):
        raise Http404
    return found, account


def demand(allowed: object) -> None:
    """Raise PermissionDenied where what the page offers does not have this."""
    if not allowed:
        raise PermissionDenied


def taken(
    request: HttpRequest,
    campaign_id: str,
    step: Callable[[], object],
    said: str = "",
) -> HttpResponse:
    """Take a step and lead back to the page; 409 in words where it cannot be.

    ``said`` is what the page says then, where it does not show it by itself.
    """
    try:
        step()
    except REFUSALS as error:
        return refused(request, campaign_id, error)
    if said:
        messages.success(request, said)
    return redirect("campaigns:campaign", campaign_id)


def refused(
    request: HttpRequest, campaign_id: str, error: UndisclosedError
) -> HttpResponse:
    """409: it cannot be done, and nothing was."""
    return pages.say(
        request,
        _("This cannot be done"),
        type(error)().message,
        _("Nothing was changed."),
        status=409,
        way_on=reverse("campaigns:campaign", args=[campaign_id]),
        way_on_text=_("Back to the campaign"),
    )
