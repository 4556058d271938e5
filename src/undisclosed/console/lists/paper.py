# SPDX-License-Identifier: Apache-2.0
"""People who are phoned or written to: a call sheet, and letters, as PDF."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from undisclosed.console import pages
from undisclosed.console.access import account_of, requires
from undisclosed.console.lists.forms import LettersForm
from undisclosed.console.lists.opening import opened
from undisclosed.console.lists.reading import attachment, why_of
from undisclosed.core.campaign import Way
from undisclosed.errors import UndisclosedError
from undisclosed.send import on_paper
from undisclosed.store import journal
from undisclosed.store.models import Campaign
from undisclosed.store.rights import Right


def campaigns_of(list_id: str) -> list[tuple[str, str]]:
    """The approved campaigns of a list: whose text its letters may have."""
    found = Campaign.objects.filter(
        recipient_list_id=list_id, state__in=[one.value for one in on_paper.APPROVED]
    ).order_by("-created_at")
    return [(one.pk, one.name) for one in found]


@requires()
@require_POST
def call_sheet(request: HttpRequest, list_id: str) -> HttpResponse:
    """One sheet for each person to be phoned, journalled."""
    account = account_of(request)
    found = opened(account, list_id, Right.SEE_ROWS)
    why = why_of(request)
    try:
        content, people = on_paper.call_sheet(list_id, heading=found.purpose[:200])
    except UndisclosedError as error:
        return _refused(request, error)
    facts = {"list": list_id, "people": people, "way": Way.PHONE.value, "why": why}
    journal.write("list printed", actor=str(account.pk), **facts)
    return attachment(content, "application/pdf", "call-sheet.pdf")


@requires()
@require_POST
def letters(request: HttpRequest, list_id: str) -> HttpResponse:
    """One letter for each person to be written to, journalled."""
    account = account_of(request)
    found = opened(account, list_id, Right.SEE_ROWS)
    form = LettersForm(request.POST, campaigns=campaigns_of(found.pk))
    if not form.is_valid():
        return pages.say(request, _("Choose whose text the letters have"), status=400)
    campaign = form.cleaned_data["campaign"]
    try:
        content, people = on_paper.letters(list_id, campaign, day=timezone.localdate())
    except UndisclosedError as error:
        return _refused(request, error)
    facts = {"list": list_id, "people": people, "way": Way.POST.value}
    journal.write("list printed", actor=str(account.pk), campaign=campaign, **facts)
    return attachment(content, "application/pdf", "letters.pdf")


def _refused(request: HttpRequest, error: UndisclosedError) -> HttpResponse:
    return pages.say(request, _("Nothing was printed"), error.message, status=409)
