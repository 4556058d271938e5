# SPDX-License-Identifier: Apache-2.0
"""Observed mail: what the guard would have held, and let pass."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from undisclosed.console.access import Right, requires
from undisclosed.console.observed.entries import entries


@requires(Right.SEE_ALL)
@require_safe
def observed(request: HttpRequest) -> HttpResponse:
    """The list of observed mail, newest first."""
    page = entries(request.GET.get("page"))
    return render(request, "observed/list.html", {"page": page})
