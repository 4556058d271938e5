# SPDX-License-Identifier: Apache-2.0
"""What every template knows."""

from typing import Any

from django.http import HttpRequest

from undisclosed.console import wiring
from undisclosed.console.access import rights_of


def where_mail_flows(request: HttpRequest) -> dict[str, Any]:
    """Whether the post office catches all mail; told to who is logged in, only."""
    is_inside = bool(rights_of(getattr(request, "user", None)))
    return {"catches_all": is_inside and wiring.settings().guard.next_hop is None}
