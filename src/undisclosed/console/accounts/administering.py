# SPDX-License-Identifier: Apache-2.0
"""One account, for administrators: its roles, a way back in, whether it is active."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from undisclosed.console import pages
from undisclosed.console.access import Right, account_of, requires
from undisclosed.console.accounts import again
from undisclosed.console.accounts.forms import AccountRolesForm
from undisclosed.console.accounts.telling import Said, tell
from undisclosed.errors import UndisclosedError
from undisclosed.store import accounts as deeds
from undisclosed.store.models import Account, Role


@requires(Right.INVITE)
@require_http_methods(["GET", "HEAD", "POST"])
@again.asked_on_post
def account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """What an account may do; POST gives it other roles."""
    found, me = get_object_or_404(Account, pk=account_id), account_of(request)
    # No role at all is an answer as well: a form that is empty.
    given = request.POST if request.method == "POST" else None
    form = AccountRolesForm(given, initial={"roles": found.roles})
    if form.is_valid():
        roles = [Role(role) for role in form.cleaned_data["roles"]]
        try:
            deeds.set_roles(found, roles, by=me)
        except deeds.OwnAccount:
            said = _("Nobody gives themselves a role: ask another administrator.")
            form.add_error("roles", said)
        except deeds.LastAdministrator:
            form.add_error("roles", _("Nobody would be an administrator any more."))
        else:
            messages.success(request, _("The roles are changed."))
            return redirect("accounts:account", account_id=account_id)
    return render(
        request,
        "accounts/account.html",
        {
            "account": found,
            "form": form,
            "factors": deeds.factors(found),
            "is_own": found.pk == me.pk,
            "teams": found.memberships.select_related("team").order_by("team__name"),
        },
        status=400 if form.errors else 200,
    )


@requires(Right.INVITE)
@require_POST
@again.asked_on_post
def deactivate(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Let somebody who left log in no more; what they did stays theirs."""
    return _set_active(request, account_id, is_active=False)


@requires(Right.INVITE)
@require_POST
@again.asked_on_post
def activate(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Let somebody log in again."""
    return _set_active(request, account_id, is_active=True)


@requires(Right.INVITE)
@require_POST
@again.asked_on_post
def remove_factors(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Remove the second factors that somebody lost, and tell them by mail."""
    found = get_object_or_404(Account, pk=account_id)
    try:
        with transaction.atomic():
            deeds.remove_factors(found, by=account_of(request))
            is_told = tell(found, Said.FACTORS_REMOVED, timezone.now())
    except (deeds.OwnAccount, deeds.NoFactors) as error:
        return _refused(request, found, error)
    messages.success(
        request,
        _("The factors are removed, and %(name)s is told by mail.")
        % {"name": found.name}
        if is_told
        else _("The factors are removed. There is no address to tell it to."),
    )
    return redirect("accounts:account", account_id=account_id)


def _set_active(
    request: HttpRequest, account_id: UUID, *, is_active: bool
) -> HttpResponse:
    found = get_object_or_404(Account, pk=account_id)
    try:
        deeds.set_active(found, is_active, by=account_of(request))
    except (deeds.OwnAccount, deeds.LastAdministrator) as error:
        return _refused(request, found, error)
    return redirect("accounts:account", account_id=account_id)


def _refused(
    request: HttpRequest, account: Account, error: UndisclosedError
) -> HttpResponse:
    """409: it cannot be done, and nothing was."""
    match error:
        case deeds.OwnAccount():
            why = _("Nobody does this to their own account.")
        case deeds.LastAdministrator():
            why = _("Nobody would be an administrator any more.")
        case _:
            why = _("This account has no second factor.")
    return pages.say(
        request,
        _("This cannot be done"),
        why,
        _("Nothing was changed."),
        status=409,
        way_on=reverse("accounts:account", args=[account.pk]),
        way_on_text=_("Back to the account"),
    )
