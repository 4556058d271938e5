# SPDX-License-Identifier: Apache-2.0
"""Whatever line of an export is doubled, left out, edited or moved: it shows."""

import base64
import copy
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.store.journals import Making, Record, answer, entry, made
from undisclosed.store import verifier
from undisclosed.store.verifier import FORMAT, NoExport, Verified, verify, words

JOURNALS = st.builds(
    made,
    st.lists(
        st.lists(st.integers(1, 4), min_size=1, max_size=3), min_size=1, max_size=4
    ),
    st.integers(0, 2),
)


def shows(records: list[Record], heads: tuple[str, ...] = ()) -> bool:
    """Whether the verifier says that something is wrong."""
    try:
        return bool(verify(records, heads).faults)
    except NoExport:
        return True


@given(JOURNALS)
def test_what_was_sealed_and_not_touched_holds(journal: Making) -> None:
    found = verify(journal.records, [journal.head])

    assert found.faults == []
    assert found.head == journal.head


@given(JOURNALS, st.data())
def test_a_line_that_stands_twice_anywhere_shows(
    journal: Making, data: st.DataObject
) -> None:
    doubled = data.draw(st.sampled_from(journal.records))
    place = data.draw(st.integers(0, len(journal.records)))

    changed = [*journal.records[:place], doubled, *journal.records[place:]]

    assert shows(changed)


@given(JOURNALS, st.data())
def test_a_batch_whose_ids_are_no_longer_its_own_is_compared_with_its_root(
    journal: Making, data: st.DataObject
) -> None:
    records = copy.deepcopy(journal.records)
    entries = [n for n, one in enumerate(records) if one["kind"] == "entry"]
    place = data.draw(st.sampled_from(entries[: journal.entries]))
    records[place]["event"] = "edited"
    records.insert(place, {**records[place], "event": "inserted"})

    found = verify(records)

    assert any("The root of batch" in fault for fault in found.faults)
    assert any("are not those that it names" in fault for fault in found.faults)


@given(JOURNALS, st.data())
def test_a_sealed_line_that_is_left_out_shows_beside_the_heads(
    journal: Making, data: st.DataObject
) -> None:
    sealed = [one for one in journal.records if one.get("id", 0) <= journal.entries]
    gone = data.draw(st.sampled_from(sealed))

    left = [one for one in journal.records if one is not gone]

    heads = {journal.head, journal.seal} - {verifier.FIRST}
    assert shows(left, tuple(heads))


@given(JOURNALS)
def test_the_seal_of_a_day_before_the_newest_is_missed_without_any_head(
    journal: Making,
) -> None:
    seals = [one for one in journal.records if one["kind"] == "seal"]
    assume(seals)

    left = [one for one in journal.records if one is not seals[-1]]

    fault = f"The batches of {seals[-1]['day']} have no seal."
    assert fault in verify(left).faults


def test_the_seals_of_all_days_are_missed() -> None:
    journal = made([[2], [1, 1], [3]])

    left = [one for one in journal.records if one["kind"] != "seal"]

    assert verify(left, [journal.head]).faults == [
        "The batches of 2026-11-01 have no seal.",
        "The batches of 2026-11-02 have no seal.",
    ]


@given(JOURNALS, st.data())
def test_two_lines_that_changed_places_show(
    journal: Making, data: st.DataObject
) -> None:
    places = st.integers(0, len(journal.records) - 1)
    one, other = data.draw(places), data.draw(places)
    assume(one != other)
    changed = list(journal.records)
    changed[one], changed[other] = changed[other], changed[one]

    assert shows(changed)


@given(JOURNALS, st.data())
def test_what_a_line_says_beyond_what_was_sealed_shows(
    journal: Making, data: st.DataObject
) -> None:
    records = copy.deepcopy(journal.records)
    data.draw(st.sampled_from(records))["note"] = "a word more"

    faults = verify(records).faults

    assert any("says something that was not sealed" in fault for fault in faults)


@given(JOURNALS, st.data())
def test_a_line_that_says_less_is_no_line_of_a_journal(
    journal: Making, data: st.DataObject
) -> None:
    records = copy.deepcopy(journal.records)
    record = data.draw(st.sampled_from(records))
    del record[data.draw(st.sampled_from(sorted(record)))]

    with pytest.raises(NoExport, match=r"record \d+ is none of a journal"):
        verify(records)


def test_a_batch_that_counts_wrongly_shows() -> None:
    making = made([[2]])
    making.records[-1]["entries"] = 3
    making.records[-1]["hash"] = verifier.hash_of(making.records[-1])

    assert verify(making.records).faults == [
        "Batch 1 counts other entries than it has."
    ]


def test_a_seal_of_another_day_than_its_batches_shows() -> None:
    making = Making()
    making.batch("2026-11-20", [entry(1)])
    making.day("2026-11-21")

    assert verify(making.records).faults == [
        "The seal of 2026-11-21 is of batches of another day."
    ]


def test_a_batch_that_names_more_ids_than_there_is_memory_for_is_none() -> None:
    making = made([[2]])
    making.records[-1]["ids"] = [[1, 2**52], [9, -(2**52)]]

    with pytest.raises(NoExport):
        verify(making.records)


def test_an_entry_of_the_database_that_has_no_canonical_form_shows() -> None:
    making = made([[2]])
    making.records[0]["facts"] = {"people": float("inf")}

    faults = verify(making.records).faults

    assert "Entry 1 holds what has no canonical form." in faults


HEADER = json.dumps({"format": FORMAT, "exported_at": "2026-11-22T00:00:00.000000Z"})


def alone(folder: Path, *lines: str) -> "subprocess.CompletedProcess[str]":
    """Run the one file by a Python with nothing else over lines of an export."""
    file = folder / "journal.jsonl"
    file.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    command = [sys.executable, "-I", "-S", verifier.__file__, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


ENTRY = json.dumps(entry(1))
MORE_THAN_ONE_MEANING = {
    "not a number": ENTRY.replace("{}", '{"n": NaN}'),
    "no end": ENTRY.replace("{}", '{"n": -Infinity}'),
    "a number without end": ENTRY.replace("{}", '{"n": 1e999}'),
    "a whole number of 2^53": ENTRY.replace("{}", '{"n": 9007199254740992}'),
    "its neighbour": ENTRY.replace("{}", '{"n": 9007199254740993}'),
    "half of a pair": ENTRY.replace("{}", r'{"n": "\ud83d"}'),
    "half of a pair as a name": ENTRY.replace("{}", r'{"\uDC00": 1}'),
    "a member twice": ENTRY.replace('"event":', '"event": "other", "event":'),
    "a fact twice": ENTRY.replace("{}", '{"n": 1, "n": 2}'),
    "nested without end": "[" * 100_000,
    "nested deep": ENTRY.replace("{}", "[" * 2_000 + "]" * 2_000),
}


@pytest.mark.parametrize(
    "line", MORE_THAN_ONE_MEANING.values(), ids=MORE_THAN_ONE_MEANING.keys()
)
def test_what_readers_would_read_differently_is_no_export(
    tmp_path: Path, line: str
) -> None:
    answered = alone(tmp_path, ENTRY, line)

    assert (answered.returncode, answered.stdout) == (65, "")
    assert answered.stderr.endswith("line 3 is not JSON of one meaning\n")


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        ("batch", "ids", [[1]]),
        ("batch", "ids", 5),
        ("batch", "hash", "\x1b[2J"),
        ("batch", "sealed_at", "\x1b[2J never"),
        ("batch", "number", "1"),
        ("seal", "day", "../../x"),
        ("seal", "batches", None),
        ("entry", "id", None),
        ("entry", "id", 1.5),
        ("entry", "kind", ["entry"]),
    ],
)
def test_what_has_the_wrong_shape_ends_in_a_sentence(
    tmp_path: Path, kind: str, key: str, value: object
) -> None:
    records = made([[1], [1]]).records
    next(one for one in records if one["kind"] == kind)[key] = value

    answered = alone(tmp_path, *map(json.dumps, records))

    assert answered.returncode in (3, 65)
    assert "Traceback" not in answered.stderr
    assert "\x1b" not in answered.stdout + answered.stderr


def stamped(*times: datetime | None) -> Verified:
    """Days from 1 November on, each with its timestamp where it has one."""
    making = Making()
    for number, at in enumerate(times, 1):
        day = f"2026-11-{number:02}"
        making.batch(day, [entry(number)])
        seal = making.day(day)
        if at is not None:
            response = base64.b64encode(answer(seal["hash"], at))
            seal["timestamp"] = response.decode("ascii")
    return verify(making.records)


def on(day: int, hour: int = 1) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def test_a_timestamp_of_long_after_its_day_is_said_with_its_date() -> None:
    found = stamped(on(12), on(12), on(12))

    assert found.faults == []
    assert words(found)[2:-1] == [
        "Timestamped late: 2026-11-01, 2026-11-02, 2026-11-03, only on 2026-11-12."
        " This does not show that nothing was written anew before."
    ]


def test_days_that_were_late_on_several_dates_are_said_by_date() -> None:
    said = words(stamped(on(5), on(6, 2), on(6, 3)))

    assert [one[:40] for one in said[2:-1]] == [
        "Timestamped late: 2026-11-01, only on 20",
        "Timestamped late: 2026-11-02, 2026-11-03",
    ]


def test_two_days_after_the_end_of_the_day_are_in_time() -> None:
    assert words(stamped(on(4, 0)))[2:] == ["Everything holds."]
    assert "Timestamped late: 2026-11-01," in words(stamped(on(4)))[2]


def test_the_timestamp_of_the_next_day_is_one_of_the_day_before_it_too() -> None:
    assert words(stamped(on(9), on(3), on(4)))[2:] == ["Everything holds."]


def test_a_sealed_day_without_a_timestamp_between_others_is_named() -> None:
    found = stamped(None, on(3), None, None, on(6), None)

    assert found.unstamped == ["2026-11-03", "2026-11-04"]
    assert "Sealed without a timestamp: 2026-11-03, 2026-11-04." in words(found)
    assert found.faults == []


def test_days_without_timestamps_are_not_named_where_nobody_asks_for_any() -> None:
    assert words(stamped(None, None))[1:] == ["Everything holds."]
