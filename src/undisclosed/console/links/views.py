# SPDX-License-Identifier: Apache-2.0
"""The page behind a notice's link. GET shows; only POST acts.

Mail gateways open every link they see, so opening decides nothing. The page
shows counts and no address, and needs neither a log-in nor JavaScript.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from undisclosed.console import acting, pages, wiring
from undisclosed.console.mailings.progress import Progress, progress_of
from undisclosed.console.mailings.sight import Sight, sight_of
from undisclosed.console.observed.entries import passed_of
from undisclosed.guard.copies import CannotSendSingly
from undisclosed.guard.desk import NotYours
from undisclosed.guard.links import Link, LinkExpired, LinkWrong
from undisclosed.store import desk

Opened = tuple[Link, Sight]


@require_safe
def link(request: HttpRequest, token: str) -> HttpResponse:
    """What is held, in counts, and the two things its sender may do."""
    opened = _open(request, token)
    if isinstance(opened, HttpResponse):
        return opened
    sight = opened[1]
    return render(
        request,
        "links/link.html",
        {
            "sight": sight,
            "progress": _progress(sight, token),
            "act": {
                act: reverse(f"links:{act}", args=[token])
                for act in ("send_singly", "send_now", "withdraw")
            },
        },
    )


@require_safe
def progress(request: HttpRequest, token: str) -> HttpResponse:
    """Where the copies are, as the fragment that the page asks for."""
    opened = _open(request, token)
    if isinstance(opened, HttpResponse):
        return opened
    if not request.headers.get("HX-Request"):
        return redirect("links:link", token)
    found = _progress(opened[1], token)
    return render(request, "mailings/progress.html", {"progress": found})


@require_POST
def send_singly(request: HttpRequest, token: str) -> HttpResponse:
    """Send every held mail of the mailing singly."""
    return _decide(request, token, wiring.SEND_SINGLY)


@require_POST
def send_now(request: HttpRequest, token: str) -> HttpResponse:
    """End the undo window of the mailing: its copies leave."""
    return _decide(request, token, wiring.SEND_NOW)


@require_POST
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """Withdraw what is held of the mailing, and what has not left yet."""
    return _decide(request, token, wiring.WITHDRAW)


def _decide(
    request: HttpRequest, token: str, decision: wiring.Decision
) -> HttpResponse:
    """Decide as the sender; a link that was used before is told so (409)."""
    opened = _open(request, token)
    if isinstance(opened, HttpResponse):
        return opened
    found, sight = opened
    if not (sight.is_held or sight.is_leaving):
        return _used(request, token, sight)
    try:
        outcomes = decision.of(found.mailing_id, acting.actor_of_link(found))
    except CannotSendSingly as error:
        return pages.say(
            request,
            _("This mail cannot be sent singly"),
            error.message,
            _("Nothing was sent. You can still withdraw it."),
            status=409,
            way_on=reverse("links:link", args=[token]),
            way_on_text=_("Back to the mail"),
        )
    except NotYours:
        return _wrong(request)
    if not any(outcome.is_new for outcome in outcomes):
        return _used(request, token, sight)
    return redirect("links:link", token)


def _open(request: HttpRequest, token: str) -> Opened | HttpResponse:
    """The link and its mailing, or the page that says why there is none."""
    try:
        found = wiring.link_signer().open(token, timezone.now())
    except LinkWrong:
        return _wrong(request)
    except LinkExpired:
        return pages.say(
            request,
            _("This link has expired"),
            _("The mail can still be found after logging in, while it is kept."),
            status=410,
            way_on=reverse("accounts:log_in"),
            way_on_text=_("Go to the log-in page"),
        )
    view = desk.mailing(found.mailing_id)
    if view is None:
        return pages.say(
            request,
            _("This mail is no longer kept"),
            _("Its time of keeping is over, and everything of it was destroyed."),
            status=410,
        )
    sight = sight_of(
        view, name_of=_name_of, observed=passed_of(view), reader_is_sender=True
    )
    return found, sight


def _wrong(request: HttpRequest) -> HttpResponse:
    """404: a link that was cut off or changed."""
    return pages.say(
        request,
        _("This link is not complete"),
        _("Copy all of it from the notice, to its last letter, and try again."),
        status=404,
    )


def _used(request: HttpRequest, token: str, sight: Sight) -> HttpResponse:
    """409: this was decided before."""
    return pages.say(
        request,
        _("This was already decided"),
        *sight.outcome[:1],
        status=409,
        way_on=reverse("links:link", args=[token]),
        way_on_text=_("See what became of it"),
    )


def _progress(sight: Sight, token: str) -> Progress | None:
    """Where the copies are, in counts."""
    return progress_of(
        sight.copies,
        page=reverse("links:link", args=[token]),
        again=reverse("links:progress", args=[token]),
        leaves_at=sight.leaves_at,
        now=timezone.now(),
    )


def _name_of(actor: str) -> str:
    """Who decided, without a name: a link may be read by others than its owner."""
    return _("an approver") if acting.name_of(actor) else _("you")
