# SPDX-License-Identifier: Apache-2.0
"""Starting, scheduling, pausing and ending a campaign; what is in doubt."""

from collections.abc import Callable
from datetime import datetime
from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from undisclosed.console.access import requires
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.campaigns import views, wiring
from undisclosed.console.campaigns.forms import ReasonForm, ScheduleForm
from undisclosed.console.campaigns.opening import demand, opened, taken
from undisclosed.console.campaigns.rights import May, may
from undisclosed.core.campaign import CampaignState
from undisclosed.send import proof as proofs
from undisclosed.store import campaigns, seeds
from undisclosed.store import doubt as doubt_store
from undisclosed.store.database import transaction

BY_HAND = "Paused by hand."


@requires()
@require_POST
def start(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Begin to send: one message, then ten, then all.

    The ledger of a long list is written by a worker: then it is scheduled for now.
    """
    found, _account = opened(request, campaign_id)
    is_short = found.recipients <= wiring.AT_ONCE
    begin = campaigns.start if is_short else _begin_soon
    return _step(request, campaign_id, begin, lambda allowed: allowed.send)


def _begin_soon(campaign_id: str, *, by: object, now: datetime) -> None:
    campaigns.schedule(campaign_id, now, by=by, now=now)


@requires()
@require_POST
def schedule(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Let it begin by itself, in the organisation's time zone."""
    found, account = opened(request, campaign_id)
    form, now = ScheduleForm(request.POST), timezone.now()
    demand(may(account, found, now).send)
    if not form.is_valid():
        return views.page_of(request, campaign_id, status=400, schedule_form=form)
    wanted = form.cleaned_data
    return taken(
        request,
        campaign_id,
        lambda: campaigns.schedule(
            campaign_id,
            wanted["not_before"],
            not_after=wanted["not_after"],
            by=account.pk,
            now=now,
        ),
    )


@requires()
@require_POST
def pause(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Stop at once: what is not begun does not leave."""

    def by_hand(campaign_id: str, **more: object) -> None:
        campaigns.pause(campaign_id, BY_HAND, **more)  # type: ignore[arg-type]

    return _step(request, campaign_id, by_hand, lambda allowed: allowed.stop)


@requires()
@require_POST
def resume(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Go on."""
    return _step(request, campaign_id, campaigns.resume, lambda allowed: allowed.send)


@requires()
@require_POST
@asked_on_post
def accept_seeds(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Answer for seeds that came back otherwise than they left, and go on."""
    found, account = opened(request, campaign_id)
    now, form = timezone.now(), ReasonForm(request.POST)
    demand(may(account, found, now).send)
    if not form.is_valid():
        messages.error(request, _("Nothing was changed: a reason is needed."))
        return redirect("campaigns:campaign", campaign_id)
    reason = form.cleaned_data["reason"]

    def accept() -> None:
        with transaction():
            seeds.accept(campaign_id, reason, by=account.pk, now=now)
            campaigns.resume(campaign_id, by=account.pk, now=now)

    return taken(request, campaign_id, accept)


@requires()
@require_POST
def cancel(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """End it: what was not begun is never tried."""
    return _step(request, campaign_id, campaigns.cancel, lambda allowed: allowed.cancel)


@requires()
@require_POST
def proof(request: HttpRequest, campaign_id: str) -> HttpResponse:
    """Who approved what, and what became of each message: a file that proves it."""
    found, account = opened(request, campaign_id)
    if found.started_at is None or campaigns.text_of(campaign_id) is None:
        raise Http404
    pieces = proofs.bundle(campaign_id, by=account.pk, now=timezone.now())
    name = f'attachment; filename="proof-{campaign_id}.zip"'
    answer = StreamingHttpResponse(
        pieces,
        content_type="application/zip",
        headers={"Content-Disposition": name},
    )
    # It is one to Django's handlers, though not to its types.
    return cast(HttpResponse, answer)


@requires()
@require_POST
def doubt(request: HttpRequest, campaign_id: str, how: str) -> HttpResponse:
    """Decide all that is in doubt: send it again, or take it as sent; and go on."""
    if how not in doubt_store.POLICIES:
        raise Http404
    found, account = opened(request, campaign_id)
    now = timezone.now()
    demand(may(account, found, now).send)

    def decide() -> None:
        is_again = how == "resend"
        with transaction():
            number = doubt_store.decide(
                campaign_id, resend=is_again, by=account.pk, now=now
            )
            if found.state is CampaignState.PAUSED:
                campaigns.resume(campaign_id, by=account.pk, now=now)
        messages.success(request, _("Decided for %(number)s.") % {"number": number})

    return taken(request, campaign_id, decide)


def _step(
    request: HttpRequest,
    campaign_id: str,
    step: Callable[..., object],
    allows: Callable[[May], bool],
) -> HttpResponse:
    found, account = opened(request, campaign_id)
    now = timezone.now()
    demand(allows(may(account, found, now)))
    return taken(
        request, campaign_id, lambda: step(campaign_id, by=account.pk, now=now)
    )
