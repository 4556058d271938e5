# SPDX-License-Identifier: Apache-2.0
"""What the pages read: mailings, their batches, people and copies; caught mail.

Every list is asked for one row more than a page has, newest first, over an index:
the first page costs the same for ten rows and for a million. Addresses come as
``Address``, which prints itself shortened, or as text that was asked for.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, TypeVar

from undisclosed.core.address import Address
from undisclosed.core.held import CopyState, HoldState, OutgoingKind
from undisclosed.store import copies as copy_rows
from undisclosed.store import crypto, sealed
from undisclosed.store.crypto import DataKey, person_bytes
from undisclosed.store.database import Row, database
from undisclosed.store.desk_values import (
    Batch,
    CaughtRow,
    CaughtView,
    CopyRow,
    MailingRow,
    MailingView,
    Page,
    PersonRow,
)

__all__ = [
    "PER_PAGE",
    "Batch",
    "CaughtRow",
    "CaughtView",
    "CopyRow",
    "MailingRow",
    "MailingView",
    "Page",
    "PersonRow",
    "caught",
    "caught_count",
    "caught_mail",
    "copies",
    "copies_by_state",
    "everyone",
    "held_count",
    "mailing",
    "mailings",
    "people",
]

PER_PAGE: Final = 50
_COUNTED_TO: Final = 1_000
"""Numbers on the first page stop here: counting more would read the whole table."""

T = TypeVar("T")

_MAILING: Final = """
SELECT m.id, m.state, m.people, m.disclosures, m.waves, m.holds, m.open_holds,
       m.first_at, m.last_at, m.held_at, h.id, h.data_key, h.subject_sealed,
       h.sender_sealed, h.sender_hash
  FROM store_mailing m
  JOIN LATERAL (
       SELECT id, data_key, subject_sealed, sender_sealed, sender_hash
         FROM store_heldmail WHERE mailing_id = m.id
        ORDER BY received_at, id LIMIT 1) h ON true
"""
_NEWEST: Final = " ORDER BY m.held_at DESC, m.id DESC LIMIT %s OFFSET %s"
_BATCHES: Final = """
SELECT id, state, people, disclosures, viewers, received_at, expires_at, decided_at,
       decided_by, findings, singly_refused, escalations, size, data_key,
       reason_sealed, reading_sealed, subject_sealed, envelope_sealed, is_ownerless
  FROM store_heldmail WHERE mailing_id = %s ORDER BY received_at, id
"""
# The hour that an only approver waits is no undo window.
_LEAVES_AT: Final = """
SELECT min(o.next_attempt_at) FROM store_outgoingmail o
  JOIN store_heldmail h ON h.id = o.hold_id
 WHERE h.mailing_id = %s AND h.state IN ('split', 'accepted')
   AND o.state = 'queued' AND o.attempts = 0 AND o.next_attempt_at > now()
"""
_COPIES: Final = """
SELECT o.id, o.hold_id, h.data_key, o.envelope_sealed, o.kind, o.state, o.attempts,
       o.next_attempt_at, o.last_reply_sealed, o.updated_at
  FROM store_outgoingmail o JOIN store_heldmail h ON h.id = o.hold_id
 WHERE h.mailing_id = %s AND h.data_key IS NOT NULL
 ORDER BY h.received_at, o.queued_at, o.id LIMIT %s OFFSET %s
"""
_CAUGHT: Final = (
    "SELECT id, caught_at, mail_from_sealed, rcpt_tos_sealed, subject_sealed, size"
)


def mailings(
    state: HoldState | None = None,
    search: str = "",
    page: int = 1,
    *,
    senders: Collection[bytes] | None = None,
) -> Page[MailingRow]:
    """Mailings of which something was ever held, the latest first.

    ``search`` is a whole address (of a sender, a recipient or a shown person), or the
    id of a hold or mailing. ``senders`` narrows to these senders' keyed hashes, for
    who may see only their own.
    """
    where, values = ["m.held_at IS NOT NULL"], list[object]()
    if state is not None:
        where.append("m.state = %s")
        values.append(state.value)
    if senders is not None:
        where.append(
            "m.id IN (SELECT mailing_id FROM store_heldmail"
            " WHERE sender_hash = ANY(%b::bytea[]))"
        )
        values.append(list(senders))
    if search.strip():
        condition, value = _search(search.strip())
        where.append(
            f"m.id IN (SELECT mailing_id FROM store_heldmail WHERE {condition})"  # noqa: S608
        )
        values += value
    query = f"{_MAILING} WHERE {' AND '.join(where)} {_NEWEST}"
    return _page(query, values, page, _mailing_row)


def _search(text: str) -> tuple[str, list[object]]:
    if "@" in text:
        return "people_hashes @> %b::bigint[]", [[_short_hash(text)]]
    return "id = %s OR mailing_id = %s", [text, text]


def _short_hash(text: str) -> int:
    local_part, _, domain = text.strip(" <>").rpartition("@")
    hashed = crypto.keys().hasher("address")
    return hashed(person_bytes(Address(local_part, domain)))


def _mailing_row(row: Row) -> MailingRow:
    key = _data_key(row[11], row[10])
    return MailingRow(
        mailing_id=row[0],
        state=HoldState(row[1]) if row[1] else HoldState.HELD,
        subject=_open_text(key, row[12], f"subject/{row[10]}"),
        sender=_open_address(key, row[13], f"sender/{row[10]}"),
        people=row[2],
        disclosures=row[3],
        waves=row[4],
        holds=row[5],
        open_holds=row[6],
        first_at=row[7],
        last_at=row[8],
        held_at=row[9],
    )


def mailing(mailing_id: str) -> MailingView | None:
    """One mailing with its batches and the states of its copies; None if unknown."""
    with database() as connection:
        row = connection.one(f"{_MAILING} WHERE m.id = %s", (mailing_id,))
        if row is None:
            return None
        batches = connection.all(_BATCHES, (mailing_id,))
        leaves = connection.one(_LEAVES_AT, (mailing_id,))
    found, sender_hash = _mailing_row(row), row[14]
    return MailingView(
        **{name: getattr(found, name) for name in MailingRow.__dataclass_fields__},
        sender_hash=sender_hash,
        batches=tuple(_batch(each) for each in batches),
        copies=copies_by_state(mailing_id),
        leaves_at=leaves[0] if leaves else None,
    )


def _batch(row: Row) -> Batch:
    key = _data_key(row[13], row[0])
    return Batch(
        hold_id=row[0],
        state=HoldState(row[1]),
        people=row[2],
        disclosures=row[3],
        viewers=row[4],
        received_at=row[5],
        expires_at=row[6],
        decided_at=row[7],
        decided_by=row[8],
        findings=sealed.load_findings(row[9]),
        singly_refused=row[10],
        escalations=row[11],
        size=row[12],
        is_ownerless=row[18],
        reason=_open_text(key, row[14], f"reason/{row[0]}"),
        subject=_open_text(key, row[16], f"subject/{row[0]}"),
    )


def copies_by_state(mailing_id: str) -> Mapping[CopyState, int]:
    """How many copies of a mailing are where; every state is in it."""
    with database() as connection:
        rows = connection.all(
            "SELECT o.state, count(*) FROM store_outgoingmail o"
            " JOIN store_heldmail h ON h.id = o.hold_id"
            " WHERE h.mailing_id = %s GROUP BY o.state",
            (mailing_id,),
        )
    counted = {state: 0 for state in CopyState}
    return counted | {CopyState(state): number for state, number in rows}


def copies(mailing_id: str, page: int = 1) -> Page[CopyRow]:
    """The copies of a mailing, in the order in which they were queued."""
    keys = crypto.keys()
    opened: dict[str, DataKey] = {}

    def copy(row: Row) -> CopyRow:
        if row[1] not in opened:
            opened[row[1]] = keys.unwrap(row[2], row[1])
        plain = opened[row[1]].open(row[3], f"copy/{row[0]}/envelope")
        return CopyRow(
            copy_id=row[0],
            hold_id=row[1],
            recipients=sealed.load_envelope(plain).rcpt_tos,
            kind=OutgoingKind(row[4]),
            state=CopyState(row[5]),
            attempts=row[6],
            next_attempt_at=row[7],
            reply=copy_rows.open_reply(keys, row[0], row[8]),
            updated_at=row[9],
        )

    return _page(_COPIES, [mailing_id], page, copy)


def people(
    mailing_id: str, page: int = 1, spelled_out: bool = False
) -> Page[PersonRow]:
    """Everybody whom a mailing would show or who would see it, by address.

    ``spelled_out`` gives whole addresses: only for who asked, and journalled by the
    caller. A person who is shown in no channel is a viewer only.
    """
    with database() as connection:
        rows = connection.all(_BATCHES, (mailing_id,))
    channels: dict[Address, list[str]] = {}
    viewers: set[Address] = set()
    for row in rows:
        key = _data_key(row[13], row[0])
        if key is None or row[15] is None:
            continue
        envelope = sealed.load_envelope(key.open(row[17], f"envelope/{row[0]}"))
        viewers.update(envelope.rcpt_tos)
        for each in sealed.load_shown(key.open(row[15], f"reading/{row[0]}")):
            channels.setdefault(each.address, []).extend(each.channels)
    everyone = sorted({*viewers, *channels})
    start = (page - 1) * PER_PAGE
    found = everyone[start : start + PER_PAGE + 1]
    rows_found = tuple(
        PersonRow(
            address=address.spelled_out() if spelled_out else str(address),
            channels=tuple(Counter(channels.get(address, ()))),
            is_viewer=address in viewers,
        )
        for address in found[:PER_PAGE]
    )
    return Page(rows_found, page, len(found) > PER_PAGE)


def everyone(mailing_id: str) -> frozenset[Address]:
    """Every viewer of a mailing, and everybody whom it would newly show."""
    with database() as connection:
        rows = connection.all(_BATCHES, (mailing_id,))
    people: set[Address] = set()
    for row in rows:
        key = _data_key(row[13], row[0])
        if key is None or row[15] is None:
            continue
        envelope = sealed.load_envelope(key.open(row[17], f"envelope/{row[0]}"))
        people.update(envelope.rcpt_tos)
        people.update(
            each.address
            for each in sealed.load_shown(key.open(row[15], f"reading/{row[0]}"))
        )
    return frozenset(people)


def caught(search: str = "", page: int = 1) -> Page[CaughtRow]:
    """What the post office caught, the latest first; ``search`` is a recipient."""
    where, values = "", list[object]()
    if "@" in search:
        where = " WHERE rcpt_hashes @> %b::bigint[]"
        values.append([_short_hash(search)])
    elif search.strip():
        where, values = " WHERE id = %s", [search.strip()]
    query = (
        f"{_CAUGHT} FROM store_caughtmail{where}"
        " ORDER BY caught_at DESC, id DESC LIMIT %s OFFSET %s"
    )
    return _page(query, values, page, _caught_row)


def caught_mail(caught_id: str) -> CaughtView | None:
    """One caught mail with its bytes; None where there is none."""
    with database() as connection:
        row = connection.one(
            f"{_CAUGHT}, content_sealed FROM store_caughtmail WHERE id = %s",
            (caught_id,),
        )
    if row is None:
        return None
    found = _caught_row(row)
    return CaughtView(
        **{name: getattr(found, name) for name in CaughtRow.__dataclass_fields__},
        content=crypto.keys().open("caught", row[6], f"content/{caught_id}"),
    )


def _caught_row(row: Row) -> CaughtRow:
    key = crypto.keys().sealer("caught")
    return CaughtRow(
        caught_id=row[0],
        caught_at=row[1],
        mail_from=sealed.load_address(key.open(row[2], f"from/{row[0]}")),
        rcpt_tos=sealed.load_addresses(key.open(row[3], f"to/{row[0]}")),
        subject=key.open(row[4], f"subject/{row[0]}").decode("utf-8", "replace"),
        size=row[5],
    )


def held_count(senders: Collection[bytes] | None = None) -> int:
    """How many mailings wait for a decision; counting stops at a thousand."""
    narrowed = "" if senders is None else " AND sender_hash = ANY(%b::bytea[])"
    values = () if senders is None else (list(senders),)
    return _count(
        "SELECT DISTINCT mailing_id FROM store_heldmail"  # noqa: S608
        f" WHERE state = 'held'{narrowed}",
        values,
    )


def waiting(now: datetime) -> tuple[int, timedelta]:
    """How many mails are held and undecided, and the age of the oldest."""
    with database() as connection:
        row = connection.one(
            "SELECT count(*), min(received_at) FROM store_heldmail WHERE state = 'held'"
        )
    count, oldest = row or (0, None)
    return int(count), now - oldest if oldest else timedelta()


def caught_count() -> int:
    """How many mails lie in the post office; counting stops at a thousand."""
    return _count("SELECT 1 FROM store_caughtmail", ())


def _count(query: str, values: Sequence[object]) -> int:
    with database() as connection:
        row = connection.one(
            f"SELECT count(*) FROM ({query} LIMIT %s) AS found",  # noqa: S608
            (*values, _COUNTED_TO),
        )
    return int(row[0]) if row else 0


def _page(
    query: str, values: Iterable[object], page: int, make: Callable[[Row], T]
) -> Page[T]:
    with database() as connection:
        rows = connection.all(
            query, (*values, PER_PAGE + 1, (max(page, 1) - 1) * PER_PAGE)
        )
    return Page(tuple(map(make, rows[:PER_PAGE])), page, len(rows) > PER_PAGE)


def _data_key(wrapped: bytes | None, hold_id: str) -> DataKey | None:
    return None if wrapped is None else crypto.keys().unwrap(wrapped, hold_id)


def _open_text(key: DataKey | None, value: bytes | None, context: str) -> str:
    if key is None or value is None:
        return ""
    return key.open(value, context).decode("utf-8", "replace")


def _open_address(
    key: DataKey | None, value: bytes | None, context: str
) -> Address | None:
    if key is None or value is None:
        return None
    return sealed.load_address(key.open(value, context))
