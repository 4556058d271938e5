# SPDX-License-Identifier: Apache-2.0
"""A campaign as its row says it, without its text."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from undisclosed.core.campaign import CampaignState, CheckFinding, MailKind
from undisclosed.errors import UndisclosedError
from undisclosed.store import campaign_findings

COLUMNS: Final = (
    "id, serial, team_id, name, state, kind, list_id, list_version, findings,"
    " checked_digest, digest, recipients, needs, created_by_id, submitted_by_id,"
    " created_at, updated_at, submitted_at, not_before, not_after, started_at,"
    " ended_at, per_minute, in_doubt, step, paused_because, hold_id, asked_at,"
    " reminders, check_wanted_at, checked_rows"
)
"""In the order of ``Campaign``'s fields."""


class NoSuchCampaign(UndisclosedError):
    """There is no such campaign."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign without its text: state, list, approvals wanted, times."""

    id: str
    serial: int
    team: object
    name: str
    state: CampaignState
    kind: MailKind
    list_id: str | None
    list_version: int
    findings: tuple[CheckFinding, ...]
    checked_digest: bytes | None = field(repr=False)
    digest: bytes | None = field(repr=False)
    recipients: int
    needs: tuple[str, ...]
    created_by: object
    submitted_by: object | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    not_before: datetime | None
    not_after: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    per_minute: int
    in_doubt: str
    step: int
    paused_because: str
    hold_id: str
    asked_at: datetime | None = None
    reminders: int = 0
    check_wanted_at: datetime | None = None
    checked_rows: int = 0


def read_campaign(row: Sequence[Any] | None, campaign_id: str) -> Campaign:
    """The campaign that a row of ``COLUMNS`` says. Raises NoSuchCampaign."""
    if row is None:
        raise NoSuchCampaign(campaign=campaign_id)
    names = Campaign.__dataclass_fields__
    values = dict(zip(names, row, strict=True))
    values["state"] = CampaignState(values["state"])
    values["kind"] = MailKind(values["kind"])
    values["findings"] = campaign_findings.load(values["findings"])
    values["needs"] = tuple(campaign_findings.loaded(values["needs"]))
    for name in ("digest", "checked_digest"):
        values[name] = bytes(values[name]) if values[name] is not None else None
    return Campaign(**values)
