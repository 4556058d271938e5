# SPDX-License-Identifier: Apache-2.0
"""What Amazon SES writes instead of reports: one JSON object (RFC 8259) in the text.

Its notices come through Amazon SNS, also as mail. Read leniently: the object is found
at the beginning of the text, line breaks that mail put into its strings are no fault,
and what is missing is empty. Never raises.
"""

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from undisclosed.formats.dsn import DeliveryAction
from undisclosed.formats.dsn_reading import ReportedRecipient

LONGEST: Final = 64 * 1024
"""Characters of a text that are read."""

MOST_RECIPIENTS: Final = 1_000

_DECODER: Final = json.JSONDecoder(strict=False)


class SesEvent(StrEnum):
    """What a notice tells of."""

    BOUNCE = "Bounce"
    COMPLAINT = "Complaint"
    DELIVERY = "Delivery"


@dataclass(frozen=True, slots=True)
class SesNotice:
    """One notice: what happened, and to whom where it is a bounce."""

    event: SesEvent
    recipients: tuple[ReportedRecipient, ...] = field(default=(), repr=False)


def read_ses_notice(text: str) -> SesNotice | None:
    """Read a notice; None where the text is none, or tells of something else."""
    text = text[:LONGEST].lstrip()
    if not text.startswith("{"):
        return None
    try:
        told, _end = _DECODER.raw_decode(text)
        event = SesEvent(told.get("notificationType") or told.get("eventType"))
    except (ValueError, RecursionError):
        return None
    if event is not SesEvent.BOUNCE:
        return SesNotice(event)
    bounce = told.get("bounce")
    named = bounce.get("bouncedRecipients") if isinstance(bounce, dict) else None
    people = named if isinstance(named, list) else []
    groups = [one for one in people[:MOST_RECIPIENTS] if isinstance(one, dict)]
    return SesNotice(event, tuple(map(_recipient, groups)))


def _recipient(group: dict[str, Any]) -> ReportedRecipient:
    return ReportedRecipient(
        final=_text(group, "emailAddress"),
        action=DeliveryAction.FAILED,
        status=_text(group, "status"),
        diagnostic=_text(group, "diagnosticCode").partition(";")[2].strip(),
    )


def _text(group: dict[str, Any], name: str) -> str:
    found = group.get(name)
    return found if isinstance(found, str) else ""
