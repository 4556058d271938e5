# SPDX-License-Identifier: Apache-2.0
"""Who may see and do what; the tables of rights are ``store.rights``' (design 7).

A sender sees and decides their own mail and no other. Nobody releases their
own. A data protection officer and an auditor read all held mail and change nothing.
An administrator makes accounts and sees no mail.
"""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from undisclosed.store.models import Account
from undisclosed.store.rights import RIGHTS, Right, rights_of

__all__ = ["RIGHTS", "Right", "account_of", "requires", "rights_of", "to_log_in"]

P = ParamSpec("P")


def account_of(request: HttpRequest) -> Account:
    """The account that is logged in. Raises PermissionDenied where none is."""
    if not isinstance(request.user, Account):
        raise PermissionDenied
    return request.user


def requires(
    *any_of: Right,
) -> Callable[
    [Callable[Concatenate[HttpRequest, P], HttpResponse]],
    Callable[Concatenate[HttpRequest, P], HttpResponse],
]:
    """Let a view be seen only with one of these rights (403); log-in first.

    Without any right named, being logged in is enough.
    """

    def guard(
        view: Callable[Concatenate[HttpRequest, P], HttpResponse],
    ) -> Callable[Concatenate[HttpRequest, P], HttpResponse]:
        @wraps(view)
        def guarded(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            if not isinstance(request.user, Account):
                return to_log_in(request)
            if any_of and not rights_of(request.user).intersection(any_of):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return guard


def to_log_in(request: HttpRequest) -> HttpResponse:
    """The log-in page, which leads back here; a fragment reloads the whole page."""
    way_back = urlencode({"next": request.get_full_path()})
    where = f"{reverse('accounts:log_in')}?{way_back}"
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return redirect(where)
