# SPDX-License-Identifier: Apache-2.0
"""Campaigns in the tables: every step in one transaction with its journal entry.

The states are those of ``core.campaign``. An approval is bound to one digest, and the
database itself refuses it to whoever made or submitted the campaign. Who may do what
is for whoever calls this to ask; that nobody approves their own is not.
"""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import psycopg

from undisclosed.core.campaign import (
    Attached,
    CampaignEvent,
    CampaignState,
    CheckFinding,
    MailKind,
    NoSuchStep,
    Weight,
    campaign_after,
)
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.store import (
    campaign_approved,
    campaign_files,
    campaign_findings,
    crypto,
    jobs,
    journal,
    ledger,
    trial,
)
from undisclosed.store.campaign_values import (
    COLUMNS,
    Campaign,
    NoSuchCampaign,
    read_campaign,
)
from undisclosed.store.crypto import DataKey
from undisclosed.store.database import Connection, database, transaction
from undisclosed.store.progress import Deed, told

__all__ = [
    "AlreadyDecided",
    "Campaign",
    "FindingsOpen",
    "NoSuchCampaign",
    "NotComplete",
    "NotNeeded",
    "NotTheSame",
    "OwnCampaign",
    "RefusedAsItIs",
    "approve",
    "approved_text_of",
    "cancel",
    "change",
    "checked",
    "consents",
    "create",
    "due",
    "explain",
    "files_of",
    "finish",
    "get",
    "next_step",
    "override",
    "pause",
    "reject",
    "resume",
    "schedule",
    "start",
    "submit",
    "text_of",
]

_CREATE: Final = """
INSERT INTO store_campaign (
    id, serial, team_id, name, state, kind, list_version, data_key, findings,
    recipients, needs, created_by_id, created_at, updated_at, per_minute, in_doubt,
    step, paused_because, hold_id
) VALUES (%s, nextval('store_campaign_serial'), %s, %s, 'draft', %s, 0, %b, '[]',
          0, '[]', %s, %s, %s, 0, 'ask', 1, '', %s)
"""
_GET: Final = f"SELECT {COLUMNS} FROM store_campaign WHERE id = %s"  # noqa: S608
_LOCK: Final = f"{_GET} FOR UPDATE"
_KEY: Final = (
    "SELECT data_key, draft_sealed, approved_sealed FROM store_campaign WHERE id = %s"
)
_STATE: Final = (
    "UPDATE store_campaign SET state = %s, updated_at = %s, paused_because = %s"
    " WHERE id = %s"
)
_CHANGED: Final = """
UPDATE store_campaign SET digest = NULL, checked_digest = NULL, findings = '[]',
       needs = '[]', submitted_by_id = NULL, submitted_at = NULL,
       check_wanted_at = NULL, check_by_id = NULL
 WHERE id = %s
"""
_LIST: Final = """
UPDATE store_campaign c SET list_id = l.id, list_version = l.version,
       recipients = l.mailed
  FROM store_recipientlist l
 WHERE c.id = %s AND l.id = %s AND l.team_id = c.team_id
   AND l.destroyed_at IS NULL
"""
_APPROVE: Final = """
INSERT INTO store_approval (
    campaign_id, digest, role, account_id, is_consent, reason_sealed, at
) VALUES (%s, %b, %s, %s, %s, %b, %s)
"""
_CONSENTS: Final = (
    "SELECT role, account_id, at FROM store_approval"
    " WHERE campaign_id = %s AND digest = %b AND is_consent ORDER BY at"
)
_REFUSED: Final = (
    "SELECT 1 FROM store_approval"
    " WHERE campaign_id = %s AND digest = %b AND NOT is_consent LIMIT 1"
)
_OVERRIDE: Final = """
INSERT INTO store_override (
    campaign_id, digest, check_name, account_id, reason_sealed, at
) VALUES (%s, %b, %s, %s, %b, %s)
"""
_NEXT_STEP: Final = "UPDATE store_campaign SET step = %s WHERE id = %s AND step = %s"
_EXPLAIN: Final = (
    "UPDATE store_campaign SET paused_because = %s"
    " WHERE id = %s AND state = 'scheduled' AND paused_because <> %s"
)
_ENDED: Final = "UPDATE store_campaign SET ended_at = %s WHERE id = %s"
_DUE: Final = """
SELECT id FROM store_campaign
 WHERE state = 'sending' OR (state = 'scheduled' AND not_before <= %s)
 ORDER BY started_at NULLS FIRST, id
"""


class NotTheSame(UndisclosedError):
    """The campaign was changed meanwhile: look at it again before you decide."""


class OwnCampaign(UndisclosedError):
    """Nobody approves a campaign that they made or submitted themselves."""


class AlreadyDecided(UndisclosedError):
    """You have decided about this version already: another person has to."""


class NotNeeded(UndisclosedError):
    """This campaign does not wait for an approval in this role."""


class FindingsOpen(UndisclosedError):
    """A finding of the checks stands against this campaign."""


class RefusedAsItIs(UndisclosedError):
    """It was refused exactly as it is: change what was objected to first."""


class NotComplete(UndisclosedError):
    """The campaign needs a text and a list with people to be mailed."""


def create(
    name: str,
    *,
    team: object,
    kind: MailKind,
    by: object,
    now: datetime,
    hold_id: str = "",
) -> str:
    """Make an empty draft; its id. ``team`` and ``by`` are ids."""
    campaign_id = secrets.token_hex(16)
    _, wrapped = crypto.keys().new_data_key(f"campaign/{campaign_id}")
    values = (campaign_id, team, name, kind.value, wrapped, by, now, now, hold_id)
    with transaction() as connection:
        connection.run(_CREATE, values)
        _write(connection, "campaign made", by, now, campaign=campaign_id, hold=hold_id)
    return campaign_id


def get(campaign_id: str) -> Campaign:
    """One campaign. Raises NoSuchCampaign."""
    with database() as connection:
        return read_campaign(connection.one(_GET, (campaign_id,)), campaign_id)


def text_of(campaign_id: str) -> bytes | None:
    """The draft as it was kept (JSON, ``send.draft``); None where none was written."""
    return _text(campaign_id, 1)


def approved_text_of(campaign_id: str) -> bytes | None:
    """The draft as somebody last approved it; None where nobody ever did."""
    return _text(campaign_id, 2)


def _text(campaign_id: str, column: int) -> bytes | None:
    with database() as connection:
        row = connection.one(_KEY, (campaign_id,))
    if row is None:
        raise NoSuchCampaign(campaign=campaign_id)
    if row[column] is None:
        return None
    key = _key(campaign_id, row[0])
    return key.open(bytes(row[column]), f"draft/{campaign_id}")


def files_of(campaign_id: str) -> tuple[Attached, ...]:
    """The files that go with it, opened. Raises NoSuchCampaign."""
    with database() as connection:
        row = connection.one(_KEY, (campaign_id,))
        if row is None:
            raise NoSuchCampaign(campaign=campaign_id)
        return campaign_files.read(connection, campaign_id, _key(campaign_id, row[0]))


def change(
    campaign_id: str,
    *,
    by: object,
    now: datetime,
    text: bytes | None = None,
    files: Sequence[Attached] | None = None,
    list_id: str | None = None,
    settings: Mapping[str, object] | None = None,
) -> CampaignState:
    """Change a draft, its files, its list or its settings; None leaves as it was.

    ``settings``: ``name``, ``kind``, ``per_minute``, ``in_doubt``. Checks and
    approvals are void then. Raises NoSuchCampaign and NoSuchStep.
    """
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        state = _step(connection, found, CampaignEvent.CHANGE, by, now)
        connection.run(_CHANGED, (campaign_id,))
        connection.run(_AUTHOR, (campaign_id, str(by)))
        if text is not None or files is not None:
            row = connection.one(_KEY, (campaign_id,))
            key = _key(campaign_id, row[0] if row else None)
            if text is not None:
                sealed = key.seal(text, f"draft/{campaign_id}")
                connection.run(
                    "UPDATE store_campaign SET draft_sealed = %b WHERE id = %s",
                    (sealed, campaign_id),
                )
            if files is not None:
                campaign_files.replace(connection, campaign_id, key, files)
        if (
            list_id is not None
            and not connection.run(_LIST, (campaign_id, list_id)).rowcount
        ):
            raise NotComplete(campaign=campaign_id)
        for name, value in (settings or {}).items():
            connection.run(_SETTINGS[name], (value, campaign_id))
    return state


_AUTHOR: Final = """
INSERT INTO store_campaignauthor (campaign_id, account_id)
SELECT %s, id FROM store_account WHERE id::text = %s ON CONFLICT DO NOTHING
"""

_SETTINGS: Final = {
    name: f"UPDATE store_campaign SET {name} = %s WHERE id = %s"  # noqa: S608
    for name in ("name", "kind", "per_minute", "in_doubt")
}


def checked(
    campaign_id: str,
    digest: bytes,
    findings: Sequence[CheckFinding],
    *,
    by: object,
    now: datetime,
) -> CampaignState:
    """Record what the checks found over exactly this. Raises as ``change`` does."""
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        state = _step(connection, found, CampaignEvent.CHECK, by, now)
        connection.run(
            "UPDATE store_campaign SET checked_digest = %b, findings = %s::jsonb,"
            " check_wanted_at = NULL WHERE id = %s",
            (digest, campaign_findings.dump(findings), campaign_id),
        )
    return state


def override(
    campaign_id: str, check: str, reason: str, *, by: object, now: datetime
) -> None:
    """Answer for the findings of a check, with a reason. Raises FindingsOpen."""
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        if found.state is not CampaignState.CHECKED:
            raise NoSuchStep(state=found.state.value, step="override")
        own = [one for one in found.findings if one.check == check]
        stops = any(one.weight is Weight.STOP for one in own)
        if not own or stops or not reason.strip() or found.checked_digest is None:
            raise FindingsOpen(check=check)
        sealed = _reason(reason, campaign_id)
        values = (campaign_id, found.checked_digest, check, by, sealed, now)
        connection.run(_OVERRIDE, values)
        connection.run(_AUTHOR, (campaign_id, str(by)))
        _write(
            connection, "finding overridden", by, now, campaign=campaign_id, check=check
        )


def submit(
    campaign_id: str,
    digest: bytes,
    needs: Sequence[str],
    *,
    by: object,
    now: datetime,
) -> CampaignState:
    """Ask for the approvals that are needed, for exactly this digest.

    Where none is needed it is approved with that. Raises NotTheSame, FindingsOpen,
    NotComplete, RefusedAsItIs, TrialOnly and NoSuchStep.
    """
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        if found.checked_digest is None or found.checked_digest != digest:
            raise NotTheSame(campaign=campaign_id)
        if not found.recipients:
            raise NotComplete(campaign=campaign_id)
        if campaign_findings.are_open(connection, campaign_id, digest, found.findings):
            raise FindingsOpen(campaign=campaign_id)
        if connection.one(_REFUSED, (campaign_id, digest)) is not None:
            raise RefusedAsItIs(campaign=campaign_id)
        trial.refuse(connection, campaign_id, now)
        state = _step(connection, found, CampaignEvent.SUBMIT, by, now)
        connection.run(_AUTHOR, (campaign_id, str(by)))
        connection.run(
            "UPDATE store_campaign SET digest = %b, needs = %s::jsonb, asked_at = NULL,"
            " reminders = 0, submitted_by_id = %s, submitted_at = %s WHERE id = %s",
            (digest, json.dumps(list(needs)), by, now, campaign_id),
        )
        if not needs:
            submitted = replace(found, state=state)
            return _step(connection, submitted, CampaignEvent.APPROVE, by, now)
    return state


def approve(
    campaign_id: str, digest: bytes, role: str, *, by: object, now: datetime
) -> CampaignState:
    """Consent in one role to exactly this digest; the state after it.

    Raises NotTheSame, NotNeeded, OwnCampaign, AlreadyDecided and NoSuchStep.
    """
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        campaign_after(found.state, CampaignEvent.APPROVE)
        _refuse_other(found, digest)
        if role not in found.needs:
            raise NotNeeded(role=role)
        _decide(connection, found, role, by, now, is_consent=True, reason=None)
        campaign_approved.keep(connection, campaign_id)
        given = {row[0] for row in connection.all(_CONSENTS, (campaign_id, digest))}
        if given.issuperset(found.needs):
            return _step(connection, found, CampaignEvent.APPROVE, by, now, role=role)
        _write(
            connection, "campaign consented", by, now, campaign=campaign_id, role=role
        )
    return found.state


def reject(
    campaign_id: str,
    digest: bytes,
    role: str,
    reason: str,
    *,
    by: object,
    now: datetime,
) -> CampaignState:
    """Refuse, with a reason: it becomes a draft again. Raises as ``approve`` does."""
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        _refuse_other(found, digest)
        sealed = _reason(reason, campaign_id)
        _decide(connection, found, role, by, now, is_consent=False, reason=sealed)
        state = _step(connection, found, CampaignEvent.REJECT, by, now, role=role)
        connection.run(_CHANGED, (campaign_id,))
    return state


def consents(campaign_id: str, digest: bytes) -> list[tuple[str, object, datetime]]:
    """Who consented to this digest: role, account, time."""
    with database() as connection:
        return [(*row,) for row in connection.all(_CONSENTS, (campaign_id, digest))]


def schedule(
    campaign_id: str,
    not_before: datetime,
    *,
    not_after: datetime | None = None,
    by: object,
    now: datetime,
) -> CampaignState:
    """Let an approved campaign begin by itself. Raises NoSuchStep."""
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        state = _step(connection, found, CampaignEvent.SCHEDULE, by, now)
        connection.run(
            "UPDATE store_campaign SET not_before = %s, not_after = %s WHERE id = %s",
            (not_before, not_after, campaign_id),
        )
    return state


def start(
    campaign_id: str,
    *,
    by: object,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> CampaignState:
    """Begin to send: every row of the ledger is there before the first byte.

    ``progress`` is told how many rows are written. Raises NoSuchStep, TrialOnly, and
    NotTheSame where the list was imported anew since.
    """
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        trial.refuse(connection, campaign_id, now)
        state = _step(connection, found, CampaignEvent.START, by, now)
        row = connection.one(
            "SELECT version FROM store_recipientlist"
            " WHERE id = %s AND data_key IS NOT NULL FOR SHARE",
            (found.list_id,),
        )
        if row is None or row[0] != found.list_version:
            raise NotTheSame(campaign=campaign_id)
        with told(campaign_id, Deed.WRITING, found.recipients, progress) as tell:
            written = ledger.expand(connection, campaign_id, now, tell)
        if written != found.recipients:
            raise NotTheSame(campaign=campaign_id)
        connection.run(
            "UPDATE store_campaign SET started_at = %s, step = 1 WHERE id = %s",
            (now, campaign_id),
        )
        jobs.defer(connection, jobs.SEND)
    with suppress(TransientError):  # It has begun, whatever the planner knows.
        ledger.analyse()
    return state


def pause(campaign_id: str, because: str, *, by: object, now: datetime) -> None:
    """Stop at once: what is not begun does not leave. Twice is once."""
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        if found.state is CampaignState.SENDING:
            _step(connection, found, CampaignEvent.PAUSE, by, now, because=because)


def resume(campaign_id: str, *, by: object, now: datetime) -> CampaignState:
    """Go on. Raises NoSuchStep."""
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        state = _step(connection, found, CampaignEvent.RESUME, by, now)
        jobs.defer(connection, jobs.SEND)
    return state


def cancel(campaign_id: str, *, by: object, now: datetime) -> CampaignState:
    """End it: what was not begun is never tried. Raises NoSuchStep."""
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        state = _step(connection, found, CampaignEvent.CANCEL, by, now)
        ledger.give_up(connection, campaign_id, now, reason="cancelled")
        connection.run(_ENDED, (now, campaign_id))
    return state


def finish(campaign_id: str, *, now: datetime) -> CampaignState:
    """Call it done: whoever calls this has seen that the states add up."""
    with transaction() as connection:
        found = _locked(connection, campaign_id)
        if found.state is CampaignState.DONE:
            return found.state  # another worker saw it, too
        state = _step(connection, found, CampaignEvent.FINISH, "worker", now)
        connection.run(_ENDED, (now, campaign_id))
    return state


def next_step(campaign_id: str, before: int, after: int, *, now: datetime) -> None:
    """Let more leave: 1, 10, then all (0). Twice is once."""
    with transaction() as connection:
        values = (after, campaign_id, before)
        if connection.run(_NEXT_STEP, values).rowcount:
            facts = {"campaign": campaign_id, "messages": after or "all"}
            _write(connection, "campaign step", "worker", now, **facts)


def explain(campaign_id: str, because: str, *, by: object, now: datetime) -> None:
    """Say why a campaign whose time has come does not begin. Twice is once."""
    with transaction() as connection:
        values = (because[:300], campaign_id, because[:300])
        if connection.run(_EXPLAIN, values).rowcount:
            facts = {"campaign": campaign_id, "because": because[:300]}
            _write(connection, "campaign waits", by, now, **facts)


def due(now: datetime) -> list[str]:
    """The campaigns that are being sent, or whose time has come."""
    with database() as connection:
        return [row[0] for row in connection.all(_DUE, (now,))]


def _locked(connection: Connection, campaign_id: str) -> Campaign:
    return read_campaign(connection.one(_LOCK, (campaign_id,)), campaign_id)


def _step(
    connection: Connection,
    found: Campaign,
    event: CampaignEvent,
    by: object,
    now: datetime,
    *,
    because: str = "",
    **facts: object,
) -> CampaignState:
    """Take one step of the table, and write it down."""
    state = campaign_after(found.state, event)
    connection.run(_STATE, (state.value, now, because[:300], found.id))
    _write(
        connection,
        f"campaign {event.value}",
        by,
        now,
        campaign=found.id,
        state=state.value,
        **({"because": because} if because else {}),
        **facts,
    )
    return state


def _decide(
    connection: Connection,
    found: Campaign,
    role: str,
    by: object,
    now: datetime,
    *,
    is_consent: bool,
    reason: bytes | None,
) -> None:
    values = (found.id, found.digest, role, by, is_consent, reason, now)
    try:
        connection.run(_APPROVE, values)
    except psycopg.errors.InsufficientPrivilege:
        raise OwnCampaign(campaign=found.id) from None
    except psycopg.errors.UniqueViolation:
        raise AlreadyDecided(campaign=found.id) from None


def _refuse_other(found: Campaign, digest: bytes) -> None:
    if found.digest is None or found.digest != digest:
        raise NotTheSame(campaign=found.id)


def _key(campaign_id: str, wrapped: Any) -> DataKey:
    if wrapped is None:
        raise NoSuchCampaign(campaign=campaign_id)
    return crypto.keys().unwrap(bytes(wrapped), f"campaign/{campaign_id}")


def _reason(reason: str, campaign_id: str) -> bytes:
    return crypto.keys().seal("reason", reason.encode(), f"campaign/{campaign_id}")


def _write(
    connection: Connection, event: str, by: object, now: datetime, **facts: object
) -> None:
    journal.write_with(connection, event, facts, actor=str(by), at=now)
