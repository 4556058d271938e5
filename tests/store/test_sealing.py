# SPDX-License-Identifier: Apache-2.0
"""The journal is sealed in one chain, and whatever is done to it later shows."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from undisclosed.store import journal, sealing, verifier

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def exported(now=NOW):
    return list(sealing.records(now))[1:]


def verified(now=NOW, heads=()):
    return verifier.verify(exported(now), heads)


def with_entries(*events, at=NOW):
    for event in events:
        journal.write(event, actor="guard", people=37, hold="7f3a", late=None)
    return sealing.seal(at)


def tampered(database, *statements):
    """Do to the tables what only somebody with the database's own rights can."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def journal_of_three_days(database):
    with_entries("one", "two", "three")
    with_entries("four", at=NOW + timedelta(hours=1))
    with_entries("five", "six", at=NOW + DAY)
    with_entries("seven", at=NOW + 2 * DAY)
    return database


@pytest.fixture
def journal_without_keys(journal_of_three_days):
    """Rows can stand twice in its tables."""
    chained = ("store_journalbatch", "store_journalseal")
    tampered(
        journal_of_three_days,
        *(f"ALTER TABLE {one} DROP CONSTRAINT {one}_pkey" for one in KEYED),
        *(f"ALTER TABLE {one} DROP CONSTRAINT {one}_previous_key" for one in chained),
    )
    yield journal_of_three_days
    tampered(
        journal_of_three_days,
        f"TRUNCATE {', '.join(KEYED)}",
        *(f"ALTER TABLE {one} ADD PRIMARY KEY ({key})" for one, key in KEYED.items()),
        *(f"ALTER TABLE {one} ADD UNIQUE (previous)" for one in chained),
    )


def test_what_was_written_is_sealed_once_and_verifies(database):
    assert with_entries("one", "two", "three").entries == 3
    assert with_entries("four").entries == 1
    assert sealing.seal(NOW).entries == 0

    found = verified()

    assert (found.entries, found.batches, found.unsealed) == (4, 2, 0)
    assert found.faults == []
    assert found.head == sealing.head()


def test_what_is_not_sealed_yet_is_counted_and_no_fault(database):
    with_entries("one")
    journal.write("two")

    found = verified(now=datetime.now(UTC))

    assert (found.entries, found.unsealed, found.faults) == (1, 1, [])


def test_a_day_that_is_over_is_sealed_with_the_root_of_its_entries(
    journal_of_three_days,
):
    found = verified(NOW + 2 * DAY)

    assert (found.entries, found.batches, found.seals) == (7, 4, 2)
    assert found.faults == []


def test_an_entry_that_is_committed_late_is_sealed_by_a_later_batch(database):
    with psycopg.connect(database.url) as slow:
        slow.execute(
            "INSERT INTO store_journalentry (at, event, actor, facts)"
            " VALUES (now(), 'slow', 'guard', '{}')"
        )
        journal.write("quick")
        assert sealing.seal(NOW).entries == 1
        slow.commit()

    assert sealing.seal(NOW).entries == 1
    assert verified().faults == []
    assert [r["event"] for r in exported() if r["kind"] == "entry"] == ["quick", "slow"]


def test_writers_that_write_while_sealing_goes_on_fork_nothing(database):
    def write():
        for _ in range(30):
            journal.write("held", actor="guard")

    def seal():
        for _ in range(20):
            sealing.seal(NOW)

    threads = [threading.Thread(target=t) for t in (write, write, write, seal, seal)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sealing.seal(NOW)

    found = verified()
    assert (found.entries, found.unsealed, found.faults) == (90, 0, [])


KEYED = {
    "store_journalentry": "id",
    "store_journalbatch": "number",
    "store_journalseal": "day",
}


def alone(folder, now):
    """What the one file says of an export, run by a Python with nothing else."""
    file = folder / "journal.jsonl"
    lines = [json.dumps(one) for one in sealing.records(now)]
    file.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-I", "-S", verifier.__file__, file]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


TAMPERINGS = {
    "an entry edited": (
        "UPDATE store_journalentry SET event = 'other' WHERE event = 'two'",
        "An entry of batch 1 was changed.",
    ),
    "a fact edited": (
        "UPDATE store_journalentry SET facts = '{\"people\": 2}' WHERE event = 'six'",
        "An entry of batch 3 was changed.",
    ),
    "an entry deleted": (
        "DELETE FROM store_journalentry WHERE event = 'two'",
        "Entry 2 of batch 1 is missing.",
    ),
    "an entry inserted among the sealed": (
        "UPDATE store_journalbatch SET ids = '{[1,5)}', entries = 4 WHERE number = 1",
        "Batch 1 was changed.",
    ),
    "an entry slipped in under an id that was never used": (
        "INSERT INTO store_journalentry (id, at, event, actor, facts)"
        " VALUES (0, '2026-11-01', 'made up', 'guard', '{}')",
        "Entry 0 stands in no batch.",
    ),
    "two entries exchanged": (
        "UPDATE store_journalentry SET id = CASE id WHEN 1 THEN 2 ELSE 1 END"
        " WHERE id IN (1, 2)",
        "An entry of batch 1 was changed.",
    ),
    "a batch deleted": (
        "DELETE FROM store_journalbatch WHERE number = 2",
        "Batch 3 stands where 2 should.",
    ),
    "a batch forked": (
        "UPDATE store_journalbatch SET previous = decode(repeat('ab', 32), 'hex')"
        " WHERE number = 3",
        "Batch 3 does not follow the batch before it.",
    ),
    "a seal changed": (
        "UPDATE store_journalseal SET entries = 9 WHERE last_batch = 3",
        "The seal of 2026-11-21 was changed.",
    ),
    "a seal forked": (
        "UPDATE store_journalseal SET previous = decode(repeat('ab', 32), 'hex')"
        " WHERE last_batch = 3",
        "The seal of 2026-11-21 does not follow the seal before it.",
    ),
    "the root of a day exchanged": (
        "UPDATE store_journalseal SET root = decode(repeat('ab', 32), 'hex')"
        " WHERE last_batch = 3",
        "The seal of 2026-11-21 is of other entries.",
    ),
    "two days exchanged": (
        "UPDATE store_journalseal SET day = CASE day WHEN '2026-11-20'::date"
        " THEN '2026-11-21'::date ELSE '2026-11-20'::date END",
        "The seal of 2026-11-20 is not later than the seal before it.",
    ),
    "two batches exchanged": (
        "UPDATE store_journalbatch SET number = CASE number WHEN 1 THEN 2 ELSE 1 END"
        " WHERE number IN (1, 2)",
        "Batch 1 does not follow the batch before it.",
    ),
    "a batch made a second time": (
        "INSERT INTO store_journalbatch (number, sealed_at, last_id, entries, root,"
        " previous, hash, ids) SELECT 5, sealed_at, last_id, entries, root, hash,"
        " hash, ids FROM store_journalbatch WHERE number = 4",
        "Batch 5 seals entries that were sealed before.",
    ),
    "a seal deleted": (
        "DELETE FROM store_journalseal WHERE last_batch = 2",
        "The seal of 2026-11-21 does not follow the seal before it.",
    ),
    "the newest seal deleted": (
        "DELETE FROM store_journalseal WHERE last_batch = 3",
        "The batches of 2026-11-21 have no seal.",
    ),
    "a seal of no batch": (
        "UPDATE store_journalseal SET last_batch = 99 WHERE last_batch = 3",
        "The seal of 2026-11-21 is of other batches.",
    ),
}

DOUBLINGS = {
    "an entry doubled": (
        "INSERT INTO store_journalentry OVERRIDING SYSTEM VALUE"
        " SELECT * FROM store_journalentry WHERE event = 'seven'",
        "Entry 7 stands in batch 4 more than once.",
    ),
    "an entry edited and doubled": (
        "WITH edited AS (UPDATE store_journalentry SET event = 'edited' WHERE id = 2"
        " RETURNING id, at, actor, facts)"
        " INSERT INTO store_journalentry (id, at, event, actor, facts)"
        " OVERRIDING SYSTEM VALUE SELECT id, at, 'inserted', actor, facts FROM edited",
        "The root of batch 1 is of other entries.",
    ),
    "a batch doubled": (
        "INSERT INTO store_journalbatch SELECT * FROM store_journalbatch"
        " WHERE number = 3",
        "Batch 3 seals entries that were sealed before.",
    ),
    "a seal doubled": (
        "INSERT INTO store_journalseal SELECT * FROM store_journalseal"
        " WHERE last_batch = 2",
        "The seal of 2026-11-20 is not later than the seal before it.",
    ),
}


@pytest.mark.parametrize(
    ("statement", "fault"), TAMPERINGS.values(), ids=TAMPERINGS.keys()
)
def test_what_is_done_to_the_journal_shows(
    journal_of_three_days, tmp_path, statement, fault
):
    # Keys are checked row by row, so that an exchange needs them gone for a moment.
    tampered(
        journal_of_three_days,
        *(f"ALTER TABLE {one} DROP CONSTRAINT {one}_pkey" for one in KEYED),
        statement,
        *(f"ALTER TABLE {one} ADD PRIMARY KEY ({key})" for one, key in KEYED.items()),
    )

    assert fault in verified(NOW + 2 * DAY).faults
    assert fault in alone(tmp_path, NOW + 2 * DAY).splitlines()


@pytest.mark.parametrize(
    ("statement", "fault"), DOUBLINGS.values(), ids=DOUBLINGS.keys()
)
def test_what_stands_twice_in_the_journal_shows(
    journal_without_keys, tmp_path, statement, fault
):
    head = sealing.head()
    tampered(journal_without_keys, statement)

    assert fault in verified(NOW + 2 * DAY, [head]).faults
    assert fault in alone(tmp_path, NOW + 2 * DAY).splitlines()


def test_a_number_that_cannot_be_sealed_shows(journal_of_three_days):
    tampered(
        journal_of_three_days,
        "UPDATE store_journalentry SET facts = '{\"people\": 9007199254740993}'"
        " WHERE event = 'six'",
    )

    assert verified(NOW + 2 * DAY).faults[:2] == [
        "Entry 6 holds what has no canonical form.",
        "An entry of batch 3 was changed.",
    ]


def test_a_journal_that_was_cut_off_no_longer_holds_a_head_noted_before(
    journal_of_three_days,
):
    head = sealing.head()
    tampered(
        journal_of_three_days,
        "DELETE FROM store_journalbatch WHERE number = 4",
        "DELETE FROM store_journalentry WHERE event = 'seven'",
    )

    assert verified(NOW + 2 * DAY).faults == []
    (fault,) = verified(NOW + 2 * DAY, [head]).faults
    assert fault.startswith(f"The head {head[:16]}… that was noted is not")


def test_the_database_refuses_to_change_batches_and_seals(journal_of_three_days):
    with psycopg.connect(journal_of_three_days.url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM store_journalbatch")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE store_journalseal SET entries = 0")


def test_the_verifier_runs_alone_over_an_exported_journal(
    journal_of_three_days, tmp_path
):
    file, alone = tmp_path / "journal.jsonl", tmp_path / "alone.py"
    lines = [json.dumps(one) for one in sealing.records(NOW + 2 * DAY)]
    alone.write_text(Path(verifier.__file__).read_text("utf-8"), encoding="utf-8")

    def run_over(text):
        file.write_text(text, encoding="utf-8")
        command = [sys.executable, "-I", "-S", alone, file]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    held = run_over("\n".join(lines))
    changed = run_over("\n".join(lines).replace('"five"', '"fife"'))
    none = run_over("no journal")

    assert (held.returncode, "Everything holds." in held.stdout) == (0, True)
    assert changed.returncode == 3
    assert "An entry of batch 3 was changed." in changed.stdout
    assert (none.returncode, none.stdout) == (65, "")


SEALER = """
import os, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from undisclosed.store import settings
from undisclosed.store.crypto import Keys
settings.configure(
    settings.load(Path("/dev/null"), {}), url=sys.argv[1], keys=Keys(bytes(32))
)
from undisclosed.store import sealing
def die(record):
    print("sealing", flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), 9)
sealing.hash_of = die
sealing.seal(datetime.now(UTC))
"""


def test_twenty_writers_do_not_wait_for_a_sealer_that_hangs_and_is_killed(database):
    journal.write("first", actor="guard")
    sealer = subprocess.Popen(
        [sys.executable, "-c", SEALER, database.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert sealer.stdout.readline() == "sealing\n"

    def write():
        for _ in range(10):
            journal.write("held", actor="guard")

    # The sealer is in the middle of its transaction, and stays there: who had to wait
    # for it would wait for ever.
    writers = [threading.Thread(target=write) for _ in range(20)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sealing.seal(NOW).entries == 0, "one seals at a time"
    sealer.communicate("die\n")
    assert sealer.returncode == -9

    sealed = 0
    while sealed < 201:
        sealed += sealing.seal(NOW).entries
    found = verified()
    assert (found.entries, found.unsealed, found.faults) == (201, 0, [])
