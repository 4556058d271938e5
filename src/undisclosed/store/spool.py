# SPDX-License-Identifier: Apache-2.0
"""The spool in PostgreSQL: held mail and the copies that leave.

It fits the port ``Spool`` of the guard. Content and envelopes are sealed with a key
of each mail; what is looked up is a keyed hash; what is counted stands open.
"""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.held import (
    HOLD_TRANSITIONS,
    RETRY_WINDOW,
    CopyEvent,
    Failure,
    Hold,
    HoldDecided,
    HoldEvent,
    HoldState,
    Kept,
    NewHold,
    NoSuchHold,
    Outgoing,
)
from undisclosed.store import bootstrap, copies, crypto, journal, sealed
from undisclosed.store.crypto import CHUNK, DataKey, Keys, person_bytes
from undisclosed.store.database import (
    Connection,
    Prepared,
    Row,
    database,
    transaction,
)

_HOLD: Final = Prepared(
    "undisclosed_hold",
    "SELECT store_hold($1, $2, $3, $4::jsonb, $5::int, $6::bigint, $7::int, $8, $9,"
    " $10, $11, $12::bigint, $13::bytea, $14::bytea, $15::bigint[], $16::bytea,"
    " $17::bytea, $18::bytea, $19::bytea, $20::bytea, ARRAY[$21::bytea],"
    " $22, $23::bytea, $24::bytea, $25::bytea, $26::timestamptz, $27::boolean)",
)
_ADD_CHUNK: Final = (
    "INSERT INTO store_heldchunk (hold_id, number, sealed) VALUES (%s, %s, %b)"
)
_COLUMNS: Final = (
    "id, mailing_id, reservation_id, state, envelope_sealed, data_key, findings,"
    " people, disclosures, viewers, singly_refused, received_at, expires_at,"
    " escalations, size, is_ownerless"
)
_CHUNKS: Final = (
    "SELECT h.data_key, c.sealed FROM store_heldmail h"
    " JOIN store_heldchunk c ON c.hold_id = h.id"
    " WHERE h.id = %s AND h.data_key IS NOT NULL ORDER BY c.number"
)
_DUE: Final = f"""
SELECT {_COLUMNS} FROM store_heldmail
 WHERE state = 'held' AND data_key IS NOT NULL
   AND ((sender_hash IS NOT NULL AND NOT is_ownerless AND expires_at <= %s)
        OR received_at + (%b::interval[])[escalations + 1] <= %s)
 ORDER BY received_at LIMIT %s
"""  # noqa: S608
_DECIDE: Final = """
UPDATE store_heldmail
   SET state = %s, escalations = escalations + %s, decided_at = %s, decided_by = %s,
       reason_sealed = %b
 WHERE id = %s
"""
_MAILING_DECIDED: Final = """
UPDATE store_mailing
   SET open_holds = open_holds - %s,
       state = CASE WHEN open_holds > %s THEN 'held' ELSE %s END
 WHERE id = %s
"""


class PostgresSpool:
    """Held mail and copies, durable when a call returns.

    May be called from any thread. Every call raises TransientError while the
    database is away.
    """

    def __init__(
        self, keys: Keys | None = None, *, retry_window: timedelta = RETRY_WINDOW
    ) -> None:
        self._keys = keys = keys or crypto.keys()
        self._retry_window = retry_window
        self._short_hash = keys.hasher("address")

    def hold(self, new: NewHold) -> Kept:
        """Commit mail, notice and place in Memory; the same digest finds the earlier.

        One statement and one commit, but for mail of more than one chunk.
        """
        bootstrap.ensure_key()
        hold_id = secrets.token_hex(8)
        data_key, wrapped = self._keys.new_data_key(hold_id)
        chunks = data_key.seal_chunks(new.mail.content, _content_of(hold_id))
        values = (
            *self._values(hold_id, data_key, wrapped, new),
            next(chunks),
            *copies.notice_values(self._keys, new.notice),
            new.is_ownerless,
        )
        if len(new.mail.content) > CHUNK:
            return _kept(hold_id, _hold_in_pieces(values, chunks))
        with database() as connection:
            return _kept(hold_id, connection.ask(_HOLD, values))

    def _values(
        self, hold_id: str, data_key: DataKey, wrapped: bytes, new: NewHold
    ) -> tuple[object, ...]:
        envelope = new.mail.envelope
        sender = envelope.mail_from
        return (
            hold_id,
            new.mailing_id,
            new.reservation_id,
            sealed.dump_findings(new.findings),
            new.people,
            new.disclosures,
            new.viewers,
            None
            if new.singly_refused is None
            else sealed.printable(new.singly_refused),
            new.received_at,
            new.expires_at,
            new.received_at - self._retry_window,
            len(new.mail.content),
            self._keys.hash("digest", new.digest),
            None if sender is None else self._address_hash(sender),
            self._people_hashes(new),
            wrapped,
            data_key.seal(sealed.dump_envelope(envelope), f"envelope/{hold_id}"),
            data_key.seal(sealed.dump_address(sender), f"sender/{hold_id}"),
            data_key.seal(_text(new.subject), f"subject/{hold_id}"),
            data_key.seal(sealed.dump_shown(new.shown), f"reading/{hold_id}"),
        )

    def _people_hashes(self, new: NewHold) -> str:
        """An array of PostgreSQL as text: such arrays of unequal length go together."""
        people = {*new.mail.envelope.rcpt_tos, *(each.address for each in new.shown)}
        if new.mail.envelope.mail_from is not None:
            people.add(new.mail.envelope.mail_from)
        hashed = self._short_hash
        hashes = (str(hashed(person_bytes(person))) for person in people)
        return f"{{{','.join(hashes)}}}"

    def _address_hash(self, address: Address) -> bytes:
        return self._keys.hash("address", person_bytes(address))

    def get(self, hold_id: str) -> Hold:
        """One hold. Raises NoSuchHold, also where its retention is over."""
        with database() as connection:
            row = connection.one(
                f"SELECT {_COLUMNS} FROM store_heldmail"  # noqa: S608
                " WHERE id = %s AND data_key IS NOT NULL",
                (hold_id,),
            )
        if row is None:
            raise NoSuchHold(hold_id=hold_id)
        return self._hold_from(row)

    def of_mailing(self, mailing_id: str) -> Sequence[Hold]:
        """Every hold of one mailing, oldest first."""
        with database() as connection:
            rows = connection.all(
                f"SELECT {_COLUMNS} FROM store_heldmail"  # noqa: S608
                " WHERE mailing_id = %s AND data_key IS NOT NULL"
                " ORDER BY received_at, id",
                (mailing_id,),
            )
        return [self._hold_from(row) for row in rows]

    def copies_of(self, hold_id: str) -> Sequence[Outgoing]:
        """Every copy of one hold with its state, in the order of queueing."""
        with database() as connection:
            rows = connection.all(copies.OF_HOLD, (hold_id,))
        opener = copies.Opener(self._keys)
        return [opener.outgoing(row) for row in rows]

    def content(self, hold_id: str) -> bytes:
        """The held content whole. Raises NoSuchHold where it is gone."""
        with database() as connection:
            rows = connection.all(_CHUNKS, (hold_id,))
        if not rows:
            raise NoSuchHold(hold_id=hold_id)
        data_key = self._keys.unwrap(rows[0][0], hold_id)
        return data_key.open_chunks((row[1] for row in rows), _content_of(hold_id))

    def decide(
        self,
        hold_id: str,
        event: HoldEvent,
        outgoing: Sequence[Outgoing] = (),
        *,
        by: str,
        reason: str = "",
        now: datetime,
    ) -> HoldState:
        """State, copies, journal entry and job in one transaction.

        Raises NoSuchHold, and HoldDecided where the table has no such step or nothing
        waits any more.
        """
        with transaction() as connection:
            row = connection.one(
                "SELECT state, mailing_id, data_key FROM store_heldmail"
                " WHERE id = %s FOR UPDATE",
                (hold_id,),
            )
            if row is None or row[2] is None:
                raise NoSuchHold(hold_id=hold_id)
            before, data_key = HoldState(row[0]), self._keys.unwrap(row[2], hold_id)
            after = HOLD_TRANSITIONS[before].get(event)
            if after is None:
                raise HoldDecided(hold_id=hold_id, state=before.value)
            facts = {"hold": hold_id, "mailing": row[1], "copies": len(outgoing)}
            facts |= _of_waiting_copies(connection, hold_id, before, event, now)
            if event is not HoldEvent.SEND_NOW:
                why = data_key.seal(_text(reason), f"reason/{hold_id}")
                values = (hold_id, by, now, why if reason else None)
                _move(connection, values, before, after, row[1])
            copies.insert(connection, self._keys, outgoing, now, {hold_id: data_key})
            journal.write_with(connection, event.value, facts, actor=by, at=now)
            return after

    def queue(self, outgoing: Sequence[Outgoing], *, now: datetime) -> None:
        """Queue mail of our own with its job."""
        with transaction() as connection:
            copies.insert(connection, self._keys, outgoing, now)

    def due(
        self, *, now: datetime, limit: int, escalate_after: Sequence[timedelta] = ()
    ) -> Sequence[Hold]:
        """Untouched holds whose time to escalate or to expire has come."""
        with database() as connection:
            rows = connection.all(_DUE, (now, list(escalate_after), now, limit))
        return [self._hold_from(row) for row in rows]

    def claim(
        self, *, by: str, limit: int, lease: timedelta, now: datetime
    ) -> Sequence[Outgoing]:
        """Take copies whose time has come, for as long as the lease lasts."""
        with database() as connection:
            rows = connection.all(copies.CLAIM, (now, now, limit, by, now + lease))
            rows = list(copies.doubt(connection, rows, now))
        opener = copies.Opener(self._keys)
        return [opener.outgoing(row) for row in rows]

    def give_back(self, *, by: str) -> None:
        """End every lease of this name: what it took is free again."""
        with database() as connection:
            connection.run(copies.GIVE_BACK, (by,))

    def mark(
        self,
        copy_id: str,
        event: CopyEvent,
        reply: str,
        *,
        now: datetime,
        retry_at: datetime | None = None,
    ) -> bool:
        """Record what became of one try; a copy that is final stays as it is."""
        with database() as connection:
            withdrawn = connection.one(
                copies.MARK,
                (
                    copies.STATE_AFTER[event].value,
                    copies.seal_reply(self._keys, copy_id, reply),
                    now,
                    retry_at or now,
                    copy_id,
                    copy_id,
                ),
            )
        return withdrawn is not None

    def divide(self, copy_id: str, parts: Sequence[Outgoing], *, now: datetime) -> None:
        """Give some recipients of one copy a copy of their own."""
        with transaction() as connection:
            copies.divide(connection, self._keys, copy_id, parts, now)

    def unreported(
        self, *, now: datetime, interval: timedelta
    ) -> Sequence[Sequence[Failure]]:
        """Failures nobody was told of, grouped by hold, oldest group first."""
        with database() as connection:
            rows = connection.all(copies.UNREPORTED, (now - interval,))
        opener = copies.Opener(self._keys)
        failures = [opener.failure(row) for row in rows]
        return [
            list(group)
            for _, group in groupby(failures, lambda f: f.hold_id or f.copy_id)
        ]

    def report(
        self, copy_ids: Sequence[str], dsn: Outgoing | None, *, now: datetime
    ) -> None:
        """Mark failures as reported and queue the DSN that says so, in one go."""
        with transaction() as connection:
            connection.run(copies.REPORT, (now, list(copy_ids), now))
            copies.insert(connection, self._keys, [dsn] if dsn else [], now)

    def _hold_from(self, row: Row) -> Hold:
        data_key = self._keys.unwrap(row[5], row[0])
        return Hold(
            id=row[0],
            mailing_id=row[1],
            reservation_id=row[2],
            state=HoldState(row[3]),
            envelope=sealed.load_envelope(data_key.open(row[4], f"envelope/{row[0]}")),
            findings=sealed.load_findings(row[6]),
            people=row[7],
            disclosures=row[8],
            viewers=row[9],
            singly_refused=row[10],
            received_at=row[11],
            expires_at=row[12],
            escalations=row[13],
            size=row[14],
            is_ownerless=row[15],
        )


def _of_waiting_copies(
    connection: Connection,
    hold_id: str,
    before: HoldState,
    event: HoldEvent,
    now: datetime,
) -> dict[str, object]:
    """Do what the event means for copies that wait; facts. Raises HoldDecided."""
    if before is HoldState.HELD:
        return {}
    if event is HoldEvent.SEND_NOW:
        if not copies.send_now(connection, hold_id, now):
            raise HoldDecided(hold_id=hold_id, state=before.value)
        return {}
    taken = copies.take_back(connection, hold_id, now)
    if taken.is_nothing:
        raise HoldDecided(hold_id=hold_id, state=before.value)
    return {
        "taken back": taken.withdrawn,
        "in doubt": taken.in_doubt,
        "in hand": taken.in_hand,
    }


def _move(
    connection: Connection,
    decided: tuple[str, str, datetime, bytes | None],
    before: HoldState,
    after: HoldState,
    mailing_id: str,
) -> None:
    """Write down the new state, who decided, when and why."""
    hold_id, by, now, reason = decided
    is_decided = after is not before
    connection.run(
        _DECIDE,
        (
            after.value,
            int(not is_decided),  # it escalated, and waits on
            now if is_decided else None,
            by if is_decided else "",
            reason,
            hold_id,
        ),
    )
    if is_decided:
        closed = int(before is HoldState.HELD)
        connection.run(_MAILING_DECIDED, (closed, closed, after.value, mailing_id))


def _kept(hold_id: str, found: str) -> Kept:
    """What the statement answered: the new id, or an earlier hold's with its state."""
    if found == hold_id:
        return Kept(hold_id, HoldState.HELD, is_settled=True)
    earlier, _, state = found.partition(" ")
    return Kept(earlier, HoldState(state))


def _hold_in_pieces(values: Sequence[object], rest: Iterable[bytes]) -> str:
    """The same for large mail: chunk by chunk, in one transaction."""
    hold_id = values[0]
    with transaction() as connection:
        found = connection.ask(_HOLD, values)
        if found == hold_id:
            for number, chunk in enumerate(rest, start=1):
                connection.run(_ADD_CHUNK, (hold_id, number, chunk))
    return found


def _content_of(hold_id: str) -> str:
    return f"content/{hold_id}"


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
