# SPDX-License-Identifier: Apache-2.0
"""Suppressions: who is not mailed, found by a whole address, added and lifted."""

from uuid import UUID

from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from undisclosed.console import acting, paging
from undisclosed.console.access import account_of, requires
from undisclosed.console.lists.forms import (
    ALL_TEAMS,
    LIFTED,
    LiftForm,
    SeekForm,
    SuppressForm,
)
from undisclosed.core.address import parse_addr_spec
from undisclosed.core.campaign import MailKind
from undisclosed.store import suppressions as store
from undisclosed.store.models import Account, Team
from undisclosed.store.rights import Right, may, teams_with


@requires()
@require_http_methods(["GET", "HEAD", "POST"])
def suppressions(request: HttpRequest) -> HttpResponse:
    """Those of the account's teams and of all; POST adds some."""
    account = account_of(request)
    teams = teams_with(account, Right.SEE_LISTS)
    if not teams:
        raise PermissionDenied
    changing = teams_with(account, Right.CHANGE_LISTS)
    if request.method == "POST" and not changing:
        raise PermissionDenied
    form = SuppressForm(request.POST or None, teams=changing)
    if request.method == "POST" and form.is_valid():
        _suppress(form, account)
        return redirect("lists:suppressions")
    seek = SeekForm(request.GET)
    asked = seek.cleaned_data["address"].strip() if seek.is_valid() else ""
    address = parse_addr_spec(asked) if asked else None
    if asked and address is None:
        seek.add_error("address", _("This is no whole address."))
    page = store.page(
        [team.pk for team in teams],
        address=address,
        number=paging.number_of(request.GET.get("page")),
    )
    names = {team.pk: team.name for team in teams}
    may_lift: set[UUID | None] = {team.pk for team in changing}
    if len(changing) == Team.objects.count():
        may_lift.add(None)
    shown = [
        {
            "one": each,
            "team": names[each.team] if each.team else "",
            "by": acting.name_of(each.by),
            "may_lift": each.team in may_lift,
        }
        for each in page.items
    ]
    return render(
        request,
        "lists/suppressions.html",
        {
            "page": page,
            "rows": shown,
            "seek": seek,
            "is_searching": bool(asked),
            "form": form,
            "lifted": LIFTED,
            "may_change": bool(changing),
        },
        status=400 if form.errors else 200,
    )


@requires()
@require_POST
def lift(request: HttpRequest, number: int) -> HttpResponse:
    """Mail the person again from the next campaign on."""
    account = account_of(request)
    found = store.get(number)
    if found is None or not teams_with(account, Right.SEE_LISTS):
        raise Http404
    if not _may_lift(account, found.team):
        raise PermissionDenied
    form = LiftForm(request.POST)
    if not form.is_valid():
        raise BadRequest
    because = store.Lifted(form.cleaned_data["because"])
    store.lift(number, because, by=str(account.pk), now=timezone.now())
    return redirect("lists:suppressions")


def _may_lift(account: Account, team: UUID | None) -> bool:
    """One of a team: who may change its lists. One of all: who may in every team."""
    if team is not None:
        return may(account, Right.CHANGE_LISTS, team)
    return len(teams_with(account, Right.CHANGE_LISTS)) == Team.objects.count()


def _suppress(form: SuppressForm, account: Account) -> None:
    given = form.cleaned_data
    store.suppress(
        given["addresses"],
        store.Reason(given["reason"]),
        team=None if given["team"] == ALL_TEAMS else UUID(given["team"]),
        only=MailKind(given["only"]) if given["only"] else None,
        by=str(account.pk),
        now=timezone.now(),
    )
