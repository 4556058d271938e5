# SPDX-License-Identifier: Apache-2.0
"""Lists as campaigns see them: counts, and who stands beside whom."""

import pytest

from tests.store import campaigns as made
from undisclosed.core.campaign import Row, Way
from undisclosed.store import campaign_lists, lists
from undisclosed.store.lists import NoSuchList


@pytest.fixture
def list_id(database):
    """Rows 1 to 5; the third is phoned."""
    found = made.recipient_list(1).pk
    rows = [made.row(number) for number in (1, 2, 4, 5)]
    phoned = Row(3, None, {"Email": "", "Name": "P3"}, Way.PHONE)
    rows.insert(2, phoned)
    lists.import_rows(found, made.COLUMNS, rows, by="test", now=made.NOW)
    return found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param(1, (1, 0, 2), id="the first"),
        pytest.param(2, (2, 1, 4), id="beside one who is phoned"),
        pytest.param(3, (4, 2, 5), id="one who is phoned"),
        pytest.param(5, (5, 4, 0), id="the last"),
        pytest.param(99, (5, 4, 0), id="behind the last"),
    ],
)
def test_only_those_who_are_mailed_are_gone_through(list_id, asked, found):
    assert campaign_lists.neighbours(list_id, asked) == found


def test_a_list_is_summed_up_without_opening_it(list_id):
    found = campaign_lists.get(list_id)

    assert (found.rows, found.mailed, found.version) == (5, 4, 2)
    assert campaign_lists.of_team(lists_team(list_id)) == [found]


def lists_team(list_id):
    from undisclosed.store.models import RecipientList

    return RecipientList.objects.get(pk=list_id).team_id


def test_a_destroyed_list_is_no_list_of_a_campaign(list_id):
    lists.destroy(list_id, by="test", now=made.NOW)

    with pytest.raises(NoSuchList):
        campaign_lists.get(list_id)
    assert campaign_lists.neighbours(list_id, 1) == (0, 0, 0)
