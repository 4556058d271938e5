# SPDX-License-Identifier: Apache-2.0
"""How far long work is, told from inside a transaction that nobody can look into."""

from datetime import UTC, datetime, timedelta

import pytest

from undisclosed.store import progress
from undisclosed.store.database import transaction
from undisclosed.store.models import Progress as Kept
from undisclosed.store.progress import OLD, Deed, Progress, told


def now():
    return datetime.now(UTC)


def known(key="c1"):
    found = progress.of(key, now())
    return found and (found.deed, found.done, found.whole)


def wait_for(done):
    end = now() + timedelta(seconds=20)
    while known() is None or known()[1] != done:
        assert now() < end


def test_others_hear_of_work_before_its_transaction_ends_and_no_more_after(database):
    heard = []

    with transaction(), told("c1", Deed.WRITING, 30, heard.append) as tell:
        tell(10)
        wait_for(10)
        assert known() == (Deed.WRITING, 10, 30)

    assert known() is None
    assert heard == [10]


def test_what_was_cut_off_is_forgotten_with_the_time(database):
    Kept.objects.create(key="c1", deed="hiding", done=1, whole=2, at=now() - OLD)
    Kept.objects.create(key="c2", deed="hiding", done=1, whole=2, at=now())

    assert known("c1") is None
    assert isinstance(progress.of("c2", now()), Progress)
    with told("c3", Deed.READING, 3) as tell:
        tell(1)
    assert list(Kept.objects.values_list("key", flat=True)) == ["c2"]


def test_work_that_fails_is_told_of_no_more(database):
    with pytest.raises(ZeroDivisionError), told("c1", Deed.CHECKING, 3) as tell:
        tell(1)
        wait_for(1)
        raise ZeroDivisionError

    assert known() is None


def test_short_work_asks_the_database_nothing(database):
    with told("c1", Deed.WRITING, 3):
        pass

    assert not Kept.objects.exists()
