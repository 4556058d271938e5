# SPDX-License-Identifier: Apache-2.0
"""Visible-mail control: who is under it, putting somebody there, lifting it."""

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from undisclosed.console import acting, pages
from undisclosed.console.access import Right, account_of, requires, rights_of
from undisclosed.console.accounts.again import asked_on_post
from undisclosed.console.control.forms import ControlForm
from undisclosed.core.address import Address
from undisclosed.guard.notices import without_others
from undisclosed.store import control as control_store
from undisclosed.store import crypto, desk
from undisclosed.store.models import AccountAddress


@requires(Right.SEE_ALL)
@require_http_methods(["GET", "HEAD", "POST"])
@asked_on_post
def control(request: HttpRequest) -> HttpResponse:
    """Everybody under control; POST puts a person there."""
    may_impose = Right.DECLARE in rights_of(account_of(request))
    if request.method == "POST" and not may_impose:
        raise PermissionDenied
    mailing_id = request.GET.get("mailing", "")
    form = ControlForm(request.POST or None, initial={"mailing": mailing_id})
    if request.method == "POST" and form.is_valid() and _impose(request, form):
        return redirect("control:list")
    now = timezone.now()
    return render(
        request,
        "control/list.html",
        {
            "rows": [
                {"control": each, "by": acting.name_of(each.by)}
                for each in control_store.active(now)
            ],
            "form": form,
            "may_impose": may_impose,
            "sender": _sender_of(form["mailing"].value() or ""),
        },
        status=400 if form.errors else 200,
    )


def _impose(request: HttpRequest, form: ControlForm) -> bool:
    """Put the person under control; False with the form's error set."""
    wanted, now = form.cleaned_data, timezone.now()
    addresses = set(wanted["addresses"])
    sender = _sender_of(wanted["mailing"])
    if sender is not None:
        addresses.add(sender)
    account = account_of(request)
    if addresses & acting.actor_of(account).addresses:
        form.add_error(None, _("Nobody decides about their own mail."))
        return False
    try:
        control_store.impose(
            _of_persons(addresses),
            reason=without_others(wanted["reason"]),
            by=str(account.pk),
            until=now + timedelta(days=wanted["days"]),
            now=now,
        )
    except control_store.ControlRefused:
        form.add_error("addresses", _("Write whom you mean, and why."))
        return False
    return True


def _sender_of(mailing_id: str) -> Address | None:
    view = desk.mailing(mailing_id) if mailing_id else None
    return view.sender if view is not None else None


def _of_persons(addresses: Iterable[Address]) -> set[Address]:
    """These addresses, and those that are verified as the same account's.

    A shared mailbox has several accounts: their other addresses are not meant.
    """
    everything = set(addresses)
    for address in addresses:
        owners = AccountAddress.objects.filter(
            address_hash=crypto.address_hash(address)
        ).values_list("account_id", flat=True)
        if len(owners) == 1:
            everything.update(
                crypto.open_address(bytes(sealed))
                for sealed in AccountAddress.objects.filter(
                    account_id=owners[0]
                ).values_list("address_sealed", flat=True)
            )
    return everything


@requires(Right.DECLARE)
@require_POST
@asked_on_post
def lift(request: HttpRequest, control_id: str) -> HttpResponse:
    """Lift a control before its time; nobody lifts their own."""
    account, now = account_of(request), timezone.now()
    own = acting.actor_of(account).addresses
    for each in control_store.active(now):
        if each.id == control_id and not own.isdisjoint(each.addresses):
            raise PermissionDenied
    if not control_store.lift(control_id, by=str(account.pk), now=now):
        return pages.say(request, _("This control is over already"), status=409)
    return redirect("control:list")
