# SPDX-License-Identifier: Apache-2.0
"""How a campaign's seeds stand: sent, compared, found right or not, answered for.

A round is one message to each seed box. What travelled is not kept: it is made again
from the time at which it left.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from undisclosed.errors import UndisclosedError
from undisclosed.store import campaigns, crypto, journal
from undisclosed.store.database import database, transaction

BY: Final = "worker"
"""Who stands in the journal for rounds that begin by themselves."""

_OF: Final = (
    "SELECT number, state, sent_at, findings FROM store_seedround"
    " WHERE campaign_id = %s"
)
# Of several workers one begins a round; the next one only after it was found wrong.
_BEGIN: Final = """
INSERT INTO store_seedround (campaign_id, number, state, sent_at, findings)
VALUES (%s, %s, 'travelling', %s, '[]')
ON CONFLICT (campaign_id) DO UPDATE
   SET number = excluded.number, state = excluded.state, sent_at = excluded.sent_at,
       findings = excluded.findings
 WHERE store_seedround.state = 'different'
   AND store_seedround.number = excluded.number - 1
"""
_END: Final = """
UPDATE store_seedround SET state = %s, findings = %s::jsonb
 WHERE campaign_id = %s AND number = %s AND state = 'travelling'
"""
_ACCEPT: Final = """
UPDATE store_seedround SET state = 'accepted', reason_sealed = %b
 WHERE campaign_id = %s AND state = 'different'
"""


class NothingToAccept(UndisclosedError):
    """No seed of this campaign was found to be otherwise than it left."""


class SeedState(StrEnum):
    """Where a round of seeds is."""

    TRAVELLING = "travelling"
    SAME = "same"  # all lie in their boxes as they left
    DIFFERENT = "different"  # one does not; the campaign is paused
    ACCEPTED = "accepted"  # a person answers for what differs


@dataclass(frozen=True, slots=True)
class SeedRound:
    """The latest round, counted from 1; ``findings`` name no address."""

    number: int
    state: SeedState
    sent_at: datetime
    findings: tuple[str, ...] = ()

    @property
    def may_begin(self) -> bool:
        """Whether the campaign's own messages may leave."""
        return self.state in (SeedState.SAME, SeedState.ACCEPTED)


def of(campaign_id: str) -> SeedRound | None:
    """The latest round; None where none began. Raises TransientError."""
    with database() as connection:
        row = connection.one(_OF, (campaign_id,))
    if row is None:
        return None
    number, state, sent_at, findings = row
    told = json.loads(findings) if isinstance(findings, str) else findings
    return SeedRound(number, SeedState(state), sent_at.astimezone(UTC), tuple(told))


def begin(campaign_id: str, number: int, *, messages: int, now: datetime) -> bool:
    """Begin a round, before its first byte leaves; False where another worker did."""
    with transaction() as connection:
        if not connection.run(_BEGIN, (campaign_id, number, now)).rowcount:
            return False
        facts = {"campaign": campaign_id, "round": number, "messages": messages}
        journal.write_with(connection, "seeds sent", facts, actor=BY, at=now)
    return True


def end(
    campaign_id: str,
    number: int,
    *,
    messages: int,
    different: int,
    findings: Sequence[str],
    now: datetime,
) -> None:
    """Write down what became of a round; where it was not right, pause the campaign.

    Twice is once.
    """
    state = SeedState.DIFFERENT if different else SeedState.SAME
    values = (state.value, json.dumps(list(findings)), campaign_id, number)
    with transaction() as connection:
        if not connection.run(_END, values).rowcount:
            return
        facts = {"campaign": campaign_id, "messages": messages, "different": different}
        journal.write_with(connection, "seeds compared", facts, actor=BY, at=now)
        if different:
            because = f"{different} of {messages} seeds did not come back as they left."
            told = " ".join((because, *dict.fromkeys(findings)))
            campaigns.pause(campaign_id, told, by=BY, now=now)


def accept(campaign_id: str, reason: str, *, by: object, now: datetime) -> None:
    """Answer for what differs, with a reason: the campaign may go on with it.

    Raises NothingToAccept.
    """
    sealed = crypto.keys().seal("reason", reason.encode(), f"seeds/{campaign_id}")
    with transaction() as connection:
        if not connection.run(_ACCEPT, (sealed, campaign_id)).rowcount:
            raise NothingToAccept(campaign=campaign_id)
        facts = {"campaign": campaign_id}
        journal.write_with(connection, "seeds accepted", facts, actor=str(by), at=now)
