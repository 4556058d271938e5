# SPDX-License-Identifier: Apache-2.0
"""The memory in PostgreSQL keeps the contract of every memory, and answers as the
one that forgets does, whatever comes in which order."""

import itertools
from datetime import timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.guard.memory_contract import (
    CHECKS,
    NOW,
    WINDOW,
    name_of,
    people,
    pieces,
    reserve,
    together,
    wave,
)
from tests.postgres import MASTER_KEY
from undisclosed.core.held import WaveState
from undisclosed.core.strangers import Strangers
from undisclosed.guard.testing import ForgetfulMemory
from undisclosed.store.crypto import Keys
from undisclosed.store.memory import PostgresMemory


def memory():
    return PostgresMemory(Keys(MASTER_KEY))


@pytest.mark.parametrize("check", CHECKS, ids=name_of)
def test_the_postgres_memory(check, database):
    check(memory)


STEPS = st.lists(
    st.tuples(
        st.integers(0, 7),  # which mail
        st.sets(st.integers(0, 12), max_size=8),  # whom it shows
        st.sampled_from(["olive", "sam"]),
        st.sampled_from(["newsletter", "agenda"]),
        st.integers(0, 5),  # days later
        st.sampled_from([*WaveState, None]),
    ),
    max_size=12,
)


@given(STEPS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_answers_as_the_memory_that_forgets(database, steps):
    database.empty()
    ours, theirs = memory(), ForgetfulMemory()
    now, mails = NOW, {}
    for number, shown, sender, text, days, state in steps:
        now += timedelta(days=days)
        # The same bytes are the same mail, whatever else was drawn.
        mail = mails.setdefault(
            number,
            wave(f"mail {number}", shown, sender=sender, shingles=pieces(text)),
        )

        one, other = reserve(ours, mail, now), reserve(theirs, mail, now)

        assert one.known.mailing and other.known.mailing
        assert (
            one.known.mailing.people,
            one.known.mailing.disclosures,
            one.known.mailing.waves,
        ) == (
            other.known.mailing.people,
            other.known.mailing.disclosures,
            other.known.mailing.waves,
        )
        if state is not None and state is not WaveState.RESERVED:
            ours.settle(one.id, state)
            theirs.settle(other.id, state)


EXAMPLES = itertools.count(1)
GROUPS = st.sets(st.integers(0, 9), max_size=6)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["mail", "learn", "hide"]),
            GROUPS,  # whom it shows, or whom it is of
            GROUPS,  # whom it hides
            st.booleans(),  # sensitive
            st.sampled_from([WaveState.SHOWN, WaveState.CANCELLED, None]),
            st.booleans(),  # held before
        ),
        max_size=8,
    )
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_it_knows_whom_the_memory_that_forgets_knows(database, steps):
    # Other people in each example: to empty the tables takes longer than to fill them.
    ours, theirs, first = memory(), ForgetfulMemory(), 100 * next(EXAMPLES)
    for number, step in enumerate(steps):
        deed, drawn, hidden, is_sensitive, state, is_held = step
        shown = [first + one for one in drawn]
        group = people(shown)
        if deed != "mail":
            more = {"is_sensitive": is_sensitive} if deed == "hide" else {}
            for kept in (ours, theirs):
                getattr(kept, deed)(group, **more, now=NOW)
            continue
        mail = together(
            f"mail {first} {number}",
            shown,
            hidden=people(first + one for one in hidden - drawn),
            strangers=Strangers(group, is_sensitive=is_sensitive),
        )
        one, other = reserve(ours, mail), reserve(theirs, mail)

        assert_alike(one.known, other.known)
        for kept, place in ((ours, one), (theirs, other)):
            if is_held:
                kept.settle(place.id, WaveState.HELD)
            if state is not None:
                kept.settle(place.id, state)


def assert_alike(one, other):
    """Two memories say the same; in which order is theirs."""
    assert set(one.threads) == set(other.threads)
    assert set(one.hidden) == set(other.hidden)
    assert one.joined == other.joined
    assert (one.mailing.people, one.mailing.disclosures) == (
        other.mailing.people,
        other.mailing.disclosures,
    )


def told(database):
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "SELECT people, disclosures, waves FROM store_mailing"
        ).fetchall()


def test_what_was_held_and_then_split_is_still_told_on_the_page(database):
    kept = memory()
    places = [
        reserve(kept, wave(f"batch {n}", range(10 * n, 10 * n + 10))) for n in range(3)
    ]
    for place in places:
        kept.settle(place.id, WaveState.HELD)
    for place in places:
        kept.settle(place.id, WaveState.CANCELLED)

    assert told(database) == [(30, 270, 3)]


def test_what_the_next_hop_refused_is_not_told(database):
    kept = memory()
    places = [
        reserve(kept, wave(f"batch {n}", range(10 * n, 10 * n + 10))) for n in range(3)
    ]

    kept.settle(places[1].id, WaveState.CANCELLED)

    assert told(database) == [(20, 180, 2)]


def test_a_recall_finds_neither_itself_nor_an_earlier_recall(database):
    kept = memory()

    def recall(digest):
        return wave(
            digest,
            range(0),
            audience=people(range(50)),
            recalls="model x",
            subject="model x",
            shingles=pieces("recall"),
        )

    found = [reserve(kept, recall(digest)).known.recalled for digest in ("1", "2")]

    assert found == [False, False]


def test_a_mail_without_any_text_joins_a_mailing(database):
    kept = memory()
    first, second = (
        reserve(kept, wave(f"{n}", range(9 * n, 9 * n + 9), shingles=frozenset()))
        for n in range(2)
    )

    assert first.known.mailing.id == second.known.mailing.id


def test_a_hundred_thousand_people_are_one_row(database):
    kept = memory()

    place = reserve(kept, wave("many", range(100_000), shingles=pieces("many")))

    assert place.known.mailing.people == 100_000
    with psycopg.connect(database.url) as connection:
        rows = connection.execute(
            "SELECT octet_length(people), audience FROM store_rememberedwave"
        ).fetchall()
    assert rows == [(800_000, None)]


def test_another_key_sees_nothing_of_it(database):
    reserve(memory(), wave("one"))

    found = reserve(PostgresMemory(Keys(b"o" * 32)), wave("two", range(100, 200)))

    assert found.known.mailing.people == 100


def test_mail_of_two_windows_is_two_mailings(database):
    kept = memory()
    first = reserve(kept, wave("one"))

    later = reserve(kept, wave("two"), NOW + WINDOW + timedelta(seconds=1))

    assert first.known.mailing.id != later.known.mailing.id
