# SPDX-License-Identifier: Apache-2.0
"""Being asked again: an act that counts is not done at a desk that was left."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from allauth.account.internal.flows.reauthentication import (
    raise_if_reauthentication_required,
)
from django.http import HttpRequest, HttpResponse

P = ParamSpec("P")
_View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def asked_on_post(view: _View[P]) -> _View[P]:
    """Ask who is there before a POST, unless it was answered minutes ago.

    The act is done once it was answered. Put it below ``requires``.
    """

    @wraps(view)
    def asking(
        request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        if request.method == "POST":
            raise_if_reauthentication_required(request, app="console")
        return view(request, *args, **kwargs)

    return asking
