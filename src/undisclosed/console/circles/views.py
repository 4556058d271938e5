# SPDX-License-Identifier: Apache-2.0
"""Circles: the list, a new one, and the end of one."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from undisclosed.console import acting, pages
from undisclosed.console.access import Right, account_of, requires, rights_of
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.circles.declaring import declare
from undisclosed.console.circles.forms import CircleForm
from undisclosed.store import circles as circle_store


@requires(Right.SEE_ALL)
@require_http_methods(["GET", "HEAD", "POST"])
@asked_on_post
def circles(request: HttpRequest) -> HttpResponse:
    """Every circle; POST declares one."""
    account = account_of(request)
    may_declare = Right.DECLARE in rights_of(account)
    if request.method == "POST" and not may_declare:
        raise PermissionDenied
    form = CircleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data
        try:
            declare(
                wanted["people"],
                account,
                reason=wanted["reason"],
                months=wanted["months"],
                now=timezone.now(),
            )
        except circle_store.CircleRefused:
            form.add_error("people", _("A circle needs two people outside."))
        else:
            return redirect("circles:list")
    now = timezone.now()
    rows = [
        {
            "circle": each,
            "owner": acting.name_of(each.owner),
            "is_on": each.is_active(now),
        }
        for each in circle_store.all()
    ]
    return render(
        request,
        "circles/list.html",
        {"rows": rows, "form": form, "may_declare": may_declare},
        status=400 if form.errors else 200,
    )


@requires(Right.DECLARE)
@require_POST
@asked_on_post
def end(request: HttpRequest, circle_id: str) -> HttpResponse:
    """End a circle before its time."""
    account = account_of(request)
    if not circle_store.end(circle_id, by=str(account.pk), now=timezone.now()):
        return pages.say(request, _("This circle is over already"), status=409)
    return redirect("circles:list")
