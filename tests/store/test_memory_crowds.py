# SPDX-License-Identifier: Apache-2.0
"""A hidden audience of any size: the same as a small one, and whole or not at all."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from undisclosed.core.address import Address
from undisclosed.errors import TransientError
from undisclosed.store import memory_crowds
from undisclosed.store.database import database as connected
from undisclosed.store.memory import PostgresMemory
from undisclosed.store.models import Audience, AudienceMember

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def people(numbers):
    return [Address(f"p{number}", "a.example") for number in numbers]


def hide(group, now=NOW, *, is_sensitive=False):
    PostgresMemory().hide(group, is_sensitive=is_sensitive, now=now)


def kept():
    """Every audience as it is kept, but for its id."""
    return [
        (
            bytes(one.set_hash),
            one.people,
            one.is_sensitive,
            set(
                AudienceMember.objects.filter(audience_id=one.pk).values_list(
                    "person", flat=True
                )
            ),
        )
        for one in Audience.objects.order_by("set_hash")
    ]


@pytest.fixture
def group(monkeypatch):
    """Groups of so few that a handful of people are several."""
    monkeypatch.setattr(memory_crowds, "GROUP", 3)


@settings(max_examples=25)
@given(numbers=st.lists(st.integers(0, 9), max_size=12))
def test_a_crowd_is_kept_as_a_handful_of_the_same_people_is(request, numbers):
    request.getfixturevalue("database").empty()
    hide(people(numbers))
    expected = kept()
    request.getfixturevalue("database").empty()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_crowds, "GROUP", 3)
        hide(people(numbers))

    assert kept() == expected


def test_the_same_crowd_is_kept_once_and_renewed(database, group):
    hide(people(range(10)))
    hide(people(reversed(range(10))), NOW + timedelta(days=1), is_sensitive=True)

    assert [row[1:3] for row in kept()] == [(10, True)]
    assert Audience.objects.get().at == NOW + timedelta(days=1)
    assert AudienceMember.objects.count() == 10


def test_two_crowds_in_one_transaction_do_not_meet(database, group):
    with connected() as connection, connection.raw.transaction():
        hide(people(range(10)))
        hide(people(range(5, 20)))

    assert [row[1] for row in kept()] == [10, 15] or [row[1] for row in kept()] == [
        15,
        10,
    ]


def test_who_is_cut_off_between_two_groups_leaves_nothing_behind(database, group):
    class Killed(Exception):
        pass

    def cut_off():
        yield from people(range(7))
        raise Killed

    with pytest.raises(Killed):
        hide(cut_off())
    assert kept() == []
    hide(people(range(7)))
    assert [row[1] for row in kept()] == [7]


def test_a_database_that_ends_between_two_groups_leaves_nothing_behind(database, group):
    def ended():
        yield from people(range(7))
        with psycopg.connect(database.url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND state = 'idle in transaction'"
            )
        yield from people(range(7, 14))

    with pytest.raises(TransientError):
        hide(ended())
    assert kept() == []


def test_a_reader_never_sees_half_of_a_crowd(database, group):
    seen = []

    def looking():
        for one in people(range(9)):
            with psycopg.connect(database.url) as other:
                row = other.execute("SELECT count(*) FROM store_audiencemember")
                seen.append(row.fetchone()[0])
            yield one

    hide(looking())

    assert set(seen) == {0}
    assert AudienceMember.objects.count() == 9
