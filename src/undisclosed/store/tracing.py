# SPDX-License-Identifier: Apache-2.0
"""Where is A's mail to B? Answered by keyed look-up: no log holds an address."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.held import CopyState, HoldState, OutgoingKind
from undisclosed.store import copies as copy_rows
from undisclosed.store import crypto
from undisclosed.store.crypto import person_bytes
from undisclosed.store.database import database

_HOLDS: Final = """
SELECT id, mailing_id, state, received_at, decided_at FROM store_heldmail
 WHERE sender_hash IS NOT DISTINCT FROM %b AND people_hashes @> %b::bigint[]
   AND data_key IS NOT NULL
 ORDER BY received_at DESC LIMIT %s
"""
_COPIES: Final = """
SELECT hold_id, id, kind, state, attempts, updated_at, last_reply_sealed, recipients
  FROM store_outgoingmail
 WHERE hold_id = ANY(%b::text[]) AND (recipient_hash = %b OR recipients > 1)
 ORDER BY queued_at, id
"""


@dataclass(frozen=True, slots=True)
class TracedCopy:
    """What left, or is to leave. ``is_for_several``: the recipient may be among them.

    ``reply`` is what the next hop last said; it may quote an address.
    """

    kind: OutgoingKind
    state: CopyState
    attempts: int
    updated_at: datetime
    is_for_several: bool
    reply: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class TracedHold:
    """One held mail of the sender which the recipient has to do with."""

    hold_id: str
    mailing_id: str
    state: HoldState
    received_at: datetime
    decided_at: datetime | None
    copies: tuple[TracedCopy, ...]


def held(
    sender: Address | None, recipient: Address, limit: int = 50
) -> Sequence[TracedHold]:
    """Held mail of a sender that names or goes to a recipient, the latest first."""
    keys = crypto.keys()
    sender_hash = keys.hash("address", person_bytes(sender)) if sender else None
    to = keys.hasher("address")(person_bytes(recipient))
    to_hash = keys.hash("address", person_bytes(recipient))
    with database() as connection:
        holds = connection.all(_HOLDS, (sender_hash, [to], limit))
        rows = connection.all(_COPIES, ([hold[0] for hold in holds], to_hash))
    of_hold: dict[str, list[TracedCopy]] = {}
    for row in rows:
        copy = TracedCopy(
            kind=OutgoingKind(row[2]),
            state=CopyState(row[3]),
            attempts=row[4],
            updated_at=row[5],
            is_for_several=row[7] > 1,
            reply=copy_rows.open_reply(keys, row[1], row[6]),
        )
        of_hold.setdefault(row[0], []).append(copy)
    return [
        TracedHold(
            hold_id=row[0],
            mailing_id=row[1],
            state=HoldState(row[2]),
            received_at=row[3],
            decided_at=row[4],
            copies=tuple(of_hold.get(row[0], ())),
        )
        for row in holds
    ]
