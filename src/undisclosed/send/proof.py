# SPDX-License-Identifier: Apache-2.0
"""The proof of a campaign: who approved what, and what became of every message.

It names nobody: people are numbers of the approved list, approvers are accounts. Of a
reply there are its code and its enhanced status alone, since its words name people in
ways without end; of a file of one person's own there is no name. The hash over all of
it goes into the journal, whose chain says when that was. ``send.proof_verifier`` checks
it on any machine with Python; a bundle has both in one ZIP.
"""

import inspect
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from undisclosed.send import proof_verifier
from undisclosed.send.draft import file_facts, from_json, to_json
from undisclosed.send.proof_verifier import (
    EVENT,
    FIRST,
    FORMAT,
    MEMBER,
    chained,
    written,
)
from undisclosed.store import campaign_findings, campaigns, journal, ledger
from undisclosed.store.campaigns import Campaign, NotComplete
from undisclosed.store.database import database
from undisclosed.store.ledger import LedgerRow

VERIFIER: Final = "proof_verifier.py"
"""What the verifier is called in a bundle."""

_ROWS: Final = 5_000
_AT_ONCE: Final = 64 * 1024  # octets of a bundle that are handed on together
_README: Final = """\
The proof of a campaign: who approved exactly what, and what became of each message.
It names nobody; people are numbers of the approved list, approvers are accounts.

    python3 proof_verifier.py proof.jsonl

says whether everything holds: 0 it does, 3 something does not, 65 it is no proof.
It needs Python and nothing else. Take the verifier from the installation itself
(undisclosed campaign proof-verifier) where you do not trust whoever gave you this.

With an exported journal (undisclosed journal export FILE, verified by itself):

    python3 proof_verifier.py proof.jsonl --journal FILE

which also finds a proof that was made anew by somebody else.
"""
_STATUS: Final = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")  # RFC 3463 §2


def lines(campaign_id: str, *, by: object, now: datetime) -> Iterator[bytes]:
    """The proof, line by line; the journal's entry is written with the last one.

    The ledger is read as it goes: a proof of a campaign that is still being sent is
    one of many moments. Raises NoSuchCampaign, and NotComplete where nothing was
    submitted.
    """
    first = _first(campaigns.get(campaign_id), now)
    head, states = chained(FIRST, first), Counter[str]()
    yield written(first) + b"\n"
    for row in _rows(campaign_id):
        record = _record(row)
        head = chained(head, record)
        states[row.state.value] += 1
        yield written(record) + b"\n"
    _write(campaign_id, head, states, by, now)
    yield written({"head": head.hex(), "states": dict(states)}) + b"\n"


def bundle(campaign_id: str, *, by: object, now: datetime) -> Iterator[bytes]:
    """The proof and what verifies it as one ZIP, piece by piece. Raises as ``lines``.

    Nothing of it lies on a disk or whole in memory, however many people there are.
    """
    sink = _Sink()
    proof = lines(campaign_id, by=by, now=now)
    first = next(proof)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_member("README.txt", now), _README)
        source = inspect.getsource(proof_verifier)
        archive.writestr(_member(VERIFIER, now), source)
        with archive.open(_member(MEMBER, now), "w", force_zip64=True) as file:
            file.write(first)
            for line in proof:
                file.write(line)
                if len(sink.octets) > _AT_ONCE:
                    yield sink.taken()
    yield sink.taken()


class _Sink:
    """Where a ZIP is written to, to be handed on: nothing is read or sought in it."""

    def __init__(self) -> None:
        self.octets = bytearray()

    def write(self, octets: bytes, /) -> int:
        self.octets += octets
        return len(octets)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        """What was written since; it is here no more."""
        octets, self.octets = bytes(self.octets), bytearray()
        return octets


def _member(name: str, now: datetime) -> zipfile.ZipInfo:
    at = now.astimezone(UTC)
    when = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    member = zipfile.ZipInfo(name, when)
    member.compress_type = zipfile.ZIP_DEFLATED
    return member


def _first(found: Campaign, now: datetime) -> dict[str, Any]:
    """The line about the campaign itself."""
    if found.digest is None:
        raise NotComplete(campaign=found.id)
    return {
        "format": FORMAT,
        "campaign": found.id,
        "name": found.name,
        "state": found.state.value,
        "digest": found.digest.hex(),
        "content": _content(found),
        "needs": list(found.needs),
        "made_by": str(found.created_by),
        "submitted_by": str(found.submitted_by),
        "approvals": [
            {"role": role, "account": str(account), "at": _time(at)}
            for role, account, at in campaigns.consents(found.id, found.digest)
        ],
        "submitted_at": _time(found.submitted_at),
        "started_at": _time(found.started_at),
        "ended_at": _time(found.ended_at),
        "at": _time(now),
    }


def _content(found: Campaign) -> dict[str, Any]:
    """Everything that the digest is over."""
    text = campaigns.text_of(found.id)
    if text is None:
        raise NotComplete(campaign=found.id)
    files = campaigns.files_of(found.id)
    return {
        "draft": to_json(from_json(text)).decode(),
        "list": found.list_id,
        "list_version": found.list_version,
        "people": found.recipients,
        "files": sorted(map(file_facts, files)),
        "findings": [campaign_findings.facts(one) for one in found.findings],
    }


def _rows(campaign_id: str) -> Iterator[LedgerRow]:
    after = 0
    while found := ledger.rows(campaign_id, after=after, limit=_ROWS):
        yield from found
        after = found[-1].number


def _record(row: LedgerRow) -> dict[str, Any]:
    return {
        "row": row.number,
        "state": row.state.value,
        "attempts": row.attempts,
        "code": row.code,
        "status": row.status if _STATUS.fullmatch(row.status) else "",
        "reason": row.reason,
        "at": _time(row.updated_at),
    }


def _write(
    campaign_id: str, head: bytes, states: Counter[str], by: object, now: datetime
) -> None:
    facts = {"campaign": campaign_id, "head": head.hex(), "rows": states.total()}
    with database() as connection:
        journal.write_with(connection, EVENT, facts, actor=str(by), at=now)


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at is not None else None
