# SPDX-License-Identifier: Apache-2.0
"""A database that goes away is called away; a transaction is all or nothing."""

import threading
import time
from contextlib import suppress

import psycopg
import pytest

from undisclosed.errors import TransientError
from undisclosed.store.database import Prepared, transaction
from undisclosed.store.database import database as connected

SLEEP = Prepared("tests_sleep", "SELECT pg_sleep($1::float8)::text")
END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
 WHERE query LIKE '%pg_sleep($1%' AND pid <> pg_backend_pid()
"""


@pytest.fixture
def table(database):
    """A table of one column that is gone after the test."""
    with connected() as connection:
        connection.run("CREATE TABLE tests_numbers (number integer)")
    yield "tests_numbers"
    with connected() as connection:
        connection.run("DROP TABLE tests_numbers")


def numbers():
    """What is in the table, as another connection sees it."""
    with connected() as connection:
        rows = connection.all("SELECT number FROM tests_numbers ORDER BY number")
    return [row[0] for row in rows]


def add(connection, number):
    connection.run("INSERT INTO tests_numbers VALUES (%s)", (number,))


def end_whoever_sleeps(url):
    """End the connection that sleeps, as soon as it does."""
    until = time.monotonic() + 20
    with psycopg.connect(url, autocommit=True) as other:
        while time.monotonic() < until and not other.execute(END).fetchall():
            time.sleep(0.02)


@pytest.mark.parametrize("opened", [connected, transaction])
def test_a_connection_that_is_lost_in_a_question_is_a_database_that_is_away(
    database, opened
):
    ending = threading.Thread(target=end_whoever_sleeps, args=(database.url,))
    ending.start()

    with pytest.raises(TransientError), opened() as connection:
        connection.ask(SLEEP, (30,))

    ending.join()
    with connected() as connection:
        assert connection.one("SELECT 1") == (1,)


def test_what_ends_well_is_kept_whole(table):
    with transaction() as connection:
        add(connection, 1)
        add(connection, 2)

    assert numbers() == [1, 2]


def test_of_what_ends_badly_nothing_is_kept(table):
    with pytest.raises(ZeroDivisionError), transaction() as connection:
        add(connection, 1)
        raise ZeroDivisionError

    assert numbers() == []


def test_of_a_statement_that_is_refused_nothing_is_kept(table):
    with pytest.raises(psycopg.errors.UndefinedTable), transaction() as connection:
        add(connection, 1)
        connection.run("SELECT * FROM tests_nothing")

    assert numbers() == []


def test_a_transaction_inside_another_ends_badly_alone(table):
    with transaction() as connection:
        add(connection, 1)
        with pytest.raises(ZeroDivisionError), transaction() as inner:
            add(inner, 2)
            raise ZeroDivisionError
        add(connection, 3)

    assert numbers() == [1, 3]


def test_a_transaction_whose_statement_failed_is_not_called_kept(table):
    with (
        pytest.raises(psycopg.errors.InFailedSqlTransaction),
        transaction() as connection,
    ):
        add(connection, 1)
        with suppress(psycopg.errors.UndefinedTable):
            connection.run("SELECT * FROM tests_nothing")

    assert numbers() == []


def test_nothing_of_a_transaction_goes_on_in_another_connection(table):
    with pytest.raises(TransientError), transaction() as connection:
        add(connection, 1)
        connection.raw.close()
        with connected() as another:
            add(another, 2)

    assert numbers() == []


def test_who_takes_no_notice_of_the_loss_is_told_again(table):
    lost = []

    def insert(number):
        try:
            with connected() as connection:
                add(connection, number)
        except TransientError:
            lost.append(number)

    with pytest.raises(TransientError), transaction() as connection:
        add(connection, 1)
        connection.raw.close()
        insert(2)
        insert(3)

    assert lost == [2, 3]
    assert numbers() == []
