# SPDX-License-Identifier: Apache-2.0
"""Daily seals get their timestamps, in time or later, and nothing waits for them."""

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.postgres import TestDatabase
from tests.store.authority import RunningAuthority, prepare, running
from undisclosed.store import journal, sealing, stamping, verifier
from undisclosed.store.stamping import Stamping
from undisclosed.store.timestamps import Authority, TimestampWrong

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of an authority, made once: keys take time."""
    made = tmp_path_factory.mktemp("authority")
    prepare(made)
    return made


@pytest.fixture
def authority(folder: Path) -> Iterator[RunningAuthority]:
    with running(RunningAuthority(folder)) as serving:
        yield serving


@pytest.fixture
def days(database: TestDatabase) -> TestDatabase:
    """A journal with two days that are over and sealed, and one that is not."""
    for number, event in enumerate(("one", "two", "three")):
        journal.write(event, actor="guard")
        sealing.seal(NOW + number * DAY)
    return database


def named(authority: RunningAuthority) -> Authority:
    return Authority(authority.url, authority.roots(), timedelta(seconds=5))


def exported() -> list[dict[str, object]]:
    return list(sealing.records(NOW + 2 * DAY))


def verified(authority: RunningAuthority | None = None) -> verifier.Verified:
    found = verifier.verify(exported()[1:])
    return stamping.check(found, authority.roots()) if authority else found


def test_every_seal_gets_its_timestamp_once(
    days: TestDatabase, authority: RunningAuthority
) -> None:
    assert stamping.stamp(named(authority)) == 2
    assert stamping.stamp(named(authority)) == 0

    found = verified(authority)
    assert authority.asked == 2
    assert found.faults == []
    assert [one.day for one in found.timestamps] == ["2026-03-20", "2026-03-21"]
    assert "Timestamped: 2 daily seals, that of 2026-03-21" in verifier.words(found)[1]
    assert [one.digest for one in found.timestamps] == [
        hashlib.sha256(sealing.head_of(datetime.fromisoformat(one.day).date()))
        .digest()
        .hex()
        for one in found.timestamps
    ]


def test_an_authority_that_is_away_holds_nothing_up_and_is_asked_again(
    days: TestDatabase, authority: RunningAuthority
) -> None:
    now = NOW
    stamps = Stamping(named(authority), lambda: now)

    def refuse(handler: object) -> bool:
        handler.send_error(503)  # type: ignore[attr-defined]
        return True

    authority.handled = refuse
    assert stamps.stamp_due() == 0
    authority.handled = lambda handler: False
    assert stamps.stamp_due() == 0
    assert authority.asked == 1
    assert sealing.seal(NOW + 3 * DAY).days
    now += stamping.AGAIN_AFTER

    assert stamps.stamp_due() == 3
    assert verified(authority).faults == []


def test_what_does_not_verify_is_not_kept(
    days: TestDatabase, authority: RunningAuthority, caplog: pytest.LogCaptureFixture
) -> None:
    authority.spoiled = lambda answer: b"garbage"

    assert Stamping(named(authority), lambda: NOW).stamp_due() == 0

    assert verified().timestamps == []
    assert "No timestamp of the journal" in caplog.text


def test_a_time_before_the_end_of_the_day_is_not_kept(
    database: TestDatabase, authority: RunningAuthority
) -> None:
    future = datetime.now(UTC) + 30 * DAY
    journal.write("one", actor="guard")
    sealing.seal(future)
    sealing.seal(future + DAY)

    with pytest.raises(TimestampWrong, match="before the end of that day"):
        stamping.stamp(named(authority))


def test_the_database_refuses_to_change_a_timestamp(
    days: TestDatabase, authority: RunningAuthority
) -> None:
    stamping.stamp(named(authority))

    with (
        psycopg.connect(days.url, autocommit=True) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("DELETE FROM store_journaltimestamp")


def tampered(database: TestDatabase, statement: str) -> None:
    """Do what only somebody with the database's own rights can."""
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(statement)


def test_a_timestamp_beside_another_seal_shows(
    days: TestDatabase, authority: RunningAuthority
) -> None:
    stamping.stamp(named(authority))

    tampered(
        days,
        "UPDATE store_journaltimestamp SET response = (SELECT response"
        " FROM store_journaltimestamp WHERE day = '2026-03-20')",
    )

    assert verified().faults == ["The timestamp of 2026-03-21 is of another seal."]


def test_a_timestamp_that_is_none_shows(days: TestDatabase) -> None:
    tampered(
        days,
        "INSERT INTO store_journaltimestamp VALUES ('2026-03-20', now(), '\\x3000')",
    )

    assert verified().faults == ["The timestamp of 2026-03-20 is no timestamp."]


def test_who_forges_the_whole_chain_has_no_signature_for_it(
    days: TestDatabase, authority: RunningAuthority
) -> None:
    stamping.stamp(named(authority))
    strangers = authority.roots("stranger")

    found = stamping.check(verified(), strangers)

    assert len(found.faults) == 2
    assert "The timestamp of 2026-03-20 does not verify" in found.faults[0]


def test_the_file_alone_reads_the_timestamps_and_says_what_it_leaves_to_openssl(
    days: TestDatabase, authority: RunningAuthority, tmp_path: Path
) -> None:
    stamping.stamp(named(authority))
    export, alone = tmp_path / "journal.jsonl", tmp_path / "alone.py"
    export.write_text("\n".join(map(json.dumps, exported())), encoding="utf-8")
    alone.write_text(Path(verifier.__file__).read_text("utf-8"), encoding="utf-8")
    command = [sys.executable, "-I", "-S", str(alone), str(export)]

    without = _run([*command])
    written = _run([*command, "--timestamps", str(tmp_path / "stamps")])

    assert without.returncode == written.returncode == 0
    assert "were not verified here. --timestamps" in without.stdout
    left = [one for one in written.stdout.splitlines() if one.startswith("openssl")]
    assert len(left) == 2
    for one in left:
        ca = str(authority.folder / "root.pem")
        answer = _run(one.replace("AUTHORITY.pem", ca).split())
        assert "Verification: OK" in answer.stdout


def test_the_file_alone_finds_a_timestamp_of_another_seal(
    days: TestDatabase, authority: RunningAuthority, tmp_path: Path
) -> None:
    stamping.stamp(named(authority))
    records = exported()
    seals = [one for one in records if one.get("kind") == "seal"]
    seals[1]["timestamp"] = seals[0]["timestamp"]
    seals[0]["timestamp"] = base64.b64encode(b"none").decode()
    export = tmp_path / "journal.jsonl"
    export.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")

    found = _run([sys.executable, "-I", "-S", verifier.__file__, str(export)])

    assert found.returncode == 3
    assert "The timestamp of 2026-03-21 is of another seal." in found.stdout
    assert "The timestamp of 2026-03-20 is no timestamp." in found.stdout


def _run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_timestamp_is_no_part_of_what_is_sealed(
    days: TestDatabase, authority: RunningAuthority
) -> None:
    before = verified()
    stamping.stamp(named(authority))

    after = verified()

    same = replace(after, timestamps=[], unsealed=before.unsealed)
    assert same == before


def test_a_day_that_goes_wrong_holds_up_no_other(
    days: TestDatabase, authority: RunningAuthority
) -> None:
    authority.spoiled = lambda answer: answer if authority.asked > 1 else b"garbage"

    with pytest.raises(TimestampWrong):
        stamping.stamp(named(authority))

    assert [one.day for one in verified(authority).timestamps] == ["2026-03-21"]


def test_days_that_went_wrong_come_after_the_others(
    days: TestDatabase, authority: RunningAuthority
) -> None:
    journal.write("four", actor="guard")
    sealing.seal(NOW + 3 * DAY)
    sealing.seal(NOW + 4 * DAY)
    authority.spoiled = lambda answer: answer if authority.asked > 2 else b"garbage"
    wrong: set[date] = set()

    with pytest.raises(TimestampWrong):
        stamping.stamp(named(authority), 2, wrong)
    assert len(wrong) == 2
    assert stamping.stamp(named(authority), 2, wrong) == 2

    kept = [one.day for one in verified(authority).timestamps]
    assert kept == ["2026-03-22", "2026-03-23"]
    assert stamping.stamp(named(authority), 2, wrong) == 2
    assert wrong == set()
