# SPDX-License-Identifier: Apache-2.0
"""What the checks of a campaign found, as its row keeps it (JSON)."""

import json
from collections.abc import Sequence
from typing import Any, Final

from undisclosed.core.campaign import CheckFinding, Weight
from undisclosed.store.database import Connection

_OVERRIDES: Final = (
    "SELECT check_name FROM store_override WHERE campaign_id = %s AND digest = %b"
)


def facts(found: CheckFinding) -> dict[str, object]:
    """A finding as plain values: for the row, and for what approvals are bound to."""
    return {
        "check": found.check,
        "weight": found.weight.value,
        "text": found.text,
        "place": found.place,
        "rows": list(found.rows),
        "count": found.count,
    }


def dump(findings: Sequence[CheckFinding]) -> str:
    """Findings as they are kept."""
    return json.dumps([facts(one) for one in findings], ensure_ascii=False)


def are_open(
    connection: Connection,
    campaign_id: str,
    digest: bytes,
    findings: Sequence[CheckFinding],
) -> bool:
    """Whether one of these stands against the campaign: nobody answers for it."""
    rows = connection.all(_OVERRIDES, (campaign_id, digest))
    answered = {row[0] for row in rows}
    return any(
        one.weight is Weight.STOP
        or (one.weight is Weight.OVERRIDE and one.check not in answered)
        for one in findings
    )


def loaded(kept: Any) -> Any:
    """A value of a JSON column, whether or not the connection has read it already."""
    return json.loads(kept) if isinstance(kept, str) else kept


def load(kept: Any) -> tuple[CheckFinding, ...]:
    """Findings again."""
    return tuple(
        CheckFinding(
            one["check"],
            Weight(one["weight"]),
            one["text"],
            one["place"],
            tuple(one["rows"]),
            one["count"],
        )
        for one in loaded(kept)
    )
