# SPDX-License-Identifier: Apache-2.0
"""Who asks: an access token in the field Authorization (RFC 6750 §2.1).

Each question is counted against its token, because many questions about other people
are no way to write mail. Which web pages may ask from a browser is a setting (CORS,
the Fetch standard); a browser sends no cookie of ours with it.
"""

from collections.abc import Callable
from functools import wraps
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from undisclosed.console import wiring
from undisclosed.errors import TransientError
from undisclosed.store import journal, tokens
from undisclosed.store.tokens import AccessToken, Purpose

View = Callable[[HttpRequest, AccessToken], HttpResponse]

_ALLOWED_METHODS: Final = "POST, OPTIONS"
_ALLOWED_HEADERS: Final = "Authorization, Content-Type"
_REMEMBERED_SECONDS: Final = "600"


def problem(status: int, sentence: str, **fields: str) -> HttpResponse:
    """An answer that says why there is none."""
    return JsonResponse({"error": sentence}, status=status, headers=fields)


def with_token(view: View) -> Callable[[HttpRequest], HttpResponse]:
    """Let a view be asked by POST with an access token, and by OPTIONS without.

    No cookie is looked at, so no other site can ask in somebody's name: there is no
    form token to check (CSRF).
    """

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        try:
            response = _answer(view, request)
        except TransientError:
            response = problem(
                503, "The store is away for now.", **{"Retry-After": "60"}
            )
        return _to_origin(request, response)

    return guarded


def _answer(view: View, request: HttpRequest) -> HttpResponse:
    if request.method == "OPTIONS":
        return HttpResponse(status=204)
    if request.method != "POST":
        return problem(405, "Only POST is answered here.", Allow=_ALLOWED_METHODS)
    now = timezone.now()
    token = _token_of(request)
    if token is None:
        return problem(
            401, "A good access token is needed.", **{"WWW-Authenticate": "Bearer"}
        )
    asked, most = tokens.count(token.name, now), wiring.settings().api.checks_per_hour
    if asked.times > most:
        if asked.times == most + 1:
            journal.write("asked too often", actor="api", token=token.name)
        seconds = max(1, int((asked.again_at - now).total_seconds()))
        return problem(
            429,
            "This access token was used too often within an hour.",
            **{"Retry-After": str(seconds)},
        )
    return view(request, token)


def _token_of(request: HttpRequest) -> AccessToken | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    return tokens.find(token.strip(), Purpose.CHECK, timezone.now())


def _to_origin(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Tell a browser whether the page that asks may read the answer."""
    origin = request.headers.get("Origin")
    if origin in wiring.settings().api.origins:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Methods"] = _ALLOWED_METHODS
        response["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
        response["Access-Control-Max-Age"] = _REMEMBERED_SECONDS
    response["Vary"] = "Origin"
    return response
