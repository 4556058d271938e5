# SPDX-License-Identifier: Apache-2.0
"""The page behind a message's link to unsubscribe. GET shows; only POST acts.

Anybody may come here, without a log-in, a cookie or JavaScript: a person by the link,
their mailbox provider by a POST in their name (RFC 8058 §3.2), which is answered
without a redirect. Whoever has the token may end marketing to its person, and nothing
else; so no form needs a token against forgery. The page tells nothing about anybody.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from undisclosed.console import pages, wiring
from undisclosed.send import unsubscribe as sending


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask; or do it, as often as it is asked for."""
    tokens = wiring.send_tokens()
    if request.method == "POST":
        is_done = sending.unsubscribe(tokens, token, timezone.now())
        return _done(request) if is_done else _wrong(request)
    if sending.subscriber(tokens, token) is None:
        return _wrong(request)
    return render(request, "unsubscribe/unsubscribe.html")


def _done(request: HttpRequest) -> HttpResponse:
    return pages.say(
        request,
        _("You are unsubscribed"),
        _("We send you no more newsletters or advertising."),
        _("What concerns you yourself, such as an answer or a warning, still comes."),
    )


def _wrong(request: HttpRequest) -> HttpResponse:
    """404: a link that was cut off or changed, or whose message is long gone."""
    return pages.say(
        request,
        _("This link is not complete"),
        _("Copy all of it from the message, to its last letter, and try again."),
        _("Or answer the message: a person reads what comes back."),
        status=404,
    )
