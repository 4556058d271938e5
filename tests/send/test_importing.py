# SPDX-License-Identifier: Apache-2.0
"""A file becomes a list when a person has seen what was found; else nothing does."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from openpyxl import Workbook

from tests.postgres import MASTER_KEY
from tests.store.campaigns import NOW, recipient_list
from undisclosed.core.campaign import Way
from undisclosed.core.list_upload import (
    UPLOAD_TRANSITIONS,
    NoSuchUploadStep,
    UploadState,
)
from undisclosed.send import importing
from undisclosed.store import lists, uploads
from undisclosed.store.database import transaction
from undisclosed.store.models import JournalEntry, ListUploadChunk, RecipientList
from undisclosed.store.uploads import KEPT, NoSuchUpload

GOOD = b"Email,Name\nann@a.example,Ann\nbob@b.example,Bob\n"


def kept(content=GOOD, **choices):
    made = recipient_list(0)
    pieces = [content[:7], content[7:]]
    return made.pk, uploads.keep(made.pk, pieces, choices=choices, by="sam", now=NOW)


def clock():
    return datetime.now(UTC)


def take(upload_id):
    own = ("council.example",)
    importing.take(upload_id, own_domains=own, now=clock, hide=lambda *_: None)
    return uploads.get(upload_id)


def test_every_state_has_a_row():
    assert set(UPLOAD_TRANSITIONS) == set(UploadState)


def test_a_file_is_checked_then_imported_then_gone(database):
    list_id, upload = kept()

    checked = take(upload)
    before = lists.ways(list_id)
    uploads.confirm(upload, by="sam", now=NOW)
    imported = take(upload)

    assert checked.state is UploadState.CHECKED
    assert importing.found_of(checked).is_importable
    assert (checked.people, before) == (2, {})
    assert imported.state is UploadState.IMPORTED
    assert [row.values["Name"] for row in lists.rows(list_id)] == ["Ann", "Bob"]
    assert not ListUploadChunk.objects.exists()
    assert importing.found_of(imported) == importing.Found()


def test_what_was_found_is_read_again_as_it_was(database):
    _, upload = kept(
        b"Email;Name\nann@a.example;Ann\nann@a.example;\x01\ninfo@a.example;I"
    )

    found = importing.found_of(take(upload)).checked

    assert (found.rows, found.fatal, found.warnings) == (3, 2, 1)
    assert [(one.row, one.column) for one in found.problems] == [
        (3, "Name"),
        (3, "Email"),
        (4, "Email"),
    ]
    assert found.columns.names == ("Email", "Name")
    assert found.notes == ("Its columns are parted by semicolons.",)


def test_a_file_that_is_no_table_is_refused_with_a_sentence(database):
    _, upload = kept(b"%PDF-1.7")

    refused = take(upload)

    assert refused.state is UploadState.REFUSED
    assert "picture or a document" in importing.found_of(refused).refused


def test_a_workbook_is_read_in_its_memory_too(database, tmp_path):
    book = Workbook()
    for sheet in (book.active, book.create_sheet("Second")):
        sheet.append(["Email", "Name"])
        sheet.append([f"{sheet.title.lower()}@a.example", "Ann"])
    path = tmp_path / "book.xlsx"
    book.save(path)
    _, upload = kept(path.read_bytes(), sheet="Second")

    found = importing.found_of(take(upload)).checked

    assert (found.rows, found.mailed, found.fatal) == (1, 1, 0)


def test_another_column_can_be_chosen_after_a_refusal(database):
    _, upload = kept(b"Private,Work\na@a.example,b@b.example\n")
    assert "choose one of" in importing.found_of(take(upload)).refused

    uploads.choose(upload, {"address_column": "Work"})

    found = importing.found_of(take(upload)).checked
    assert found.columns.address_name == "Work"


def test_nothing_is_imported_that_was_not_confirmed_or_has_a_problem(database):
    list_id, upload = kept(b"Email\nno address\n")
    take(upload)

    take(upload)

    assert lists.ways(list_id) == {}
    assert not importing.found_of(uploads.get(upload)).is_importable


def test_what_is_imported_cannot_be_confirmed_again(database):
    _, upload = kept()
    take(upload)
    uploads.confirm(upload, by="sam", now=NOW)
    take(upload)

    with pytest.raises(NoSuchUploadStep):
        uploads.confirm(upload, by="sam", now=NOW)


def test_a_file_somebody_works_on_is_left_to_them(database):
    _, upload = kept()
    with psycopg.connect(database.url) as other:
        other.execute(
            "SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (uploads._SPACE, upload)
        )

        assert take(upload).state is UploadState.WAITING

    assert take(upload).state is UploadState.CHECKED


def test_a_new_file_takes_the_place_of_the_one_before(database):
    list_id, first = kept()
    second = uploads.keep(list_id, [GOOD], choices={}, by="sam", now=NOW)

    assert uploads.latest(list_id).id == second
    with pytest.raises(NoSuchUpload):
        uploads.get(first)


def test_a_file_nobody_imports_goes_after_a_day(database):
    _, upload = kept()

    with transaction() as connection:
        uploads.purge(connection, NOW + KEPT, 10)
    uploads.get(upload)
    with transaction() as connection:
        uploads.purge(connection, NOW + KEPT + timedelta(seconds=1), 10)

    with pytest.raises(NoSuchUpload):
        uploads.get(upload)
    assert not ListUploadChunk.objects.exists()


def test_a_discarded_file_is_gone_and_the_list_is_as_it_was(database):
    list_id, upload = kept()
    take(upload)

    uploads.discard(upload, by="sam", now=NOW)

    assert uploads.latest(list_id) is None
    assert lists.ways(list_id) == {}


def test_a_list_destroyed_meanwhile_takes_the_file_along(database):
    list_id, upload = kept()
    take(upload)
    uploads.confirm(upload, by="sam", now=NOW)
    lists.destroy(list_id, by="sam", now=NOW)

    with pytest.raises(NoSuchUpload):
        take(upload)
    assert uploads.latest(list_id) is None


def test_nothing_of_a_file_stands_readable_in_the_tables(database):
    _, upload = kept(GOOD * 40_000 + b"x")
    take(upload)

    stored = b""
    with psycopg.connect(database.url) as connection:
        for table in ("store_listupload", "store_listuploadchunk"):
            query = f"SELECT t::text FROM {table} t"  # noqa: S608
            rows = connection.execute(query).fetchall()
            stored += json.dumps(rows).encode()
    assert ListUploadChunk.objects.count() > 1
    for word in (b"ann@a", b"Email", b"ann@a".hex().encode(), b"Email".hex().encode()):
        assert word not in stored
    events = set(JournalEntry.objects.values_list("event", flat=True))
    assert "list file uploaded" in events


def test_a_step_that_is_cut_off_leaves_nothing_and_is_taken_again(database):
    list_id, upload = kept()
    take(upload)
    uploads.confirm(upload, by="sam", now=NOW)

    def broken(*_):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        importing.take(upload, now=clock, hide=broken)

    assert uploads.get(upload).state is UploadState.CONFIRMED
    assert lists.ways(list_id) == {}
    assert take(upload).state is UploadState.IMPORTED
    assert len(list(lists.rows(list_id))) == 2


def test_how_far_it_is_is_told_while_the_work_goes_on(database):
    rows = "".join(f"p{number}@a.example,P\n" for number in range(30_001))
    _, upload = kept(b"Email,Name\n" + rows.encode())
    take(upload)
    uploads.confirm(upload, by="sam", now=NOW)
    seen = []

    def look(*_):
        with psycopg.connect(database.url) as other:
            seen.append(other.execute("SELECT done FROM store_listupload").fetchone())

    importing.take(upload, now=clock, hide=look)

    assert seen[0][0] in (10_000, 20_000, 30_000)


STEP = """
import sys
from pathlib import Path
from undisclosed.cli import wiring
wiring.configure(wiring.load(Path(sys.argv[1])))
from undisclosed.send import importing
importing.take(sys.argv[2], now=wiring.utc_now, hide=lambda *_: None)
"""


def kill_in_the_middle(database, upload):
    """Have another process take the step; kill -9 it once it tells how far it is."""
    environment = {
        **os.environ,
        "DATABASE_URL": database.url,
        "UNDISCLOSED_MASTER_KEY": MASTER_KEY.hex(),
    }
    settings = database.data / "undisclosed.toml"
    command = [sys.executable, "-c", STEP, str(settings), upload]
    with subprocess.Popen(command, env=environment) as process:
        while process.poll() is None and not uploads.get(upload).done:
            time.sleep(0.01)
        process.kill()
    assert process.returncode in (-signal.SIGKILL, 0)


def take_up(upload, state):
    """Take the step once the database has noticed that its process is dead."""
    while (found := take(upload)).state is not state:
        time.sleep(0.05)
    return found


def test_what_a_killed_process_began_another_one_does_once(database):
    rows = "".join(f"p{number}@a.example,P\n" for number in range(60_001))
    list_id, upload = kept(b"Email,Name\n" + rows.encode())
    before = RecipientList.objects.get().version

    kill_in_the_middle(database, upload)
    checked = take_up(upload, UploadState.CHECKED)
    uploads.confirm(upload, by="sam", now=NOW)
    kill_in_the_middle(database, upload)
    take_up(upload, UploadState.IMPORTED)

    assert checked.people == 60_001
    assert lists.ways(list_id) == {Way.MAIL: 60_001}
    assert RecipientList.objects.get().version == before + 1
    assert not ListUploadChunk.objects.exists()
