# SPDX-License-Identifier: Apache-2.0
"""Making teams, and saying who is in them as what."""

from uuid import UUID

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from undisclosed.console import paging
from undisclosed.console.access import Right, account_of, requires
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.teams.forms import MemberForm, RolesForm, TeamForm
from undisclosed.store import teams as deeds
from undisclosed.store.models import Account, Membership, Role, Team

_GET_OR_POST = require_http_methods(["GET", "HEAD", "POST"])


@requires(Right.INVITE)
@_GET_OR_POST
@asked_on_post
def teams(request: HttpRequest) -> HttpResponse:
    """Every team, and the form that makes a new one."""
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = deeds.create(
                form.cleaned_data["name"], by=account_of(request), now=timezone.now()
            )
        except deeds.NameTaken:
            form.add_error("name", _("There is a team of this name already."))
        else:
            return redirect("teams:team", team_id=made.pk)
    everyone = Team.objects.annotate(people=Count("members")).order_by("name")
    return render(
        request,
        "teams/list.html",
        {"form": form, "page": paging.page_of(everyone, request.GET.get("page"))},
        status=400 if form.errors else 200,
    )


@requires(Right.INVITE)
@_GET_OR_POST
@asked_on_post
def team(request: HttpRequest, team_id: UUID) -> HttpResponse:
    """Who is in a team, and the form that brings somebody in."""
    found = get_object_or_404(Team, pk=team_id)
    form = MemberForm(request.POST or None, team=found)
    if request.method == "POST" and form.is_valid():
        account = form.cleaned_data["account"]
        if _put(request, found, account, form):
            return redirect("teams:team", team_id=found.pk)
    members = found.members.select_related("account").order_by("account__name")
    return render(
        request,
        "teams/team.html",
        {"team": found, "members": members, "form": form},
        status=400 if form.errors else 200,
    )


@requires(Right.INVITE)
@_GET_OR_POST
@asked_on_post
def member(request: HttpRequest, team_id: UUID, account_id: UUID) -> HttpResponse:
    """Change what somebody may do in a team."""
    found = get_object_or_404(
        Membership.objects.select_related("team", "account"),
        team_id=team_id,
        account_id=account_id,
    )
    now_has = {"roles": found.roles, "may_see_rows": found.may_see_rows}
    form = RolesForm(request.POST or None, initial=now_has)
    if (
        request.method == "POST"
        and form.is_valid()
        and _put(request, found.team, found.account, form)
    ):
        return redirect("teams:team", team_id=team_id)
    return render(
        request,
        "teams/member.html",
        {"member": found, "team": found.team, "form": form},
        status=400 if form.errors else 200,
    )


@requires(Right.INVITE)
@require_POST
@asked_on_post
def remove(request: HttpRequest, team_id: UUID, account_id: UUID) -> HttpResponse:
    """Take somebody out of a team."""
    found = get_object_or_404(Membership, team_id=team_id, account_id=account_id)
    deeds.remove(found.team, found.account, by=account_of(request))
    return redirect("teams:team", team_id=team_id)


@requires(Right.INVITE)
@require_POST
@asked_on_post
def end_trial(request: HttpRequest, team_id: UUID) -> HttpResponse:
    """Let a team mail others than its own members."""
    deeds.end_trial(get_object_or_404(Team, pk=team_id), by=account_of(request))
    return redirect("teams:team", team_id=team_id)


def _put(request: HttpRequest, team: Team, account: Account, form: RolesForm) -> bool:
    """Set a membership; False with the form's error set where it is one's own."""
    try:
        deeds.put(
            team,
            account,
            [Role(role) for role in form.cleaned_data["roles"]],
            may_see_rows=form.cleaned_data["may_see_rows"],
            by=account_of(request),
        )
    except deeds.OwnMembership:
        form.add_error(
            "roles",
            _("Nobody gives themselves a role or a right: ask another administrator."),
        )
        return False
    return True
