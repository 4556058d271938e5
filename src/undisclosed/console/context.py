# SPDX-License-Identifier: Apache-2.0
"""What every template knows: how mail flows, and what is an alarm."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from undisclosed.console import wiring
from undisclosed.console.access import Right, rights_of
from undisclosed.store import bypass, desk
from undisclosed.store.models import Account


def how_mail_flows(request: HttpRequest) -> dict[str, Any]:
    """Whether mail is only observed, and whether the post office catches all of it.

    Told to who is logged in, only.
    """
    user = getattr(request, "user", None)
    is_inside = isinstance(user, Account)
    guard = wiring.settings().guard
    return {
        **_alarms(user),
        "is_observing": is_inside and guard.is_observing,
        "catches_all": is_inside and guard.next_hop is None,
    }


def _alarms(user: object) -> dict[str, Any]:
    """A bypass that is on, and held mail that waits too long, for who reads it all."""
    if Right.SEE_ALL not in rights_of(user):
        return {}
    now = timezone.now()
    on = bypass.active()
    _count, oldest = desk.waiting(now)
    is_alarm = oldest >= wiring.settings().holds.alarm_after and oldest > timedelta(0)
    return {
        "bypass": on and {"ends_at": on.ends_at, "is_overdue": on.is_overdue(now)},
        "waits_too_long": round(oldest / timedelta(hours=1)) if is_alarm else 0,
    }
