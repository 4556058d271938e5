# SPDX-License-Identifier: Apache-2.0
"""The page behind a message's link to unsubscribe. GET shows; only POST acts.

Anybody may come here, without a log-in, a cookie or JavaScript: a person by the link,
their mailbox provider by a POST in their name (RFC 8058 §3.2), which is answered
without a redirect. Whoever has the token may end marketing to its person, and nothing
else; so no form needs a token against forgery. The page tells nothing about anybody,
neither the person nor who of ours is logged in, and speaks for the organisation.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from undisclosed.console import wiring
from undisclosed.console.unsubscribe import wording
from undisclosed.send import unsubscribe as sending


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Ask; or do it, as often as it is asked for."""
    tokens, words = wiring.send_tokens(), wiring.settings().send.unsubscribe
    if request.method == "POST":
        if sending.unsubscribe(tokens, token, timezone.now()):
            return _say(request, wording.done(words))
    elif sending.delivery_of(tokens, token) is not None:
        return _say(request, wording.asking(words))
    return _say(request, wording.wrong(words), status=404)


def _say(
    request: HttpRequest, page: wording.Page, *, status: int = 200
) -> HttpResponse:
    answer = render(request, "unsubscribe/page.html", {"page": page}, status=status)
    answer["Content-Language"] = page.language
    return answer
