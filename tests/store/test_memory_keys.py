# SPDX-License-Identifier: Apache-2.0
"""The keys of Memory: exchanged while mail goes on, and destroyed in the end."""

from dataclasses import replace
from datetime import timedelta

import psycopg

from tests.guard.memory_contract import (
    DAY,
    NOW,
    WINDOW,
    asking,
    counts,
    known,
    mailing,
    people,
    pieces,
    reserve,
    show,
    together,
    wave,
)
from tests.postgres import MASTER_KEY
from undisclosed.core.held import WaveState
from undisclosed.core.known import HiddenAudience
from undisclosed.store import circles, memory_keys, retention
from undisclosed.store.crypto import Keys
from undisclosed.store.memory import PostgresMemory


def memory():
    return PostgresMemory(Keys(MASTER_KEY))


def key_ids(database):
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "SELECT key_id, wrapped IS NULL, retired_at IS NULL"
            " FROM store_memorykey ORDER BY id"
        ).fetchall()


def used(database, table):
    with psycopg.connect(database.url) as connection:
        query = f"SELECT DISTINCT key_id FROM {table}"  # noqa: S608
        return {row[0] for row in connection.execute(query)}


def test_a_mailing_goes_on_under_its_key_and_counts_people_once(database):
    kept = memory()
    reserve(kept, wave("one", range(0, 100)))

    memory_keys.rotate(now=NOW)
    found = [
        mailing(kept, wave("two", range(50, 150)), NOW + DAY),
        mailing(memory(), wave("three", range(100, 200)), NOW + DAY),
    ]

    assert [each.people for each in found] == [150, 200]
    assert found[1].waves == 3


def test_a_new_mailing_is_hashed_with_the_new_key(database):
    kept = memory()
    reserve(kept, wave("one"))
    new = memory_keys.rotate(now=NOW)

    reserve(kept, wave("other", sender="sam@council.example"))

    assert used(database, "store_rememberedwave") == {Keys(MASTER_KEY).id, new}


def test_what_was_hidden_shown_or_declared_before_is_still_known(database):
    kept = memory()
    kept.hide(people(range(9)), is_sensitive=False, now=NOW)
    kept.learn(people(range(20, 29)), now=NOW)
    circles.declare(
        people(range(40, 49)),
        owner="1",
        reason="a",
        until=NOW + 9 * DAY,
        by="1",
        now=NOW,
    )

    for _ in range(2):
        memory_keys.rotate(now=NOW)
    found = known(kept, asking("one", (*range(5), *range(20, 25), *range(40, 45))))

    assert found.hidden == (HiddenAudience(people(range(5))),)
    assert found.threads == (people(range(20, 25)),)
    assert found.circles == (people(range(40, 45)),)


def test_a_retry_a_recall_and_a_transaction_find_their_mail(database):
    kept = memory()
    first = reserve(kept, replace(wave("one"), message_id="1@council.example"))
    memory_keys.rotate(now=NOW)

    again = reserve(kept, wave("one"))
    part = mailing(kept, replace(asking("p", range(2)), message_id="1@council.example"))
    recall = wave(
        "recall", (), audience=people(range(5)), recalls="newsletter", subject="x"
    )

    assert again.id == first.id
    assert counts(part) == (100, 9902, 2)
    assert known(kept, recall).recalled


def test_who_joined_a_thread_is_counted_over_an_exchange(database):
    kept = memory()
    kept.learn(people(range(20)), now=NOW)
    show(kept, together("one", (*range(20), 100)))
    memory_keys.rotate(now=NOW)
    show(kept, together("two", (*range(20), 100, 101)))

    found = known(kept, together("three", (*range(20), 100, 101, 102)))

    assert found.joined == 2


def test_what_is_settled_after_an_exchange_is_settled(database):
    kept = memory()
    place = reserve(kept, together("one", range(9)))
    gone = reserve(kept, wave("two"))
    memory_keys.rotate(now=NOW)

    kept.settle(place.id, WaveState.SHOWN)
    kept.settle(gone.id, WaveState.CANCELLED)

    assert known(kept, together("three", range(9))).threads == (people(range(9)),)
    assert mailing(kept, wave("four")).waves == 1


def test_a_retired_key_is_destroyed_when_nothing_is_hashed_with_it(database):
    kept = memory()
    reserve(kept, wave("one"))
    kept.hide(people(range(9)), is_sensitive=False, now=NOW)
    new = memory_keys.rotate(now=NOW)
    master = Keys(MASTER_KEY).id
    assert key_ids(database) == [(master, True, False), (new, False, True)]
    keep = replace(
        database.settings.store,
        memory_retention=5 * DAY,
        audience_retention=9 * DAY,
    )
    settings = replace(database.settings, store=keep)

    retention.purge(settings, NOW + 6 * DAY)
    assert len(key_ids(database)) == 2
    retention.purge(settings, NOW + 10 * DAY)

    assert key_ids(database) == [(new, False, True)]
    reserve(kept, wave("later"), NOW + 10 * DAY)
    assert used(database, "store_rememberedwave") == {new}


def test_the_newest_key_stays_though_nothing_is_hashed_with_it(database):
    new = memory_keys.rotate(now=NOW)

    retention.purge(database.settings, NOW + timedelta(days=4000))

    assert [each[0] for each in key_ids(database)] == [new]


def test_without_the_key_that_was_destroyed_nobody_is_found(database):
    """The old key is gone for good where it was random; the master key never was."""
    kept = memory()
    memory_keys.rotate(now=NOW)
    kept.learn(people(range(9)), now=NOW)
    memory_keys.rotate(now=NOW)
    with psycopg.connect(database.url) as connection:
        connection.execute("DELETE FROM store_memorykey WHERE retired_at IS NOT NULL")

    assert known(memory(), asking("one", range(9))).threads == ()


def test_two_processes_during_an_exchange_see_one_another(database):
    early, late = memory(), memory()
    reserve(early, wave("one", range(0, 10), shingles=pieces("x")))
    memory_keys.rotate(now=NOW)

    found = [
        late.reserve(
            wave("two", range(10, 20), shingles=pieces("x")), window=WINDOW, now=NOW
        ),
        early.reserve(
            wave("three", range(20, 30), shingles=pieces("x")), window=WINDOW, now=NOW
        ),
    ]

    assert [each.known.mailing.people for each in found] == [20, 30]
