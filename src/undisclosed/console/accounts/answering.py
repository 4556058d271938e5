# SPDX-License-Identifier: Apache-2.0
"""Being asked by the organisation's own server, for whoever comes in by it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.views.decorators.http import require_safe

from undisclosed.console.access import account_of, requires
from undisclosed.console.accounts import again, openid


@requires()
@require_safe
def organisation(request: HttpRequest) -> HttpResponse:
    """The way to that server; and, once it answered, on to what was asked for."""
    if not openid.may_ask(account_of(request)):
        raise Http404
    wanted = request.GET.get("next", "")
    if not url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}):
        wanted = reverse("start")
    is_answered = again.is_recent(request)
    if is_answered and not again.waits_for(request, wanted):
        return redirect(wanted)
    back = f"{reverse('accounts:again')}?{urlencode({'next': wanted})}"
    return render(
        request,
        "accounts/organisation.html",
        {
            "is_answered": is_answered,
            "wanted": wanted,
            "server": openid.name(),
            "way": openid.way_to_ask(back),
        },
    )
