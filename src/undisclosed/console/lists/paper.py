# SPDX-License-Identifier: Apache-2.0
"""People who are phoned or written to: a call sheet, and letters, as PDF."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from undisclosed.console import pages
from undisclosed.console.access import account_of, requires
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.lists.forms import LettersForm
from undisclosed.console.lists.opening import opened
from undisclosed.console.lists.reading import attachment, why_of
from undisclosed.core.campaign import Way
from undisclosed.errors import UndisclosedError
from undisclosed.send import on_paper
from undisclosed.send.letters import Printed
from undisclosed.send.on_paper import SomeNotPrinted
from undisclosed.store import journal
from undisclosed.store.models import Account, Campaign
from undisclosed.store.rights import Right


def campaigns_of(list_id: str) -> list[tuple[str, str]]:
    """The approved campaigns of a list: whose text its letters may have."""
    found = Campaign.objects.filter(
        recipient_list_id=list_id, state__in=[one.value for one in on_paper.APPROVED]
    ).order_by("-created_at")
    return [(one.pk, one.name) for one in found]


@requires()
@require_POST
@asked_on_post
def call_sheet(request: HttpRequest, list_id: str) -> HttpResponse:
    """One sheet for each person to be phoned, journalled."""
    account = account_of(request)
    found = opened(account, list_id, Right.SEE_ROWS)
    why = why_of(request)
    heading, without = found.purpose[:200], "without" in request.POST
    try:
        made = on_paper.call_sheet(list_id, heading=heading, without=without)
    except SomeNotPrinted as error:
        return _some_left_out(request, list_id, error.printed)
    except UndisclosedError as error:
        return _refused(request, error)
    facts = {"way": Way.PHONE.value, "why": why}
    _journal(made, account, list_id, **facts)
    return attachment(made.content, "application/pdf", "call-sheet.pdf")


@requires()
@require_POST
@asked_on_post
def letters(request: HttpRequest, list_id: str) -> HttpResponse:
    """One letter for each person to be written to, journalled."""
    account = account_of(request)
    found = opened(account, list_id, Right.SEE_ROWS)
    form = LettersForm(request.POST, campaigns=campaigns_of(found.pk))
    if not form.is_valid():
        return pages.say(request, _("Choose whose text the letters have"), status=400)
    campaign = form.cleaned_data["campaign"]
    day, without = timezone.localdate(), "without" in request.POST
    try:
        made = on_paper.letters(list_id, campaign, day=day, without=without)
    except SomeNotPrinted as error:
        return _some_left_out(request, list_id, error.printed)
    except UndisclosedError as error:
        return _refused(request, error)
    _journal(made, account, list_id, way=Way.POST.value, campaign=campaign)
    return attachment(made.content, "application/pdf", "letters.pdf")


def _journal(made: Printed, account: Account, list_id: str, **facts: object) -> None:
    counts = {"people": made.people, "left out": len(made.left_out)}
    journal.write(
        "list printed", actor=str(account.pk), list=list_id, **counts, **facts
    )


def _some_left_out(request: HttpRequest, list_id: str, made: Printed) -> HttpResponse:
    """Who cannot be printed and why; the others, where that is wanted."""
    kept = [
        (name, request.POST[name])
        for name in ("campaign", "why")
        if name in request.POST
    ]
    context = {"list_id": list_id, "made": made, "kept": kept}
    return render(request, "lists/left_out.html", context, status=409)


def _refused(request: HttpRequest, error: UndisclosedError) -> HttpResponse:
    return pages.say(request, _("Nothing was printed"), error.message, status=409)
