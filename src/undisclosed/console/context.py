# SPDX-License-Identifier: Apache-2.0
"""What every template knows."""

from typing import Any

from django.http import HttpRequest

from undisclosed.console import wiring
from undisclosed.store.models import Account


def how_mail_flows(request: HttpRequest) -> dict[str, Any]:
    """Whether mail is only observed, and whether the post office catches all of it.

    Told to who is logged in, only.
    """
    is_inside = isinstance(getattr(request, "user", None), Account)
    guard = wiring.settings().guard
    return {
        "is_observing": is_inside and guard.is_observing,
        "catches_all": is_inside and guard.next_hop is None,
    }
