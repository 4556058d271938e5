# SPDX-License-Identifier: Apache-2.0
"""Being asked again: an act that counts is not done at a desk that was left.

What was filled in waits in the session, sealed, since it may hold addresses and
reasons. Once the question is answered the browser is sent back to the very page of the
act (307, RFC 9110 §15.4.8), which takes up what waits: it is checked, journalled and
shown as if nothing had been asked. A log-in counts as an answer.
"""

import base64
import json
import time
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.flows.reauthentication import STATE_SESSION_KEY
from allauth.account.utils import get_next_redirect_url
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from undisclosed.console import pages, wiring
from undisclosed.console.access import account_of
from undisclosed.errors import UndisclosedError
from undisclosed.store import crypto

P = ParamSpec("P")
_View = Callable[Concatenate[HttpRequest, P], HttpResponse]

_WAITS: Final = "waits for an answer"
_PURPOSE: Final = "asked again"
_LONGEST: Final = 30 * 60
"""Seconds for which an act waits: who answers later begins anew."""


def asked_on_post(view: _View[P]) -> _View[P]:
    """Ask who is there before a POST, unless it was answered minutes ago.

    Put it below ``requires``.
    """

    @wraps(view)
    def asking(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        if request.method == "POST" and (first := before(request)) is not None:
            return first
        return view(request, *args, **kwargs)

    return asking


def before(request: HttpRequest) -> HttpResponse | None:
    """What comes before an act, if anything; otherwise what waited is taken up."""
    if not is_recent(request):
        return ask(request)
    return _take_up(request) if request.method == "POST" else None


def is_recent(request: HttpRequest) -> bool:
    """Whether they logged in or answered a short time ago, or cannot be asked."""
    if not get_adapter().get_reauthentication_methods(request.user):
        return True
    since = time.time() - wiring.settings().console.ask_again_after.total_seconds()
    records = get_authentication_records(request, request.user)
    return any(float(one.get("at", 0)) > since for one in records if _counts(one))


def _counts(record: dict[str, Any]) -> bool:
    # A log-in elsewhere may have been given without a question: only when we
    # demanded one is it an answer.
    return record["method"] != "socialaccount" or bool(record.get("reauthenticated"))


def ask(request: HttpRequest) -> HttpResponse:
    """Lead to the question; a POST waits for its answer."""
    request.session.pop(STATE_SESSION_KEY, None)
    request.session.pop(_WAITS, None)
    wanted = request.get_full_path()
    if request.method == "POST":
        wanted = request.path
        request.session[_WAITS] = _sealed(request)
        request.session[STATE_SESSION_KEY] = {
            "state": {"path": wanted},
            "callback": f"{__name__}.{go_on.__name__}",
        }
    way = get_adapter().get_reauthentication_methods(request.user)[0]["url"]
    return redirect(f"{way}?{urlencode({'next': wanted})}")


def go_on(request: HttpRequest, state: dict[str, Any]) -> HttpResponse:
    """After the answer: the act that it was asked for, and no other."""
    wanted = get_next_redirect_url(request)
    if wanted == state["path"]:
        return HttpResponseRedirect(wanted, preserve_request=True)
    request.session.pop(_WAITS, None)
    return redirect(wanted or "start")


def waits_for(request: HttpRequest, path: str) -> bool:
    """Whether an act on this page waits for an answer."""
    waiting = _opened(request, request.session.get(_WAITS))
    return waiting is not None and waiting["path"] == path


def _take_up(request: HttpRequest) -> HttpResponse | None:
    """Put what waits in the place of the answer's own fields."""
    is_answer = request.POST.get("next") == request.path
    kept = request.session.pop(_WAITS, None) if _WAITS in request.session else None
    if not is_answer:
        return None
    waiting = _opened(request, kept)
    if waiting is None or waiting["path"] != request.path:
        return pages.say(
            request,
            _("Nothing waits here any more"),
            _("It was done already, or you answered too late. Look, and begin anew."),
            status=409,
        )
    request.GET = QueryDict(waiting["query"])
    request.POST = QueryDict(waiting["form"])
    return None


def _sealed(request: HttpRequest) -> str:
    act = {
        "at": time.time(),
        "path": request.path,
        "query": request.GET.urlencode(),
        "form": request.POST.urlencode(),
    }
    content = json.dumps(act).encode()
    sealed = crypto.keys().seal(_PURPOSE, content, _context(request))
    return base64.b64encode(sealed).decode()


def _opened(request: HttpRequest, sealed: str | None) -> dict[str, Any] | None:
    """What waits, unless it has waited too long or is somebody else's."""
    if sealed is None:
        return None
    try:
        content = crypto.keys().open(
            _PURPOSE, base64.b64decode(sealed), _context(request)
        )
    except UndisclosedError:
        return None
    act: dict[str, Any] = json.loads(content)
    return act if time.time() - act["at"] < _LONGEST else None


def _context(request: HttpRequest) -> str:
    return f"account/{account_of(request).pk}"
