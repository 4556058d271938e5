# SPDX-License-Identifier: Apache-2.0
"""The first page: what this is, where mail flows, and a case to replay."""

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from undisclosed.console import pages, wiring
from undisclosed.console.access import Right, account_of, requires, rights_of
from undisclosed.console.start import replay as case
from undisclosed.console.start.sending import ReplayRefused, send
from undisclosed.core.address import Address
from undisclosed.errors import TransientError
from undisclosed.store import crypto, desk, journal
from undisclosed.store.models import AccountAddress


@requires()
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What this is, where mail flows, and what to do first."""
    account, guard = account_of(request), wiring.settings().guard
    rights = rights_of(account)
    sees_all = Right.SEE_ALL in rights
    sees_postoffice = Right.SEE_POST_OFFICE in rights
    return render(
        request,
        "start/start.html",
        {
            "offers_replay": guard.next_hop is None and Right.REPLAY in rights,
            "sees_mailings": bool(rights & {Right.SEE_ALL, Right.SEE_OWN}),
            "sees_all": sees_all,
            "sees_postoffice": sees_postoffice,
            "held": desk.held_count(None if sees_all else account.address_hashes()),
            "caught": desk.caught_count() if sees_postoffice else 0,
            "guard_place": str(guard.listen),
            "next_hop": str(guard.next_hop),
        },
    )


@requires(Right.REPLAY)
@require_POST
def replay(request: HttpRequest) -> HttpResponse:
    """Send the case through the guard; whoever starts it is its sender."""
    guard = wiring.settings().guard
    if guard.next_hop is not None:
        return pages.say(
            request,
            _("There is no replay here"),
            _("A next hop is set, so mail would leave this machine. Nothing was sent."),
            status=409,
        )
    _own_the_sender(request)
    try:
        send(
            case.metropolitan_police(timezone.now()),
            host=guard.listen.host,
            port=guard.listen.port,
        )
    except (TransientError, ReplayRefused) as error:
        return pages.say(
            request,
            _("The replay stopped"),
            error.message,
            _taken_by_then(is_observed=guard.is_observing),
            status=503,
            way_on=reverse("start"),
            way_on_text=_("Back to the start"),
        )
    if guard.is_observing:
        return redirect("observed:list")
    newest = desk.mailings(senders=[crypto.address_hash(_sender())]).items
    if not newest:
        return redirect("mailings:list")
    return redirect("mailings:mailing", newest[0].mailing_id)


def _taken_by_then(*, is_observed: bool) -> str:
    """What became of the mails before the one at which the replay stopped."""
    if is_observed:
        return _("What had been taken by then has passed. Look whether the guard runs.")
    return _("What had been taken by then is held. Look whether the guard runs.")


def _own_the_sender(request: HttpRequest) -> None:
    """Make the replay's sender an address of whoever starts it, and journal that.

    The address is under a reserved domain, so nobody else's mail can be meant.
    """
    account, address = account_of(request), _sender()
    with transaction.atomic():
        AccountAddress.objects.get_or_create(
            account=account,
            address_hash=crypto.address_hash(address),
            defaults={"address_sealed": crypto.seal_address(address)},
        )
        journal.write("replay started", actor=str(account.pk))


def _sender() -> Address:
    """The replay's sender, as an address."""
    local_part, _at, domain = case.SENDER.partition("@")
    return Address(local_part, domain)
