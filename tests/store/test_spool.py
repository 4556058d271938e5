# SPDX-License-Identifier: Apache-2.0
"""The spool in PostgreSQL keeps the contract of every spool, and some more of its own:
several processes at once, a database that goes away, nothing readable on the disk."""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from tests.guard import spool_undo_contract
from tests.guard.memory_contract import wave
from tests.guard.spool_contract import (
    CHECKS,
    CONTENT,
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SENDER,
    copies_of,
    name_of,
    new_hold,
    own_mail,
)
from tests.postgres import FAST, MASTER_KEY, quick_folder
from undisclosed.core.address import Address
from undisclosed.core.held import CopyEvent, HoldDecided, HoldEvent, Shown
from undisclosed.core.mail import Mail
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.store import database as store_database
from undisclosed.store.crypto import CHUNK, Keys, SealBroken
from undisclosed.store.memory import PostgresMemory
from undisclosed.store.models import RememberedWave
from undisclosed.store.postgres import Server
from undisclosed.store.spool import PostgresSpool

SECRETS = (b"ann@", b"a.example", b"olive", b"council.example", b"Agenda", b"Hello")


def spool():
    return PostgresSpool(Keys(MASTER_KEY))


def at_once(work, count=8):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(work, range(count)))


@pytest.mark.parametrize("check", CHECKS + spool_undo_contract.CHECKS, ids=name_of)
def test_the_postgres_spool(check, database):
    check(spool)


def test_two_workers_never_claim_the_same_copy(database):
    kept = spool()
    hold_id = kept.hold(new_hold()).id
    names = [f"p{number}x" for number in range(100)]
    copies = copies_of(hold_id, *names)
    kept.decide(hold_id, HoldEvent.SEND_SINGLY, copies, by="olive", now=NOW)

    def claim_all(worker):
        found = []
        while more := kept.claim(
            by=f"worker-{worker}", limit=7, lease=10 * MINUTE, now=NOW
        ):
            found += [copy.id for copy in more]
        return found

    claimed = [copy_id for found in at_once(claim_all) for copy_id in found]

    assert sorted(claimed) == sorted(copy.id for copy in copies)


def test_the_same_mail_on_several_connections_is_held_once(database):
    kept = spool()

    ids = at_once(lambda _: kept.hold(new_hold()).id)

    assert len(set(ids)) == 1
    assert kept.content(ids[0]) == CONTENT


def test_of_decisions_at_once_one_is_carried_out(database):
    kept = spool()
    hold_id = kept.hold(new_hold()).id

    def decide(number):
        event = HoldEvent.EXPIRE if number % 2 else HoldEvent.SEND_SINGLY
        outgoing = [] if number % 2 else copies_of(hold_id, f"p{number}")
        try:
            kept.decide(hold_id, event, outgoing, by="olive", now=NOW)
        except HoldDecided:
            return 0
        return 1

    assert sum(at_once(decide)) == 1
    assert len(kept.claim(by="w", limit=9, lease=MINUTE, now=NOW)) <= 1


def test_a_large_mail_is_held_once_in_pieces(database):
    kept = spool()
    content = bytes(range(256)) * (CHUNK // 256) * 4 + b"end"
    new = new_hold(mail=Mail(new_hold().mail.envelope, content))

    ids = [kept.hold(new).id for _ in range(2)]

    assert ids[0] == ids[1]
    assert kept.content(ids[0]) == content


def test_a_chunk_that_was_changed_is_not_delivered(database):
    kept = spool()
    hold_id = kept.hold(new_hold()).id
    with psycopg.connect(database.url) as connection:
        connection.execute(
            "UPDATE store_heldchunk SET sealed = set_byte(sealed, 40, 255 #"
            " get_byte(sealed, 40))"
        )

    with pytest.raises(SealBroken):
        kept.content(hold_id)


def test_a_copy_of_a_hold_that_there_is_not_is_refused(database):
    kept = spool()

    with pytest.raises(UndisclosedError):
        kept.queue(copies_of("no-such-hold", "ann"), now=NOW)

    assert not kept.claim(by="w", limit=9, lease=MINUTE, now=NOW)


def test_a_reason_is_kept_with_the_mail_and_not_in_the_journal(database):
    kept = spool()
    hold_id = kept.hold(new_hold()).id
    kept.decide(
        hold_id, HoldEvent.RELEASE, by="sam", reason="ann@a.example agreed", now=NOW
    )

    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "SELECT event, actor, facts::text FROM store_journalentry ORDER BY id"
        ).fetchall()

    assert [(event, actor) for event, actor, _ in rows] == [
        ("held", "guard"),
        ("release", "sam"),
    ]
    assert not any("ann" in facts for _, _, facts in rows)


def test_a_database_that_was_away_is_found_again(database):
    kept = spool()
    kept.hold(new_hold())
    database.server.stop()
    try:
        for call in (
            lambda: kept.hold(new_hold("second")).id,
            lambda: kept.get("1"),
            lambda: kept.claim(by="w", limit=1, lease=MINUTE, now=NOW),
            lambda: kept.mark("1", CopyEvent.REPLY_2XX, "250", now=NOW),
        ):
            with pytest.raises(TransientError):
                call()
    finally:
        database.server.start()

    assert kept.get(kept.hold(new_hold("third")).id).size == len(CONTENT)


def test_a_restart_between_two_calls_goes_unnoticed(database):
    kept = spool()
    hold_id = kept.hold(new_hold()).id
    database.server.stop()
    database.server.start()

    assert kept.get(hold_id).id == hold_id


def test_what_postgresql_says_is_not_repeated(database):
    with pytest.raises(TransientError) as caught, store_database.database():
        raise psycopg.errors.DiskFull("could not write ann@a.example")

    assert "ann" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.facts["state"] == "53100"


def test_a_transaction_that_fails_leaves_nothing(database):
    kept = spool()
    hold_id = kept.hold(new_hold()).id
    bad = replace(own_mail("bad\0id"))

    with pytest.raises(psycopg.Error):
        kept.decide(hold_id, HoldEvent.WITHDRAW, [bad], by="olive", now=NOW)

    assert kept.get(hold_id).state.value == "held"


def test_nothing_on_the_disk_names_anybody():
    """The whole data folder, the write-ahead log and the server's log are searched."""
    with tempfile.TemporaryDirectory(prefix="undisclosed-", dir=quick_folder()) as name:
        folder = Path(name)
        with Server(folder, configuration=FAST) as server:
            _use_everything(server.url)
            with psycopg.connect(server.url, autocommit=True) as connection:
                connection.execute("CHECKPOINT")
        files = [file for file in folder.rglob("*") if file.is_file()]
        found = {
            (str(file.relative_to(folder)), secret)
            for file in files
            for secret in SECRETS
            if secret in file.read_bytes()
        }

    assert len(files) > 500
    assert not found


def _use_everything(url):
    """Hold, decide, deliver and fail over a server of its own."""
    script = Path(__file__).with_name("everything.py")
    done = subprocess.run(
        [sys.executable, str(script), url], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_shown_people_and_subject_travel_sealed(database):
    kept = spool()
    shown = (Shown(Address("ann", "a.example"), ("To", "Cc")),)

    hold_id = kept.hold(new_hold(subject="Agenda", shown=shown)).id

    with psycopg.connect(database.url) as connection:
        row = connection.execute(
            "SELECT h::text FROM store_heldmail h WHERE id = %s", (hold_id,)
        ).fetchone()
    assert "Agenda" not in row[0]
    assert SENDER.spelled_out() not in row[0]


def test_a_sentence_that_quotes_broken_bytes_is_kept(database):
    kept = spool()
    finding = replace(new_hold().findings[0], text="Shown in X-\0\udc80-To.")

    hold_id = kept.hold(
        new_hold(findings=(finding,), singly_refused="Bad \0 field.")
    ).id

    assert kept.get(hold_id).findings[0].text == "Shown in X-\ufffd\ufffd-To."
    assert kept.get(hold_id).singly_refused == "Bad \ufffd field."


def test_the_lease_of_a_copy_ends_with_its_time(database):
    kept = spool()
    kept.queue([own_mail()], now=NOW)

    first = kept.claim(by="one", limit=1, lease=MINUTE, now=NOW)
    early = kept.claim(by="two", limit=1, lease=MINUTE, now=NOW + timedelta(seconds=59))
    again = kept.claim(by="two", limit=1, lease=MINUTE, now=NOW + HOUR)

    assert [len(first), len(early), len(again)] == [1, 0, 1]


def test_a_hold_settles_its_place_in_memory_in_the_same_commit(database):
    memory = PostgresMemory(Keys(MASTER_KEY))
    place = memory.reserve(wave("first"), window=DAY, now=NOW)

    kept = spool().hold(new_hold(reservation_id=place.id))
    again = spool().hold(new_hold(reservation_id=place.id))

    assert kept.is_settled
    assert not again.is_settled
    found = RememberedWave.objects.get(id=place.id)
    assert (found.state, found.was_held) == ("held", True)
