# SPDX-License-Identifier: Apache-2.0
"""Held mailings: the list, one mailing, and what is decided about it."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_http_methods,
    require_POST,
    require_safe,
)

from undisclosed.console import acting, pages, paging, wiring
from undisclosed.console.access import Right, account_of, requires, rights_of
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.circles.declaring import declare
from undisclosed.console.mailings import rights as mailing_rights
from undisclosed.console.mailings.forms import EVERY_STATE, WAITS, ReleaseForm, SeekForm
from undisclosed.console.mailings.progress import Progress, progress_of
from undisclosed.console.mailings.sight import Sight, sight_of
from undisclosed.console.observed.entries import passed_of
from undisclosed.core.held import HoldState
from undisclosed.guard.copies import CannotSendSingly
from undisclosed.guard.desk import NotAnApprover, NotYours, OwnMail, ReasonMissing
from undisclosed.store import desk, journal
from undisclosed.store.circles import CircleRefused

FOUND = 302
_SEES = (Right.SEE_ALL, Right.SEE_OWN)


@requires(*_SEES)
@require_safe
def mailings(request: HttpRequest) -> HttpResponse:
    """The list of mailings, newest first; a sender's holds their own only.

    Unasked it holds what waits for a decision.
    """
    account = account_of(request)
    form = SeekForm(request.GET)
    wanted = form.cleaned_data if form.is_valid() else {}
    state, search = wanted.get("state", WAITS), wanted.get("search", "")
    sees_all = Right.SEE_ALL in rights_of(account)
    page = desk.mailings(
        state=None if state == EVERY_STATE else HoldState(state),
        search=search,
        page=paging.number_of(request.GET.get("page")),
        senders=None if sees_all else account.address_hashes(),
    )
    is_fragment = bool(request.headers.get("HX-Request"))
    return render(
        request,
        "mailings/rows.html" if is_fragment else "mailings/list.html",
        {
            "form": form,
            "page": page,
            "sees_all": sees_all,
            "is_searching": bool(search) or state != WAITS,
            "is_waiting": state == WAITS,
            "every_state": urlencode({"state": EVERY_STATE, "search": search}),
        },
    )


@requires(*_SEES)
@require_safe
def mailing(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """The page of one mailing."""
    return _page(request, _sight(request, mailing_id), ReleaseForm())


@requires(*_SEES)
@require_safe
def progress(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """Where the copies are: the fragment that the page asks for again and again."""
    sight = _sight(request, mailing_id)
    if not request.headers.get("HX-Request"):
        return redirect("mailings:mailing", mailing_id)
    found = _progress(sight)
    return render(request, "mailings/progress.html", {"progress": found})


@requires(*_SEES)
@require_http_methods(["GET", "HEAD", "POST"])
@asked_on_post
def people(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """Who is in it, shortened; POST spells addresses out and journals that."""
    sight, account = _sight(request, mailing_id), account_of(request)
    may_ask = Right.ASK_ADDRESSES in rights_of(account)
    asks = request.method == "POST"
    if asks and not may_ask:
        raise PermissionDenied
    number = paging.number_of((request.POST if asks else request.GET).get("page"))
    if asks:
        journal.write(
            "addresses asked", actor=str(account.pk), mailing=mailing_id, page=number
        )
    return render(
        request,
        "mailings/people.html",
        {
            "mailing_id": mailing_id,
            "subject": sight.subject,
            "page": desk.people(mailing_id, page=number, spelled_out=asks),
            "is_spelled_out": asks,
            "may_ask": may_ask,
        },
    )


@requires(*_SEES)
@require_safe
def copies(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """Every private copy and where it is."""
    sight = _sight(request, mailing_id)
    number = paging.number_of(request.GET.get("page"))
    return render(
        request,
        "mailings/copies.html",
        {
            "mailing_id": mailing_id,
            "subject": sight.subject,
            "page": desk.copies(mailing_id, page=number),
        },
    )


@requires(Right.DECIDE_OWN, Right.SEND_SINGLY)
@require_POST
def send_singly(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """Send every held mail of the mailing singly."""
    return _decide(request, mailing_id, wiring.SEND_SINGLY, lambda may: may.send_singly)


@requires(Right.DECIDE_OWN, Right.RELEASE)
@require_POST
def send_now(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """End the undo window of the mailing: its copies leave."""
    return _decide(request, mailing_id, wiring.SEND_NOW, lambda may: may.send_now)


@requires(Right.DECIDE_OWN, Right.RELEASE)
@require_POST
def withdraw(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """Withdraw what is held of the mailing, and what has not left yet."""
    return _decide(request, mailing_id, wiring.WITHDRAW, lambda may: may.withdraw)


@requires(Right.RELEASE)
@require_POST
@asked_on_post
def release(request: HttpRequest, mailing_id: str) -> HttpResponse:
    """Release every held mail of the mailing unchanged, with a reason."""
    form = ReleaseForm(request.POST)
    if not form.is_valid():
        return _page(request, _sight(request, mailing_id), form, status=400)
    reason, months = form.cleaned_data["reason"], int(form.cleaned_data["months"])
    answer = _decide(
        request, mailing_id, wiring.RELEASE, lambda may: may.release, reason=reason
    )
    if months and answer.status_code == FOUND:
        _declare(request, mailing_id, reason, months)
    return answer


def _declare(request: HttpRequest, mailing_id: str, reason: str, months: int) -> None:
    """Let the people of a released mailing know one another from now on."""
    people, account = desk.everyone(mailing_id), account_of(request)
    try:
        declare(people, account, reason=reason, months=months, now=timezone.now())
    except CircleRefused:
        messages.warning(request, _("A circle needs two people outside."))


def _decide(
    request: HttpRequest,
    mailing_id: str,
    decision: wiring.Decision,
    allows: Callable[[mailing_rights.May], bool],
    **more: str,
) -> HttpResponse:
    """Decide, and lead back to the page; a second click is told so (409)."""
    sight, account = _sight(request, mailing_id), account_of(request)
    if not (sight.is_held or sight.is_leaving):
        return _already_decided(request, sight)
    may = mailing_rights.may(account, sight)
    if not allows(may) and not may.why_not_singly:
        raise PermissionDenied
    try:
        outcomes = decision.of(mailing_id, acting.actor_of(account), **more)
    except (NotYours, NotAnApprover, OwnMail) as error:
        raise PermissionDenied from error
    except (CannotSendSingly, ReasonMissing) as error:
        return _refused(request, sight, error.message)
    if not any(outcome.is_new for outcome in outcomes):
        return _already_decided(request, sight)
    return redirect("mailings:mailing", mailing_id)


def _already_decided(request: HttpRequest, sight: Sight) -> HttpResponse:
    """409: somebody, or the same person's first click, was faster."""
    return pages.say(
        request,
        _("This was already decided"),
        *sight.outcome[:1],
        status=409,
        way_on=reverse("mailings:mailing", args=[sight.mailing_id]),
        way_on_text=_("See what became of it"),
    )


def _refused(request: HttpRequest, sight: Sight, why: str) -> HttpResponse:
    """409: it cannot be done, and nothing was."""
    return pages.say(
        request,
        _("This cannot be done"),
        why,
        _("Nothing was sent. The mail stays held."),
        status=409,
        way_on=reverse("mailings:mailing", args=[sight.mailing_id]),
        way_on_text=_("Back to the mail"),
    )


def _sight(request: HttpRequest, mailing_id: str) -> Sight:
    """The mailing, for whoever may see it. Raises Http404, PermissionDenied.

    A sender is told 404 of others' mailings, as of those that are not there.
    """
    view = desk.mailing(mailing_id)
    if view is None:
        raise Http404
    account = account_of(request)
    sight = sight_of(
        view,
        name_of=_name_of,
        observed=passed_of(view),
        tells_rules=Right.SEE_ALL in rights_of(account),
    )
    if not mailing_rights.may_see(account, sight):
        raise Http404
    return sight


def _name_of(actor: str) -> str:
    """Who decided, in words."""
    return acting.name_of(actor) or _("its sender")


def _page(
    request: HttpRequest, sight: Sight, form: ReleaseForm, *, status: int = 200
) -> HttpResponse:
    """The page of one mailing, with what this account may do."""
    context: dict[str, Any] = {
        "sight": sight,
        "may": mailing_rights.may(account_of(request), sight),
        "release_form": form,
        "progress": _progress(sight),
        "act": {
            act: reverse(f"mailings:{act}", args=[sight.mailing_id])
            for act in ("send_singly", "send_now", "withdraw", "release")
        },
    }
    return render(request, "mailings/mailing.html", context, status=status)


def _progress(sight: Sight) -> Progress | None:
    """Where the copies are, and where the page asks again."""
    ways = {
        name: reverse(f"mailings:{name}", args=[sight.mailing_id])
        for name in ("mailing", "progress", "copies")
    }
    return progress_of(
        sight.copies,
        page=ways["mailing"],
        again=ways["progress"],
        every=ways["copies"],
        leaves_at=sight.leaves_at,
        now=timezone.now(),
    )
