# SPDX-License-Identifier: Apache-2.0
"""Addresses are looked up by the newest key, all of them from one moment on."""

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import django.db
import psycopg
import pytest

from tests.guard.memory_contract import reserve, wave
from tests.guard.spool_contract import SENDER
from tests.postgres import TestDatabase
from tests.store.campaigns import NOW, address_of
from tests.store.keyed import MIDDLE, NEW, OLD, PEOPLE, fill, process
from undisclosed.core.address import Address
from undisclosed.core.campaign import MailKind
from undisclosed.core.returns import ReturnKind
from undisclosed.store import (
    bootstrap,
    campaigns,
    control,
    desk,
    lists,
    memory_keys,
    rehashing,
    resealing,
    returns,
    suppressions,
)
from undisclosed.store.crypto import Keys, address_hash
from undisclosed.store.database import database as stored
from undisclosed.store.memory import PostgresMemory
from undisclosed.store.models import Account, Delivery, ListRow, Suppression

LATER = NOW + timedelta(hours=1)


def everything_is_found(campaign: str) -> None:
    """Every look-up of an address that the product makes, by the keys of the moment."""
    team = campaigns.get(campaign).team
    assert suppressions.why(address_of(2), team=team, kind=MailKind.SERVICE) == "asked"
    assert not suppressions.why(address_of(3), team=team, kind=MailKind.SERVICE)
    sam = Account.objects.get_by_natural_key("sam@council.example")
    assert sam.login_hash in sam.address_hashes()
    assert desk.mailings(senders=[address_hash(SENDER)]).items
    assert desk.mailings(search="ann@a.example").items
    for number in range(1, PEOPLE + 1):
        hashed = address_hash(address_of(number))
        assert ListRow.objects.get(address_hash=hashed).number == number
        assert Delivery.objects.get(address_hash=hashed).number == number
    about = returns.whose(campaigns.get(campaign).serial, 3)
    assert about is not None
    report = returns.Report(returns.key_of(ReturnKind.FAILED, about), ReturnKind.FAILED)
    assert not returns.record(report, about, NOW), "it was taken before"


def controlled(keys: Keys) -> int:
    """How many rows put this author under control."""
    olive = control.author_hash(keys, Address("olive", "council.example"))
    with stored() as connection:
        query = (
            "SELECT count(*) FROM store_visiblemailcontrol WHERE person_hashes @> %b"
        )
        row = connection.one(query, ([olive],))
    return int(row[0]) if row else 0


def test_every_look_up_finds_what_it_found_before(database: TestDatabase) -> None:
    with process(OLD):
        campaign = fill()
        everything_is_found(campaign)
    with process(NEW, OLD):
        assert rehashing.rehash(LATER) > PEOPLE

    with process(NEW, OLD, NEW) as keys:
        everything_is_found(campaign)
        assert controlled(keys) == 1
        assert rehashing.rehash(LATER) == 0
    with process(OLD) as old:
        assert controlled(old) == 0
        assert not Suppression.objects.filter(address_hash=address_hash(address_of(2)))


def test_three_keys_follow_one_another(database: TestDatabase) -> None:
    with process(OLD):
        campaign = fill()
    with process(MIDDLE, OLD):
        resealing.reseal()
        rehashing.rehash(LATER)
    with process(NEW, MIDDLE, OLD, MIDDLE):
        resealing.reseal()
        rehashing.rehash(LATER + timedelta(hours=1))

    with process(NEW):
        everything_is_found(campaign)
        assert resealing.sealed_by(Keys(NEW)).keys() == {Keys(NEW).id}


def test_what_memory_knew_it_still_knows(database: TestDatabase) -> None:
    with process(OLD):
        fill()
    with process(NEW, OLD):
        rehashing.rehash(LATER)

    with process(NEW, OLD, NEW) as keys:
        found = reserve(PostgresMemory(), wave("two", range(100, 200)))
        assert found.known.mailing is not None
        assert found.known.mailing.people == 200
        with stored() as connection:
            generations = memory_keys.Generations.of(connection).keys
    assert [one.id for one in generations] == [keys.id, Keys(OLD).id]


def test_a_hash_whose_address_is_gone_is_found_by_nobody(
    database: TestDatabase,
) -> None:
    with process(OLD):
        campaign = fill()
        found = campaigns.get(campaign)
        with stored() as connection:
            connection.run("UPDATE store_campaign SET state = 'cancelled'")
        assert found.list_id
        lists.destroy(found.list_id, by="test", now=NOW)
        before = {one.address_hash for one in Delivery.objects.all()}
    with process(NEW, OLD):
        rehashing.rehash(LATER)

    after = {one.address_hash for one in Delivery.objects.all()}
    known = {Keys(key).hash("address", b"p5@a.example") for key in (OLD, NEW)}
    assert len(after) == PEOPLE
    assert not after & (before | known)


def test_nothing_changes_while_a_part_is_connected(database: TestDatabase) -> None:
    with process(OLD):
        fill()
    before = {one.address_hash for one in ListRow.objects.all()}

    with (
        psycopg.connect(database.url, application_name="undisclosed"),
        process(NEW, OLD),
        pytest.raises(rehashing.PartsRunning),
    ):
        rehashing.rehash(LATER)

    assert {one.address_hash for one in ListRow.objects.all()} == before


@contextmanager
def locked(database: TestDatabase) -> "Iterator[psycopg.Connection]":
    """Somebody who reads the first of the tables, and is not done yet."""
    with psycopg.connect(database.url) as reader:
        reader.execute("LOCK TABLE store_acceptedmail IN ACCESS SHARE MODE")
        yield reader


def until_somebody_waits(reader: psycopg.Connection) -> None:
    until = time.monotonic() + 20
    waits = "SELECT FROM pg_locks WHERE NOT granted"
    while not reader.execute(waits).fetchall():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_part_that_starts_while_the_tables_are_waited_for_is_seen(
    database: TestDatabase,
) -> None:
    with process(OLD):
        fill()

    def rehashed() -> None:
        try:
            rehashing.rehash(LATER)
        finally:
            django.db.connections.close_all()

    with process(NEW, OLD), ThreadPoolExecutor(1) as pool:
        django.db.connections.close_all()
        with locked(database) as reader:
            rehash = pool.submit(rehashed)
            until_somebody_waits(reader)
            bootstrap.check_key()  # of a part that starts in this moment
        with pytest.raises(rehashing.PartsRunning):
            rehash.result()


def test_who_holds_a_table_for_long_is_a_part_that_runs(database: TestDatabase) -> None:
    with process(OLD):
        fill()

    with locked(database), process(NEW, OLD), pytest.raises(rehashing.PartsRunning):
        rehashing.rehash(LATER)


def test_a_part_that_comes_back_after_a_rehash_is_refused(
    database: TestDatabase,
) -> None:
    with process(OLD):
        fill()
    with process(NEW, OLD):
        bootstrap.ensure_key()
        django.db.connections.close_all()
        rehashing.rehash(LATER)
        django.db.connections.close_all()

        for _ in range(2):
            with pytest.raises(bootstrap.AnotherLookUpKey):
                bootstrap.ensure_key()


def test_a_part_that_would_look_up_with_another_key_does_not_start(
    database: TestDatabase,
) -> None:
    with process(OLD):
        fill()
    with process(NEW, OLD):
        bootstrap.check_key()
        rehashing.rehash(LATER)
        with pytest.raises(bootstrap.AnotherLookUpKey):
            bootstrap.check_key()

    with process(NEW, OLD, NEW):
        bootstrap.check_key()


KILLED = """
import os, sys
from undisclosed.store import settings
from undisclosed.store.crypto import Keys
from datetime import UTC, datetime
from pathlib import Path
keys = Keys(bytes.fromhex(sys.argv[3]))
settings.configure(settings.load(Path("/dev/null"), {{}}), url=sys.argv[1], keys=keys)
import django
django.setup()
from undisclosed.store import {module} as module
done, left = getattr(module, "{step}"), [int(sys.argv[2])]
def killed(*values):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), 9)
    return done(*values)
setattr(module, "{step}", killed)
{call}
"""


def run_until_killed(
    database: TestDatabase, module: str, step: str, call: str, after: int
) -> int:
    """Run a step in a process of its own, which kills itself in the middle."""
    django.db.connections.close_all()  # this process stands for one that was stopped
    code = KILLED.format(module=module, step=step, call=call)
    command = [sys.executable, "-c", code, database.url, str(after), (NEW + OLD).hex()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, -9), done.stderr
    return done.returncode


@pytest.mark.parametrize("step", ["_collect", "_change", "_hand_memory_on"])
def test_who_is_killed_in_the_middle_changed_nothing(
    database: TestDatabase, step: str
) -> None:
    with process(OLD):
        campaign = fill()
    call = "module.rehash(datetime.now(UTC))"

    died = run_until_killed(database, "rehashing", step, call, 0)

    assert died == -9
    with process(OLD):
        everything_is_found(campaign)
        bootstrap.check_key()
    with process(NEW, OLD):
        assert rehashing.rehash(LATER) > PEOPLE
    with process(NEW, OLD, NEW):
        everything_is_found(campaign)


@pytest.mark.parametrize("after", [0, 3, 6])
def test_who_is_killed_in_the_middle_of_a_reseal_goes_on_the_next_time(
    database: TestDatabase, after: int
) -> None:
    with process(OLD):
        fill()
        values = sum(resealing.sealed_by(Keys(OLD)).values())

    died = run_until_killed(
        database, "resealing", "_row", "module.reseal(step=2)", after
    )

    assert died == -9
    with process(NEW, OLD) as keys:
        counted = resealing.sealed_by(keys)
        assert sum(counted.values()) == values
        # What was done in transactions before that one stays done.
        assert (counted.get(Keys(NEW).id, 0) > 0) == (after > 2)
        resealing.reseal()
        assert set(resealing.sealed_by(keys)) == {Keys(NEW).id}


def test_every_keyed_hash_is_named(database: TestDatabase) -> None:
    with stored() as connection:
        rows = connection.all(
            "SELECT table_name, column_name FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name LIKE 'store_%%'"
            "   AND (column_name LIKE '%%\\_hash' OR column_name LIKE '%%\\_hashes'"
            "        OR (column_name = 'key' AND data_type = 'bytea'))"
            "   AND table_name !~ '^store_delivery_[0-9]+$'"
        )

    memory = {
        ("store_mailing", "sender_hash"),
        ("store_rememberedwave", "sender_hash"),
        ("store_rememberedwave", "digest_hash"),
        ("store_rememberedwave", "subject_hash"),
        ("store_rememberedwave", "message_id_hash"),
        ("store_audience", "set_hash"),
        ("store_shorttime", "key"),
    }
    anew = {*rehashing.HASHES, *rehashing.SHORT_HASHES, *rehashing.LONG_HASHES}
    named = anew | rehashing.OVER_SOON | memory
    assert {(str(table), str(column)) for table, column in rows} <= named
    assert anew <= {(str(table), str(column)) for table, column in rows}
