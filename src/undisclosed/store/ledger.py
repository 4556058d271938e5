# SPDX-License-Identifier: Apache-2.0
"""The ledger: one row for each person of a campaign, there before the first byte.

States follow ``core.campaign.DELIVERY_TRANSITIONS``. A row is *in doubt* from before
its content leaves until its answer is recorded; a crash in between leaves it so, and
says it. Counts are kept beside the rows by the database itself (migration 0015), so
that a page never counts a million of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.campaign import DeliveryState
from undisclosed.store import crypto, presence
from undisclosed.store.database import Connection, database, transaction

_EXPANDED: Final = "SELECT 1 FROM store_delivery WHERE campaign_id = %s LIMIT 1"
_LAST: Final = """
SELECT coalesce(max(r.number), 0) FROM store_campaign c
  JOIN store_listrow r ON r.list_id = c.list_id WHERE c.id = %s
"""
# In the order of the numbers, so that each index grows at its end.
_EXPAND: Final = """
INSERT INTO store_delivery (
    campaign_id, number, address_hash, domain, state, reason, updated_at)
SELECT c.id, r.number, r.address_hash, r.domain, 'queued', '', %s
  FROM store_campaign c
  JOIN store_listrow r ON r.list_id = c.list_id AND r.way = 'mail'
 WHERE c.id = %s AND r.number > %s AND r.number <= %s
 ORDER BY r.number
"""
_SUPPRESS: Final = """
UPDATE store_delivery d SET state = 'suppressed', reason = s.reason, updated_at = %s
  FROM store_campaign c, store_suppression s
 WHERE c.id = %s AND d.campaign_id = c.id AND d.state = 'queued'
   AND s.address_hash = d.address_hash
   AND (s.team_id IS NULL OR s.team_id = c.team_id) AND s.kinds IN ('', c.kind)
"""
# Whoever suppresses somebody now waits for the end of our transaction, and then finds
# the campaign being sent and takes the person out; whoever did before is seen.
_NO_MORE: Final = "LOCK TABLE store_suppression IN SHARE MODE"
# A row without a state names a domain that is counted by itself (migration 0015).
_FIRST_TALLY: Final = """
WITH counted AS (
    SELECT domain, state, count(*) AS number FROM store_delivery
     WHERE campaign_id = %s GROUP BY domain, state
), largest AS (
    SELECT domain FROM counted WHERE domain <> ''
     GROUP BY domain ORDER BY sum(number) DESC, domain LIMIT %s
)
INSERT INTO store_domaintally (campaign_id, domain, state, shard, number)
SELECT %s, domain, '', -1, 0 FROM largest
UNION ALL
SELECT %s, coalesce(l.domain, ''), c.state, -1, sum(c.number)
  FROM counted c LEFT JOIN largest l USING (domain)
 GROUP BY coalesce(l.domain, ''), c.state
"""
OTHER_LIST: Final = "Its list is not the one that was approved."
"""Why nothing may leave any more where the list was imported anew, or destroyed."""

_CLAIM: Final = """
WITH due AS (
    SELECT number FROM store_delivery
     WHERE campaign_id = %s AND state IN ('queued', 'delayed')
       AND number > %s AND number <= %s
       AND (next_attempt_at IS NULL OR next_attempt_at <= %s)
       AND (lease_until IS NULL OR lease_until <= %s)
     ORDER BY number LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE store_delivery d SET lease_by = %s, lease_until = %s
  FROM due WHERE d.campaign_id = %s AND d.number = due.number
RETURNING d.number, d.attempts, d.domain
"""
_FIRST: Final = """
SELECT max(number), count(*) FROM (
    SELECT number FROM store_delivery
     WHERE campaign_id = %s AND state <> 'suppressed' ORDER BY number LIMIT %s
) AS first
"""
_STATE: Final = """
SELECT c.state, l.version = c.list_version AND l.data_key IS NOT NULL AS is_same
  FROM store_campaign c LEFT JOIN store_recipientlist l ON l.id = c.list_id
 WHERE c.id = %s
"""
# One statement for all of it, which is one trip and one commit; and for both, so that
# workers take the tally's rows in one order. What the answers of a group have in
# common, which is nearly everything, is told once. The campaign's row is shared with
# other workers; whoever pauses, cancels or imports the list anew waits for those that
# began before, and is seen by all that begin after.
_TURN: Final = """
WITH standing AS (
    SELECT c.state, l.version = c.list_version AND l.data_key IS NOT NULL AS is_same
      FROM store_campaign c LEFT JOIN store_recipientlist l ON l.id = c.list_id
     WHERE c.id = %s FOR SHARE OF c
), told AS (
    SELECT o.number, false AS begins, k.code, k.status, o.sealed, o.attempt,
           CASE WHEN is_over THEN 'failed' ELSE k.state END AS state,
           CASE WHEN is_over THEN NULL ELSE k.again END AS again,
           CASE WHEN is_over THEN 'cancelled' ELSE k.reason END AS reason
      FROM unnest(%s::int[], %s::int[], %s::int[], %b::bytea[])
           AS o(number, kind, attempt, sealed)
      JOIN unnest(%b::text[], %b::smallint[], %b::text[], %b::timestamptz[],
                  %b::text[])
           WITH ORDINALITY AS k(state, code, status, again, reason, kind) USING (kind)
     CROSS JOIN standing
     CROSS JOIN LATERAL (SELECT standing.state = 'cancelled'
                            AND k.state IN ('queued', 'delayed')) AS ended(is_over)
     UNION ALL
    SELECT number, true, NULL, '', NULL, NULL, 'in doubt', NULL, ''
      FROM unnest(%s::int[]) AS b(number), standing
     WHERE standing.state = 'sending' AND is_same
), changed AS (
    UPDATE store_delivery d
       SET state = o.state, attempts = d.attempts + o.begins::int,
           reply_code = o.code, reply_status = o.status, reply_sealed = o.sealed,
           next_attempt_at = o.again, reason = o.reason, updated_at = %s,
           lease_by = CASE WHEN o.begins THEN d.lease_by ELSE '' END,
           lease_until = CASE WHEN o.begins THEN %s::timestamptz END
      FROM told o
     WHERE d.campaign_id = %s AND d.number = o.number
       AND CASE WHEN o.begins
                THEN d.state IN ('queued', 'delayed') AND d.lease_by = %s
                ELSE d.state = 'in doubt'
                     AND (o.attempt IS NULL OR o.attempt = d.attempts) END
    RETURNING d.number, o.begins, d.attempts
)
SELECT s.state, s.is_same, array_agg(c.number) FILTER (WHERE begins),
       array_agg(c.attempts) FILTER (WHERE begins), count(*) FILTER (WHERE NOT begins)
  FROM standing s LEFT JOIN changed c ON true GROUP BY 1, 2
"""
_GIVE_BACK: Final = """
UPDATE store_delivery SET lease_by = '', lease_until = NULL
 WHERE campaign_id = %s AND lease_by = %s AND lease_until IS NOT NULL
"""
_POSTPONE: Final = """
UPDATE store_delivery
   SET lease_by = '', lease_until = NULL,
       next_attempt_at = coalesce(%s, next_attempt_at)
 WHERE campaign_id = %s AND number = ANY(%b::int[]) AND lease_by = %s
   AND state IN ('queued', 'delayed')
"""
_TALLY: Final = (
    "SELECT state, sum(number)::bigint FROM store_domaintally"
    " WHERE campaign_id = %s GROUP BY state"
)
_COUNT: Final = (
    "SELECT state, count(*) FROM store_delivery WHERE campaign_id = %s GROUP BY state"
)
_LEFT: Final = """
SELECT count(*), count(*) FILTER (WHERE lease_until > %s),
       count(*) FILTER (WHERE state = 'in doubt'
                        AND (lease_until IS NULL OR lease_until <= %s)),
       min(next_attempt_at) FILTER (WHERE state <> 'in doubt')
  FROM store_delivery
 WHERE campaign_id = %s AND state IN ('queued', 'delayed', 'in doubt')
   AND number <= %s
"""
_ROWS: Final = """
SELECT number, state, attempts, reply_code, reply_status, reply_sealed, reason,
       updated_at
  FROM store_delivery
 WHERE campaign_id = %s AND number > %s AND (%s = '' OR state = %s)
 ORDER BY number LIMIT %s
"""
_DECIDE_DOUBT: Final = """
UPDATE store_delivery SET state = %s, updated_at = %s, lease_by = '',
       lease_until = NULL, reason = %s
 WHERE campaign_id = %s AND state = 'in doubt' AND updated_at <= %s
   AND (lease_until IS NULL OR lease_until <= %s) AND attempts < %s
"""
_CLAIMANTS: Final = (
    "SELECT DISTINCT lease_by FROM store_delivery WHERE lease_until > now()"
)
_IN_DOUBT: Final = DeliveryState.IN_DOUBT
_FREE: Final = (
    "UPDATE store_delivery SET lease_until = NULL"
    " WHERE lease_by = %s AND lease_until IS NOT NULL"
)
_GIVE_UP: Final = """
UPDATE store_delivery SET state = 'failed', reason = %s, updated_at = %s,
       lease_by = '', lease_until = NULL
 WHERE campaign_id = %s AND state IN ('queued', 'delayed')
"""
_ALL: Final = 2**31 - 1
EXPANDED_AT_ONCE: Final = 50_000
"""Rows of a list between two words about how far its ledger is."""

DOMAINS: Final = 24
"""The largest domains of a list are counted each, all others together."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """One row that a worker took: its number, how often it was tried, its domain."""

    number: int
    attempts: int
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Marked:
    """What became of one delivery that was in doubt.

    ``code`` and ``status`` are the reply's (RFC 5321 §4.2, RFC 3463), ``reply`` its
    text, which may hold an address and is sealed. ``again_at`` for a delayed one.
    ``attempt`` is the one that was answered: an answer to an older one counts for
    nothing. None for whichever was the last.
    """

    number: int
    state: DeliveryState
    code: int | None = None
    status: str = ""
    reply: str = field(default="", repr=False)
    again_at: datetime | None = None
    reason: str = ""
    attempt: int | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What was begun: rows with the number of their attempt. And what was recorded.

    ``because`` says why nothing may be begun any more; empty where it may.
    """

    begun: Mapping[int, int]
    recorded: int
    because: str = ""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row as the pages and the proof show it; ``reply`` may hold an address."""

    number: int
    state: DeliveryState
    attempts: int
    code: int | None
    status: str
    reply: str = field(repr=False)
    reason: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Left:
    """What is still to be done.

    ``open`` in all; ``in_hand`` of a worker; ``in_doubt`` in nobody's hand; and when
    the next of the others is due.
    """

    open: int
    in_hand: int
    in_doubt: int
    next_at: datetime | None


def expand(
    connection: Connection,
    campaign_id: str,
    now: datetime,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the row of every person to be mailed; how many. Twice is once.

    Who is suppressed stands in it as such, however late they asked. Part of the
    caller's transaction, which has the campaign's row in hand; ``analyse`` comes after
    its commit. ``progress`` is told now and then how many are written, of a long list.
    """
    if connection.one(_EXPANDED, (campaign_id,)) is not None:
        return 0
    row = connection.one(_LAST, (campaign_id,))
    last, written = row[0] if row else 0, 0
    for after in range(0, last, EXPANDED_AT_ONCE):
        until = min(after + EXPANDED_AT_ONCE, last)
        values = (now, campaign_id, after, until)
        written += connection.run(_EXPAND, values).rowcount
        if progress is not None and until < last:
            progress(written)
    connection.run(_FIRST_TALLY, (campaign_id, DOMAINS, campaign_id, campaign_id))
    connection.run(_SUPPRESS, (now, campaign_id))
    connection.run(_NO_MORE)
    connection.run(_SUPPRESS, (now, campaign_id))
    return written


def analyse() -> None:
    """Tell the planner of new rows: without it the first updates read them all."""
    with database() as connection:
        connection.run("ANALYZE store_delivery")


def first(campaign_id: str, most: int) -> tuple[int, int]:
    """The number of the last of the first people who are mailed, and how many.

    ``most`` people at the most; both 0 where there is nobody.
    """
    with database() as connection:
        row = connection.one(_FIRST, (campaign_id, most))
    return (row[0] or 0, row[1]) if row else (0, 0)


def claim(
    campaign_id: str,
    *,
    by: str,
    limit: int,
    lease: timedelta,
    now: datetime,
    after: int = 0,
    last: int = _ALL,
) -> list[Claimed]:
    """Take rows whose time has come, lowest numbers first.

    Only from behind the number ``after`` up to the number ``last``. Raises
    TransientError.
    """
    values = (campaign_id, after, last, now, now, limit, by, now + lease, campaign_id)
    with database() as connection:
        rows = connection.all(_CLAIM, values)
    return sorted((Claimed(*row) for row in rows), key=lambda one: one.number)


def turn(
    campaign_id: str,
    outcomes: Sequence[Marked],
    numbers: Sequence[int],
    *,
    by: str,
    lease: timedelta,
    now: datetime,
) -> Turn:
    """Record answers, and write down what is about to leave next: durable on return.

    Nothing may leave any more where the campaign is not being sent, or where its list
    is another one than was approved. Raises TransientError.
    """
    values = (campaign_id, *_told(campaign_id, outcomes), _numbers(numbers))
    with database() as connection:
        row = connection.one(_TURN, (*values, now, now + lease, campaign_id, by))
    state, is_same, begun, attempts, recorded = row or ("", False, (), (), 0)
    because = _why_not(state, is_same=bool(is_same))
    return Turn(dict(zip(begun or (), attempts or (), strict=True)), recorded, because)


def begin(
    campaign_id: str,
    numbers: Sequence[int],
    *,
    by: str,
    now: datetime,
    lease: timedelta = timedelta(minutes=5),
) -> frozenset[int]:
    """Only write down that these are about to leave; those that may."""
    begun = turn(campaign_id, (), numbers, by=by, lease=lease, now=now).begun
    return frozenset(begun)


def mark(campaign_id: str, outcomes: Sequence[Marked], now: datetime) -> int:
    """Only record answers; how many rows were still in doubt."""
    lease = timedelta()
    return turn(campaign_id, outcomes, (), by="", lease=lease, now=now).recorded


def because_of(campaign_id: str) -> str:
    """Why nothing of a campaign may be begun now; empty where it may."""
    with database() as connection:
        state, is_same = connection.one(_STATE, (campaign_id,)) or ("", False)
    return _why_not(state, is_same=bool(is_same))


def _why_not(state: str, *, is_same: bool) -> str:
    if state != "sending":
        return "It is not being sent."
    return "" if is_same else OTHER_LIST


def _told(campaign_id: str, outcomes: Sequence[Marked]) -> tuple[object, ...]:
    """Outcomes as the statement takes them: each, and what several have in common."""
    sealer = crypto.keys().sealer("reply")
    kinds: dict[tuple[object, ...], int] = {}
    numbers, kind, attempts, sealed = [], [], [], []
    for one in outcomes:
        common = (one.state.value, one.code, one.status[:16], one.again_at, one.reason)
        kind.append(kinds.setdefault(common, len(kinds) + 1))
        numbers.append(one.number)
        attempts.append(one.attempt)
        sealed.append(sealed_reply(campaign_id, one.number, one.reply, sealer))
    columns = map(list, zip(*kinds, strict=True)) if kinds else ([],) * 5
    return (_numbers(numbers), _numbers(kind), _numbers(attempts), sealed, *columns)


def _numbers(numbers: Sequence[int | None]) -> str:
    """An array of PostgreSQL, written out: much quicker than one value at a time."""
    return f"{{{','.join('NULL' if one is None else str(one) for one in numbers)}}}"


def give_back(campaign_id: str, *, by: str) -> None:
    """End the worker's leases: it has nothing of the campaign in hand any more.

    What it had begun and could not record stays in doubt. Raises TransientError.
    """
    with database() as connection:
        connection.run(_GIVE_BACK, (campaign_id, by))


def postpone(
    campaign_id: str, numbers: Sequence[int], *, by: str, until: datetime | None
) -> None:
    """Leave claimed rows for later; with None, for whoever comes next."""
    with database() as connection:
        connection.run(_POSTPONE, (until, campaign_id, list(numbers), by))


def take(key: str, wanted: int, *, number: float, per: timedelta, now: datetime) -> int:
    """How many may leave now under a rate that all workers share, taken at once.

    A negative number gives back what was taken and did not leave.
    """
    values = (key, float(wanted), number / per.total_seconds(), float(number), now)
    with database() as connection:
        row = connection.one("SELECT store_take(%s, %s, %s, %s, %s)", values)
    return int(row[0]) if row else 0


def counts(campaign_id: str) -> Mapping[DeliveryState, int]:
    """How many are in each state, from the tally: as quick for a million as for ten."""
    with database() as connection:
        rows = connection.all(_TALLY, (campaign_id,))
    return {DeliveryState(state): number for state, number in rows if number}


def counted(campaign_id: str) -> Mapping[DeliveryState, int]:
    """The same, counted row by row: asked before a campaign may be called done."""
    with database() as connection:
        rows = connection.all(_COUNT, (campaign_id,))
    return {DeliveryState(state): number for state, number in rows}


def left(campaign_id: str, now: datetime, last: int = _ALL) -> Left:
    """What is still to be done, up to the number ``last``.

    Few rows are open near the end; asked only then.
    """
    with database() as connection:
        row = connection.one(_LEFT, (now, now, campaign_id, last))
    return Left(*row) if row else Left(0, 0, 0, None)


def rows(
    campaign_id: str,
    *,
    after: int = 0,
    state: DeliveryState | None = None,
    limit: int = 1000,
) -> list[LedgerRow]:
    """Rows in the order of their numbers, from behind ``after`` on."""
    wanted = state.value if state else ""
    with database() as connection:
        found = connection.all(_ROWS, (campaign_id, after, wanted, wanted, limit))
    sealer = crypto.keys().sealer("reply")
    return [
        LedgerRow(
            number,
            DeliveryState(at),
            attempts,
            code,
            status,
            opened_reply(campaign_id, number, sealed, sealer),
            reason,
            updated_at,
        )
        for number, at, attempts, code, status, sealed, reason, updated_at in found
    ]


def decide_doubt(
    connection: Connection,
    campaign_id: str,
    state: DeliveryState,
    now: datetime,
    *,
    reason: str,
    before: datetime | None = None,
    attempts: int = _ALL,
) -> int:
    """Decide all that is in doubt and in nobody's hand: again, or as sent.

    ``before``: only what was begun until then; ``attempts``: only what was tried less
    often. ``store.doubt`` writes the journal.
    """
    values = (state.value, now, reason, campaign_id, before or now, now, attempts)
    return connection.run(_DECIDE_DOUBT, values).rowcount


def free_leases_of_the_dead() -> int:
    """Give back what workers without a sign of life had claimed; how many workers.

    What such a worker had begun stays in doubt. Raises TransientError.
    """
    freed = 0
    with transaction() as connection:
        for (name,) in connection.all(_CLAIMANTS):
            if presence.is_dead(connection, name):
                connection.run(_FREE, (name,))
                freed += 1
    return freed


def give_up(
    connection: Connection, campaign_id: str, now: datetime, *, reason: str
) -> int:
    """End all that was not begun, once the campaign was cancelled; how many.

    What a worker had claimed, too: it cannot begin it any more.
    """
    return connection.run(_GIVE_UP, (reason, now, campaign_id)).rowcount


def sealed_reply(
    campaign_id: str, number: int, reply: str, sealer: crypto.DataKey | None = None
) -> bytes | None:
    """What was said of a delivery, sealed for its row; None where nothing was.

    Who has many to seal gives the ``sealer`` of replies along.
    """
    if not reply:
        return None
    sealer = sealer or crypto.keys().sealer("reply")
    return sealer.seal(reply.encode("utf-8", "replace"), _reply_of(campaign_id, number))


def opened_reply(
    campaign_id: str,
    number: int,
    sealed: bytes | None,
    sealer: crypto.DataKey | None = None,
) -> str:
    """The same, opened; empty where nothing was said. Raises SealBroken."""
    if not sealed:
        return ""
    sealer = sealer or crypto.keys().sealer("reply")
    return sealer.open(bytes(sealed), _reply_of(campaign_id, number)).decode()


def _reply_of(campaign_id: str, number: int) -> str:
    return f"reply/{campaign_id}/{number}"
