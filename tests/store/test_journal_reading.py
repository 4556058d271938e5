# SPDX-License-Identifier: Apache-2.0
"""The journal a page at a time: everything once, in order, whatever is asked for."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.postgres import TestDatabase
from undisclosed.store import journal, sealing
from undisclosed.store import journal_reading as reading
from undisclosed.store.database import Connection
from undisclosed.store.database import database as stored
from undisclosed.store.journal_reading import Asked, Entry

START = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
PERSON = "11111111-2222-3333-4444-555555555555"


def fill(number: int = 60) -> None:
    """Entries of four hours, by three actors, of five kinds, about seven subjects."""
    with stored() as connection:
        for one in range(number):
            journal.write_with(
                connection,
                f"event {one % 5}",
                {"mailing": f"m-{one % 7}", "people": [f"p-{one % 3}"]},
                actor=("guard", "worker", "run")[one % 3],
                at=START + timedelta(minutes=4 * one),
            )


@pytest.fixture
def filled(database: TestDatabase) -> TestDatabase:
    """A journal with sixty entries."""
    fill()
    return database


def older(asked: Asked, most: int) -> list[int]:
    """Every entry that matches, by going to older pages."""
    ids: list[int] = []
    while True:
        found = reading.page(asked, most)
        ids += [entry.id for entry in found.entries]
        if not found.has_older:
            return ids
        asked = Asked(
            asked.event, asked.actors, asked.day, asked.subject, before=ids[-1]
        )


def newer(asked: Asked, most: int) -> list[int]:
    """Every entry that matches, by going to newer pages from the oldest on."""
    ids: list[int] = []
    last = 0
    while True:
        found = reading.page(
            Asked(
                asked.event, asked.actors, asked.day, asked.subject, after=last or -1
            ),
            most,
        )
        ids = [*(entry.id for entry in found.entries), *ids]
        if not found.has_newer:
            return ids
        last = ids[0]


asked_for = st.builds(
    Asked,
    event=st.sampled_from(["", "event 1", "event 4", "no such event"]),
    actors=st.sampled_from([None, ("guard",), ("run", "worker"), (), ("nobody",)]),
    day=st.sampled_from([None, date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 9)]),
    subject=st.sampled_from(["", "m-3", "p-2", "m-9"]),
)


def matches(entry: Entry, asked: Asked) -> bool:
    """The same question, asked of one entry in plain words."""
    return (
        asked.event in ("", entry.event)
        and (asked.actors is None or entry.actor in asked.actors)
        and asked.day in (None, entry.at.astimezone(UTC).date())
        and (
            not asked.subject
            or asked.subject in (entry.facts["mailing"], *entry.facts["people"])
        )
    )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked_for, st.sampled_from([1, 7, 50, 100]))
def test_pages_hold_all_that_matches_once_newest_first(
    filled: TestDatabase, asked: Asked, most: int
) -> None:
    everything = reading.page(Asked(), 100).entries

    wanted = [entry.id for entry in everything if matches(entry, asked)]

    assert older(asked, most) == wanted
    assert newer(asked, most) == wanted


def test_an_entry_is_read_as_it_was_written(database: TestDatabase) -> None:
    journal.write("list exported", actor=PERSON, list="x", rows=3, why="asked")

    [entry] = reading.page(Asked(), 10).entries

    assert (entry.event, entry.facts) == (
        "list exported",
        {"list": "x", "rows": 3, "why": "asked"},
    )
    assert entry.actor.startswith("person:")


def test_every_kind_of_act_is_named_once(filled: TestDatabase) -> None:
    assert reading.events() == [f"event {n}" for n in range(5)]


def test_an_empty_journal_has_neither_pages_nor_a_chain(database: TestDatabase) -> None:
    assert reading.page(Asked(), 10).entries == ()
    assert reading.events() == []
    assert reading.newest("event") is None
    assert reading.chain(5) == reading.Chain()


def test_the_chain_says_how_far_it_is_sealed(filled: TestDatabase) -> None:
    sealing.seal(START + timedelta(hours=4))
    sealing.seal(START + timedelta(days=2))
    journal.write("later", actor="guard")

    chain = reading.chain(5)

    assert (chain.sealed_until, chain.unsealed, chain.batches) == (60, 1, 1)
    assert chain.head == sealing.head()
    assert [day.entries for day in chain.days] == [60]
    assert reading.chain(5, chain.days[0].day).days == ()


@pytest.mark.parametrize(
    "asked",
    [
        Asked(),
        Asked(before=30_000),
        Asked(event="rare"),
        Asked(actors=("person:1:aa", "person:2:bb")),
        Asked(subject="m-77"),
        Asked(day=date(2026, 3, 3), event="rare"),
    ],
    ids=["all", "later page", "event", "person", "subject", "day"],
)
def test_a_page_of_a_long_journal_reads_few_rows(
    long_journal: Callable[[Asked], int], asked: Asked
) -> None:
    assert long_journal(asked) < 2_000


@pytest.fixture
def long_journal(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Asked], int]:
    """How many of sixty thousand rows the database reads for a page."""
    with stored() as connection:
        connection.run(
            "INSERT INTO store_journalentry (at, event, actor, facts)"
            " SELECT %s + n * interval '10 seconds',"
            " CASE WHEN n %% 6000 = 0 THEN 'rare' ELSE 'mail held' END,"
            " CASE WHEN n %% 999 = 0 THEN 'person:1:aa' ELSE 'guard' END,"
            " jsonb_build_object('mailing', 'm-' || n %% 5000)"
            " FROM generate_series(1, 60000) AS n",
            (START,),
        )
        connection.run("VACUUM ANALYZE store_journalentry")

    def rows_of(asked: Asked) -> int:
        seen: list[int] = []
        run = Connection.run

        def explained(self: Connection, query: str, values: object = ()) -> object:
            if "store_journalentry" in query:
                plan = run(
                    self,
                    f"EXPLAIN (ANALYZE, FORMAT JSON) {query}",
                    values,  # type: ignore[arg-type]
                ).fetchone()
                assert plan is not None
                seen.append(_read(plan[0][0]["Plan"]))
            return run(self, query, values)  # type: ignore[arg-type]

        monkeypatch.setattr(Connection, "run", explained)
        reading.page(asked, 50)
        monkeypatch.undo()
        return sum(seen)

    return rows_of


def _read(plan: dict[str, object]) -> int:
    """Rows that the scans of a plan read, with those that they threw away."""
    below = sum(_read(one) for one in plan.get("Plans", []))  # type: ignore[attr-defined]
    if "Scan" not in str(plan["Node Type"]) or "CTE" in str(plan["Node Type"]):
        return below
    loops = int(str(plan["Actual Loops"]))
    rows = int(float(str(plan["Actual Rows"])))
    thrown = int(float(str(plan.get("Rows Removed by Filter", 0))))
    return below + loops * (rows + thrown)


@pytest.mark.parametrize(
    ("asked", "is_subject"),
    [
        ("0a1b2c3d4e5f6071", True),
        ("0a1b2c3d4e5f60718293a4b5", True),
        ("0a1b2c3d4e5f60718293a4b5c6d7", True),
        ("00112233445566778899aabbccddeeff", True),
        (PERSON, True),
        (f"person:12:{'ab' * 16}", True),
        ("accept", False),
        ("supervisor", False),
        ("command line", False),
        ("1", False),
        (f"person:12:{'ab' * 16}\n", False),
        ("", False),
    ],
)
def test_an_act_is_about_an_id_and_never_about_a_word(
    asked: str, is_subject: bool
) -> None:
    assert bool(reading.SUBJECT.fullmatch(asked)) == is_subject
