# SPDX-License-Identifier: Apache-2.0
"""Rows of outgoing mail: how they are queued, claimed, marked and reported.

A copy of held mail is sealed with the data key of its hold, mail of our own with a
key of its purpose. States follow ``core.held.COPY_TRANSITIONS``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from undisclosed.core.held import (
    COPY_TRANSITIONS,
    CopyState,
    Failure,
    HoldState,
    Outgoing,
    OutgoingKind,
)
from undisclosed.core.mail import Envelope
from undisclosed.errors import UndisclosedError
from undisclosed.store import jobs, sealed
from undisclosed.store.crypto import DataKey, Keys, person_bytes
from undisclosed.store.database import Connection, Row

STATE_AFTER: Final = COPY_TRANSITIONS[CopyState.QUEUED]
"""Where each event leads. It is the same from every state that is not final."""

_NEVER: Final = datetime.min.replace(tzinfo=UTC)

_COLUMNS: Final = (
    "o.id, o.hold_id, o.kind, o.state, h.data_key, o.envelope_sealed, o.patch_sealed,"
    " o.content_sealed, o.attempts, o.next_attempt_at, o.expires_at"
)
_INSERT: Final = """
INSERT INTO store_outgoingmail (
    id, hold_id, kind, state, envelope_sealed, patch_sealed, content_sealed,
    recipient_hash, recipients, next_attempt_at, expires_at,
    attempts, lease_by, queued_at, updated_at)
SELECT copy.*, 0, '', %s, %s
  FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[],
              %b::bytea[], %b::bytea[], %b::bytea[], %b::int[], %b::timestamptz[],
              %b::timestamptz[]) AS copy
    ON CONFLICT (id) DO NOTHING
"""
# Copies of withdrawn mail are among them: their workers died, see ``doubt``.
CLAIM: Final = f"""
WITH due AS (
    SELECT id FROM store_outgoingmail
     WHERE state IN ('queued', 'delayed') AND next_attempt_at <= %s
       AND (lease_until IS NULL OR lease_until <= %s)
     ORDER BY next_attempt_at LIMIT %s
       FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE store_outgoingmail o SET lease_by = %s, lease_until = %s
      FROM due WHERE o.id = due.id
 RETURNING o.*
)
SELECT {_COLUMNS}, h.state FROM taken o LEFT JOIN store_heldmail h ON h.id = o.hold_id
 ORDER BY o.next_attempt_at, o.hold_id, o.id
"""  # noqa: S608
# The name stays: whether a copy that is taken back may have left depends on it.
GIVE_BACK: Final = """
UPDATE store_outgoingmail SET lease_until = NULL
 WHERE state IN ('queued', 'delayed') AND lease_by = %s
"""
MARK: Final = """
WITH marked AS (
    UPDATE store_outgoingmail
       SET state = %s, last_reply_sealed = %b, updated_at = %s, next_attempt_at = %s,
           attempts = attempts + 1, lease_by = '', lease_until = NULL
     WHERE id = %s AND state IN ('queued', 'delayed')
)
SELECT 1 FROM store_outgoingmail o JOIN store_heldmail h ON h.id = o.hold_id
 WHERE o.id = %s AND h.state = 'withdrawn'
"""
_TAKE_BACK: Final = """
UPDATE store_outgoingmail
   SET state = CASE WHEN lease_by = '' THEN 'withdrawn' ELSE 'in doubt' END,
       lease_until = NULL, updated_at = %s
 WHERE hold_id = %s AND state IN ('queued', 'delayed')
   AND (lease_until IS NULL OR lease_until <= %s)
RETURNING state
"""
_IN_HAND: Final = (
    "SELECT count(*) FROM store_outgoingmail"
    " WHERE hold_id = %s AND state IN ('queued', 'delayed')"
)
_SEND_NOW: Final = """
UPDATE store_outgoingmail SET next_attempt_at = %s
 WHERE hold_id = %s AND state = 'queued' AND attempts = 0 AND next_attempt_at > %s
"""
_DOUBT: Final = """
UPDATE store_outgoingmail SET state = 'in doubt', lease_until = NULL, updated_at = %s
 WHERE id = ANY(%b::text[])
"""
_LOCK: Final = f"""
SELECT {_COLUMNS} FROM store_outgoingmail o
  LEFT JOIN store_heldmail h ON h.id = o.hold_id
 WHERE o.id = %s FOR UPDATE OF o
"""  # noqa: S608
OF_HOLD: Final = f"""
SELECT {_COLUMNS} FROM store_outgoingmail o JOIN store_heldmail h ON h.id = o.hold_id
 WHERE o.hold_id = %s AND h.data_key IS NOT NULL ORDER BY o.queued_at, o.id
"""  # noqa: S608
UNREPORTED: Final = """
SELECT o.id, o.hold_id, h.data_key, o.envelope_sealed, o.last_reply_sealed,
       o.updated_at
  FROM store_outgoingmail o LEFT JOIN store_heldmail h ON h.id = o.hold_id
 WHERE o.state = 'failed' AND o.reported_at IS NULL
   AND (h.reported_at IS NULL OR h.reported_at <= %s)
 ORDER BY min(o.updated_at) OVER (PARTITION BY coalesce(o.hold_id, o.id)),
          coalesce(o.hold_id, o.id), o.updated_at, o.id
 LIMIT 10000
"""
REPORT: Final = """
WITH told AS (
    UPDATE store_outgoingmail SET reported_at = %s WHERE id = ANY(%b::text[])
 RETURNING hold_id
)
UPDATE store_heldmail SET reported_at = %s WHERE id IN (SELECT hold_id FROM told)
"""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What became of the copies that still waited when their mail was withdrawn.

    ``in_hand``: a worker tries them just now; its answer says whether they left.
    """

    withdrawn: int
    in_doubt: int
    in_hand: int

    @property
    def is_nothing(self) -> bool:
        """Whether no copy waited any more."""
        return not (self.withdrawn or self.in_doubt or self.in_hand)


def take_back(connection: Connection, hold_id: str, now: datetime) -> TakenBack:
    """Take back every copy that nobody has in hand."""
    ended = [row[0] for row in connection.all(_TAKE_BACK, (now, hold_id, now))]
    row = connection.one(_IN_HAND, (hold_id,))
    in_doubt = ended.count(CopyState.IN_DOUBT.value)
    return TakenBack(len(ended) - in_doubt, in_doubt, int(row[0]) if row else 0)


def send_now(connection: Connection, hold_id: str, now: datetime) -> int:
    """End the wait of the copies that were not tried yet; how many there are."""
    count = connection.run(_SEND_NOW, (now, hold_id, now)).rowcount
    if count:
        jobs.defer(connection, jobs.DELIVER)
    return count


def doubt(connection: Connection, rows: Sequence[Row], now: datetime) -> Sequence[Row]:
    """The rows of ``CLAIM`` that may be tried; copies of withdrawn mail end.

    Nobody could claim them but for a worker that died, so they may have left.
    """
    lost = [row[0] for row in rows if row[-1] == HoldState.WITHDRAWN.value]
    if lost:
        connection.run(_DOUBT, (now, lost))
    return [row for row in rows if row[-1] != HoldState.WITHDRAWN.value]


def notice_values(keys: Keys, notice: Outgoing | None) -> tuple[object, ...]:
    """A notice as the last values of the statement that holds its mail."""
    if notice is None:
        return (None,) * 5
    row = _row(keys, notice, _NEVER, {})
    return (row[0], row[4], row[6], row[7], row[10])


def insert(
    connection: Connection,
    keys: Keys,
    outgoing: Sequence[Outgoing],
    now: datetime,
    data_keys: Mapping[str, DataKey] | None = None,
) -> None:
    """Queue copies and the job that delivers them; what is queued already stays.

    ``data_keys`` are those that the caller has opened; others are fetched. Raises
    UndisclosedError for a copy of a hold that there is not.
    """
    if not outgoing:
        return
    known = dict(data_keys or {})
    _fetch_keys(connection, keys, {o.hold_id for o in outgoing if o.hold_id}, known)
    rows = [_row(keys, each, now, known) for each in outgoing]
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.run(_INSERT, (now, now, *columns))
    jobs.defer(connection, jobs.DELIVER)


def _fetch_keys(
    connection: Connection, keys: Keys, hold_ids: set[str], known: dict[str, DataKey]
) -> None:
    missing = hold_ids - known.keys()
    if not missing:
        return
    rows = connection.all(
        "SELECT id, data_key FROM store_heldmail"
        " WHERE id = ANY(%b::text[]) AND data_key IS NOT NULL",
        (list(missing),),
    )
    known.update((row[0], keys.unwrap(row[1], row[0])) for row in rows)
    if len(rows) < len(missing):
        raise UndisclosedError("A copy belongs to a held mail that is gone.")


def _row(
    keys: Keys, each: Outgoing, now: datetime, data_keys: Mapping[str, DataKey]
) -> tuple[object, ...]:
    key = data_keys[each.hold_id] if each.hold_id else keys.sealer("outgoing")
    recipients = each.envelope.rcpt_tos
    patch = None if each.patch is None else sealed.dump_patch(each.patch)
    return (
        each.id,
        each.hold_id,
        each.kind.value,
        each.state.value,
        key.seal(sealed.dump_envelope(each.envelope), f"copy/{each.id}/envelope"),
        None if patch is None else key.seal(patch, f"copy/{each.id}/patch"),
        None
        if each.content is None
        else key.seal(each.content, f"copy/{each.id}/content"),
        keys.hash("address", person_bytes(recipients[0]))
        if len(recipients) == 1
        else None,
        len(recipients),
        each.not_before or now,
        each.expires_at,
    )


def divide(
    connection: Connection,
    keys: Keys,
    copy_id: str,
    parts: Sequence[Outgoing],
    now: datetime,
) -> None:
    """Take the recipients of the parts out of the copy and queue the parts."""
    row = connection.one(_LOCK, (copy_id,))
    if row is None:
        return
    copy = Opener(keys).outgoing(row)
    leaving = {address for part in parts for address in part.envelope.rcpt_tos}
    staying = tuple(
        recipient
        for recipient in copy.envelope.recipients
        if recipient.address not in leaving
    )
    if len(staying) < len(copy.envelope.recipients):
        envelope = replace(copy.envelope, recipients=staying)
        changed = _row(keys, replace(copy, envelope=envelope), now, _key_of(keys, row))
        connection.run(
            "UPDATE store_outgoingmail SET envelope_sealed = %b, recipient_hash = %b,"
            " recipients = %s, updated_at = %s WHERE id = %s",
            (changed[4], changed[7], changed[8], now, copy_id),
        )
    insert(connection, keys, parts, now, _key_of(keys, row))


def _key_of(keys: Keys, row: Row) -> dict[str, DataKey]:
    return {row[1]: keys.unwrap(row[4], row[1])} if row[1] else {}


def seal_reply(keys: Keys, copy_id: str, reply: str) -> bytes:
    """What the next hop said; it may quote an address."""
    plain = reply.encode("utf-8", "surrogatepass")
    return keys.seal("outgoing", plain, f"copy/{copy_id}/reply")


def open_reply(keys: Keys, copy_id: str, reply: bytes | None) -> str:
    """What ``seal_reply`` sealed; empty where there was no try yet."""
    if reply is None:
        return ""
    plain = keys.open("outgoing", reply, f"copy/{copy_id}/reply")
    return plain.decode("utf-8", "surrogatepass")


class Opener:
    """Opens rows; the data key of a hold is unwrapped once for all its copies."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._own = keys.sealer("outgoing")
        self._of_holds: dict[str, DataKey] = {}

    def outgoing(self, row: Row) -> Outgoing:
        """One row of ``CLAIM``."""
        key, patch = self._key(row[1], row[4]), row[6]
        content = row[7]
        return Outgoing(
            id=row[0],
            hold_id=row[1],
            kind=OutgoingKind(row[2]),
            envelope=self._envelope(key, row[0], row[5]),
            patch=None
            if patch is None
            else sealed.load_patch(key.open(patch, f"copy/{row[0]}/patch")),
            content=None
            if content is None
            else key.open(content, f"copy/{row[0]}/content"),
            state=CopyState(row[3]),
            attempts=row[8],
            not_before=row[9],
            expires_at=row[10],
        )

    def failure(self, row: Row) -> Failure:
        """One row of ``UNREPORTED``."""
        copy_id, hold_id = row[0], row[1]
        return Failure(
            copy_id=copy_id,
            hold_id=hold_id,
            envelope=self._envelope(self._key(hold_id, row[2]), copy_id, row[3]),
            reply=open_reply(self._keys, copy_id, row[4]),
            at=row[5],
        )

    def _envelope(self, key: DataKey, copy_id: str, value: bytes) -> Envelope:
        return sealed.load_envelope(key.open(value, f"copy/{copy_id}/envelope"))

    def _key(self, hold_id: str | None, wrapped: bytes | None) -> DataKey:
        if hold_id is None or wrapped is None:
            return self._own
        if hold_id not in self._of_holds:
            self._of_holds[hold_id] = self._keys.unwrap(wrapped, hold_id)
        return self._of_holds[hold_id]
