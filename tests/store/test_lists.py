# SPDX-License-Identifier: Apache-2.0
"""A list is imported whole or not at all, sealed, and gone with its key."""

from datetime import timedelta

import psycopg
import pytest

from tests.store.campaigns import (
    COLUMNS,
    NOW,
    recipient_list,
    row,
    sending,
    set_state,
)
from undisclosed.core.address import Address
from undisclosed.core.campaign import CampaignState, Row, Way
from undisclosed.store import crypto, lists
from undisclosed.store.lists import ListInUse, NoSuchList
from undisclosed.store.models import JournalEntry, ListRow, RecipientList

POSTED = Row(9, None, {"Email": "", "Name": "Paul"}, Way.POST)


def imported(made, rows, **more):
    return lists.import_rows(made.pk, COLUMNS, rows, by="test", now=NOW, **more)


def test_what_is_imported_is_read_again(database):
    made = recipient_list(0)

    done = imported(made, [*map(row, range(1, 4)), POSTED])

    assert (done.rows, done.mailed) == (4, 3)
    assert lists.columns(made.pk) == COLUMNS
    assert list(lists.rows(made.pk)) == [*map(row, range(1, 4)), POSTED]
    assert list(lists.rows(made.pk, way=Way.POST)) == [POSTED]
    assert lists.some(made.pk, [2, 77]) == {2: row(2)}
    assert lists.ways(made.pk) == {Way.MAIL: 3, Way.POST: 1}
    assert lists.on_paper(made.pk) == {Way.POST: 1}


def test_more_rows_than_are_fetched_at_once_come_in_order(database):
    made = recipient_list(2_500)

    assert [one.number for one in lists.rows(made.pk)] == list(range(1, 2_501))
    assert next(lists.rows(made.pk, after=2_000)).number == 2_001


def test_an_import_replaces_all_under_another_key(database):
    made = recipient_list(3)
    before = bytes(made.data_key)

    imported(made, [row(8)])

    made.refresh_from_db()
    assert [one.number for one in lists.rows(made.pk)] == [8]
    assert (made.version, bytes(made.data_key) != before) == (2, True)


def test_an_import_that_breaks_leaves_the_list_as_it_was(database):
    made = recipient_list(3)

    def broken():
        yield row(8)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        imported(made, broken())

    assert [one.number for one in lists.rows(made.pk)] == [1, 2, 3]


def test_one_person_stands_on_a_list_once(database):
    made = recipient_list(0)
    twice = Row(2, Address("P1", "A.example"), {"Email": "P1@A.example", "Name": "x"})

    with pytest.raises(psycopg.errors.UniqueViolation):
        imported(made, [row(1), twice])


def test_nothing_of_a_row_stands_readable_in_the_table(database):
    made = recipient_list(3)

    with psycopg.connect(database.url) as connection:
        rows = connection.execute("SELECT * FROM store_listrow").fetchall()
    stored = b"".join(x for one in rows for x in one if isinstance(x, bytes))
    assert len(rows) == 3
    assert b"p1" not in stored
    assert b"P1" not in stored
    assert crypto.address_hash(Address("p1", "a.example")) in stored
    assert made.columns_sealed is not None


def test_a_domain_that_few_share_is_not_written_down(database):
    made = recipient_list(0)
    own = Row(2, Address("me", "own.example"), {"Email": "x", "Name": "y"})

    imported(made, [row(1), own], shared_domains=frozenset(("a.example",)))

    assert list(ListRow.objects.values_list("domain", flat=True)) == ["a.example", ""]


def test_a_destroyed_list_is_gone_and_journalled(database):
    made = recipient_list(3)

    lists.destroy(made.pk, by="sam", now=NOW)

    made.refresh_from_db()
    assert (made.data_key, made.rows, ListRow.objects.count()) == (None, 0, 0)
    with pytest.raises(NoSuchList):
        lists.columns(made.pk)
    with pytest.raises(NoSuchList):
        lists.destroy(made.pk, by="sam", now=NOW)
    with pytest.raises(NoSuchList):
        imported(made, [row(1)])
    events = list(JournalEntry.objects.values_list("event", flat=True))
    assert events[-3:] == ["list made", "list imported", "list destroyed"]


def test_a_masked_row_tells_nobody(database):
    shown = lists.masked(row(17))

    assert shown.address is None
    assert set(shown.values.values()) == {"▇▇▇@▇▇▇", "▇▇▇"}


def test_a_value_of_one_sign_is_masked_whole(database):
    shown = lists.masked(Row(1, None, {"Ill": "Y", "Well": ""}))

    assert shown.values == {"Ill": "▇▇▇", "Well": ""}


def test_progress_is_told_on_the_way(database):
    made, told = recipient_list(0), []

    imported(made, map(row, range(1, 20_002)), progress=told.append)

    assert told == [10_000, 20_000]


def test_a_list_that_is_being_mailed_is_neither_changed_nor_destroyed(database):
    sending(3)
    made = RecipientList.objects.get()

    with pytest.raises(ListInUse):
        imported(made, [row(8)])
    with pytest.raises(ListInUse):
        lists.destroy(made.pk, by="test", now=NOW)

    assert [one.number for one in lists.rows(made.pk)] == [1, 2, 3]


def test_a_list_goes_after_its_last_day_unless_it_is_being_mailed(database):
    campaign = sending(1)
    made = RecipientList.objects.get()
    day = timedelta(days=1)
    RecipientList.objects.update(keep_until=NOW.date())

    assert lists.destroy_over(NOW, 10) == 0
    assert lists.destroy_over(NOW + day, 10) == 0
    set_state(campaign, CampaignState.DONE)
    assert lists.destroy_over(NOW + day, 10) == 1

    made.refresh_from_db()
    assert (made.data_key, made.destroyed_at) == (None, NOW + day)
