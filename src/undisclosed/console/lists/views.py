# SPDX-License-Identifier: Apache-2.0
"""Lists: all of a person's teams, a new one, one with what is known of it."""

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from undisclosed.console import pages, paging
from undisclosed.console.access import account_of, requires
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.lists.forms import LettersForm, ListForm, UploadForm, WhyForm
from undisclosed.console.lists.opening import opened
from undisclosed.console.lists.paper import campaigns_of
from undisclosed.core.campaign import Sensitivity, Way
from undisclosed.store import lists as store
from undisclosed.store import uploads
from undisclosed.store.models import RecipientList
from undisclosed.store.rights import Right, rights_in, teams_with

_GET_OR_POST = require_http_methods(["GET", "HEAD", "POST"])


@requires()
@require_safe
def lists(request: HttpRequest) -> HttpResponse:
    """The lists of the teams in which the account sees them, newest first."""
    account = account_of(request)
    teams = teams_with(account, Right.SEE_LISTS)
    if not teams:
        raise PermissionDenied
    found = (
        RecipientList.objects.filter(team__in=teams, destroyed_at=None)
        .select_related("team", "owner")
        .order_by("-created_at", "id")
    )
    may_make = bool(teams_with(account, Right.CHANGE_LISTS))
    page = paging.page_of(found, request.GET.get("page"))
    return render(request, "lists/list.html", {"page": page, "may_make": may_make})


@requires()
@_GET_OR_POST
def new(request: HttpRequest) -> HttpResponse:
    """The form of a new list; POST makes it."""
    account = account_of(request)
    teams = teams_with(account, Right.CHANGE_LISTS)
    if not teams:
        raise PermissionDenied
    form = ListForm(request.POST or None, teams=teams, me=account)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        if given["keep_until"] <= timezone.localdate():
            form.add_error("keep_until", _("This day is over."))
        else:
            facts = store.ListFacts(
                given["name"],
                given["purpose"],
                Sensitivity(given["sensitivity"]),
                given["legal_basis"],
                given["keep_until"],
            )
            made = store.create(
                facts,
                team=UUID(given["team"]),
                owner=UUID(given["owner"]),
                by=str(account.pk),
                now=timezone.now(),
            )
            return redirect("lists:one", made)
    status = 400 if form.errors else 200
    return render(request, "lists/new.html", {"form": form}, status=status)


@requires()
@require_safe
def one(request: HttpRequest, list_id: str) -> HttpResponse:
    """What is known of one list, and what may be done with it."""
    account = account_of(request)
    found = opened(account, list_id, Right.SEE_LISTS)
    rights = rights_in(account, found.team_id)
    ways = store.on_paper(list_id)
    campaigns = campaigns_of(list_id)
    return render(
        request,
        "lists/one.html",
        {
            "list": found,
            "phoned": ways.get(Way.PHONE, 0),
            "posted": ways.get(Way.POST, 0),
            "columns": store.columns(list_id) if found.data_key else (),
            "upload": uploads.latest(list_id),
            "upload_form": UploadForm(),
            "why_form": WhyForm(auto_id="export_%s"),
            "call_form": WhyForm(auto_id="call_%s", initial={"why": "reach"}),
            "letters_form": LettersForm(campaigns=campaigns, auto_id="letters_%s"),
            "has_text": bool(campaigns),
            "may_change": Right.CHANGE_LISTS in rights,
            "may_see_rows": Right.SEE_ROWS in rights,
            "may_destroy": Right.DESTROY_LISTS in rights,
        },
    )


@requires()
@_GET_OR_POST
@asked_on_post
def destroy(request: HttpRequest, list_id: str) -> HttpResponse:
    """Asks once more; POST destroys the list and its key."""
    account = account_of(request)
    found = opened(account, list_id, Right.DESTROY_LISTS)
    if request.method != "POST":
        return render(request, "lists/destroy.html", {"list": found})
    try:
        store.destroy(list_id, by=str(account.pk), now=timezone.now())
    except store.ListInUse:
        return pages.say(
            request,
            _("A campaign is being sent to this list"),
            _("It can be destroyed when the campaign has ended."),
            status=409,
        )
    return pages.say(
        request,
        _("The list is destroyed"),
        _("Its key is gone, and with it every row, in every copy of the database."),
    )
