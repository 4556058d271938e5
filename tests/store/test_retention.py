# SPDX-License-Identifier: Apache-2.0
"""What is over is gone, and nothing that is still needed."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from tests.guard.memory_contract import people, reserve, wave
from tests.guard.spool_contract import (
    CONTENT,
    NOW,
    copies_of,
    new_hold,
    own_mail,
)
from undisclosed.core.held import CopyEvent, HoldEvent, NoSuchHold
from undisclosed.store import circles, control, memory_retention, retention
from undisclosed.store.memory import PostgresMemory
from undisclosed.store.spool import PostgresSpool

DAY = timedelta(days=1)


def purge(database, now):
    settings = replace(
        database.settings,
        holds=replace(database.settings.holds, keep=5 * DAY),
        store=replace(
            database.settings.store,
            memory_retention=10 * DAY,
            audience_retention=20 * DAY,
        ),
    )
    return retention.purge(settings, now)


def counted(database, table):
    with psycopg.connect(database.url) as connection:
        query = f"SELECT count(*) FROM {table}"  # noqa: S608
        return connection.execute(query).fetchone()[0]


def split(*names):
    spool = PostgresSpool()
    hold_id = spool.hold(new_hold()).id
    copies = copies_of(hold_id, *names)
    spool.decide(hold_id, HoldEvent.SEND_SINGLY, copies, by="olive", now=NOW)
    return spool, hold_id, copies


def test_a_decided_mail_goes_with_its_key_when_its_time_is_over(database):
    spool, hold_id, (copy,) = split("ann")
    spool.mark(copy.id, CopyEvent.REPLY_2XX, "250 OK", now=NOW)

    assert purge(database, NOW + 4 * DAY) == 0
    assert spool.content(hold_id) == CONTENT
    assert purge(database, NOW + 6 * DAY) == 1

    for ask in (spool.get, spool.content):
        with pytest.raises(NoSuchHold):
            ask(hold_id)
    assert counted(database, "store_heldchunk") == 0
    assert counted(database, "store_outgoingmail") == 0
    assert counted(database, "store_heldmail WHERE data_key IS NOT NULL") == 0
    assert counted(database, "store_heldmail") == 1
    assert not spool.of_mailing("mailing-1")


def test_nothing_goes_while_a_copy_is_to_leave_or_to_be_reported(database):
    spool, hold_id, (ann, bob) = split("ann", "bob")
    spool.mark(ann.id, CopyEvent.REPLY_5XX, "550 No", now=NOW)
    spool.mark(bob.id, CopyEvent.REPLY_4XX, "451", now=NOW, retry_at=NOW + 30 * DAY)

    assert purge(database, NOW + 20 * DAY) == 0
    spool.mark(bob.id, CopyEvent.REPLY_2XX, "250", now=NOW)
    assert purge(database, NOW + 20 * DAY) == 0
    assert spool.content(hold_id) == CONTENT

    spool.report([ann.id], None, now=NOW)
    assert purge(database, NOW + 20 * DAY) == 1


def test_an_undecided_mail_never_goes(database):
    spool = PostgresSpool()
    hold_id = spool.hold(new_hold()).id

    purge(database, NOW + 900 * DAY)

    assert spool.content(hold_id) == CONTENT


def test_our_own_mail_goes_after_it_left(database):
    spool = PostgresSpool()
    spool.queue([own_mail("sent"), own_mail("waiting")], now=NOW)
    spool.mark("sent", CopyEvent.REPLY_2XX, "250", now=NOW)

    purge(database, NOW + 6 * DAY)

    assert counted(database, "store_outgoingmail") == 1


def test_memory_forgets_in_time(database):
    memory = PostgresMemory()
    reserve(memory, wave("one"))
    reserve(memory, wave("two", range(100, 200)), NOW + 5 * DAY)

    assert purge(database, NOW + 9 * DAY) == 0
    assert purge(database, NOW + 11 * DAY) == 1
    assert counted(database, "store_mailing") == 1
    assert purge(database, NOW + 16 * DAY) == 1
    assert counted(database, "store_mailing") == 0


def test_threads_and_hidden_audiences_go_some_time_after_their_last_mail(database):
    memory = PostgresMemory()
    memory.learn(people(range(9)), now=NOW)
    memory.hide(people(range(9)), is_sensitive=False, now=NOW)
    memory.hide(people(range(9)), is_sensitive=False, now=NOW + 5 * DAY)

    purge(database, NOW + 19 * DAY)
    assert counted(database, "store_audience") == 2
    purge(database, NOW + 21 * DAY)
    assert counted(database, "store_audience WHERE kind = 'hidden'") == 1
    assert counted(database, "store_audiencemember") == 9
    purge(database, NOW + 26 * DAY)

    assert counted(database, "store_audience") == 0
    assert counted(database, "store_audiencemember") == 0


def test_one_large_audience_goes_at_a_time(database, monkeypatch):
    memory = PostgresMemory()
    monkeypatch.setattr(memory_retention, "MOST_PEOPLE", 10)
    for first in range(0, 40, 10):
        memory.learn(people(range(first, first + 8)), now=NOW)

    left = []
    for _ in range(3):
        purge(database, NOW + 30 * DAY)
        left.append(counted(database, "store_audience"))

    assert left == [2, 0, 0]


def test_ended_circles_and_controls_go_when_nobody_has_to_look_at_them(database):
    until = NOW + 3 * DAY
    circles.declare(
        people(range(4)), owner="1", reason="a", until=until, by="1", now=NOW
    )
    control.impose(people(range(1)), reason="a", by="1", until=until, now=NOW)

    purge(database, NOW + 4 * DAY)
    assert counted(database, "store_audience") == 0
    assert counted(database, "store_circle") == 1
    purge(database, NOW + 9 * DAY)

    assert counted(database, "store_circle") == 0
    assert counted(database, "store_visiblemailcontrol") == 0
