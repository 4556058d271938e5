# SPDX-License-Identifier: Apache-2.0
"""Lists as a campaign's pages and approvals see them: counts, never a row."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from undisclosed.core.campaign import Sensitivity
from undisclosed.store.database import database
from undisclosed.store.lists import NoSuchList

_LISTS: Final = """
SELECT l.id, l.name, l.purpose, l.legal_basis, l.sensitivity, l.rows, l.mailed,
       l.version, t.is_trial
  FROM store_recipientlist l JOIN store_team t ON t.id = l.team_id
 WHERE l.data_key IS NOT NULL
"""
_GET: Final = f"{_LISTS} AND l.id = %s"
_OF_TEAM: Final = f"{_LISTS} AND l.team_id = %s ORDER BY l.imported_at DESC, l.id"

_NEIGHBOURS: Final = """
WITH mailed AS NOT MATERIALIZED (
    SELECT number FROM store_listrow WHERE list_id = %s AND way = 'mail'
), wanted AS (
    SELECT coalesce((SELECT min(number) FROM mailed WHERE number >= %s),
                    (SELECT max(number) FROM mailed)) AS number
)
SELECT coalesce(number, 0),
       coalesce((SELECT max(number) FROM mailed m WHERE m.number < wanted.number), 0),
       coalesce((SELECT min(number) FROM mailed m WHERE m.number > wanted.number), 0)
  FROM wanted
"""


@dataclass(frozen=True, slots=True)
class ListSummary:
    """What is known of a list without opening it. ``is_trial`` is its team's."""

    id: str
    name: str = field(repr=False)
    purpose: str = field(repr=False)
    legal_basis: str = field(repr=False)
    sensitivity: Sensitivity
    rows: int
    mailed: int
    version: int
    is_trial: bool


def get(list_id: str) -> ListSummary:
    """One list. Raises NoSuchList."""
    with database() as connection:
        row = connection.one(_GET, (list_id,))
    if row is None:
        raise NoSuchList(list=list_id)
    return _summary(row)


def of_team(team: object) -> list[ListSummary]:
    """The lists of a team that have anybody on them, the newest first."""
    with database() as connection:
        return [_summary(row) for row in connection.all(_OF_TEAM, (team,))]


def neighbours(list_id: str, asked: int) -> tuple[int, int, int]:
    """The number of the row asked for, or of the next mailed one, and those beside it.

    0 where there is none.
    """
    with database() as connection:
        row = connection.one(_NEIGHBOURS, (list_id, asked))
    return (row[0], row[1], row[2]) if row else (0, 0, 0)


def _summary(row: Sequence[Any]) -> ListSummary:
    list_id, name, purpose, basis, sensitivity, *rest = row
    return ListSummary(list_id, name, purpose, basis, Sensitivity(sensitivity), *rest)
