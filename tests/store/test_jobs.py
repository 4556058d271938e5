# SPDX-License-Identifier: Apache-2.0
"""Jobs: a decision wakes a worker, a rollback does not, a dead worker's jobs return."""

import asyncio
from datetime import timedelta

import django.db
import psycopg
import pytest

from tests.guard.spool_contract import NOW, copies_of, new_hold, own_mail
from undisclosed.core.held import HoldEvent
from undisclosed.errors import UndisclosedError
from undisclosed.store import jobs
from undisclosed.store.database import transaction
from undisclosed.store.spool import PostgresSpool

LONG = 20.0
NEVER = timedelta(hours=1)


def work(scene, *, beat=NEVER):
    """Run a worker while the scene plays; what each task did, in order."""

    async def play():
        stop, ran = asyncio.Event(), asyncio.Queue()
        work = jobs.Jobs()
        for name in (jobs.DELIVER, jobs.SWEEP):

            async def task(name=name):
                await ran.put(name)

            work.register(name, task)
        worker = asyncio.create_task(work.run_worker(stop, beat=beat))
        try:
            await asyncio.wait_for(scene(ran), LONG)
        finally:
            stop.set()
            await asyncio.wait_for(worker, LONG)

    asyncio.run(play())


async def both_first_beats(ran):
    assert {await ran.get(), await ran.get()} == {jobs.DELIVER, jobs.SWEEP}


def decide():
    spool = PostgresSpool()
    hold_id = spool.hold(new_hold()).id
    copies = copies_of(hold_id, "ann")
    spool.decide(hold_id, HoldEvent.SEND_SINGLY, copies, by="olive", now=NOW)


def waiting(database):
    with psycopg.connect(database.url) as connection:
        return connection.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
        ).fetchone()[0]


def test_a_decision_wakes_the_worker(database):
    async def scene(ran):
        await both_first_beats(ran)
        await asyncio.to_thread(decide)
        assert await ran.get() == jobs.DELIVER

    work(scene)


def test_every_beat_sweeps_and_delivers(database):
    async def scene(ran):
        for _ in range(3):
            await both_first_beats(ran)

    work(scene, beat=timedelta(milliseconds=50))


def test_what_is_rolled_back_leaves_no_job(database):
    with pytest.raises(ZeroDivisionError), transaction() as connection:
        jobs.defer(connection, jobs.DELIVER)
        _ = 1 / 0

    assert waiting(database) == 0


def test_many_decisions_leave_few_jobs(database):
    spool = PostgresSpool()

    for number in range(60):
        spool.queue([own_mail(f"n-{number}")], now=NOW)

    assert 1 <= waiting(database) <= 25


def test_the_jobs_of_a_dead_worker_run_again(database):
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 day') RETURNING id)"
            " INSERT INTO procrastinate_jobs"
            " (queue_name, task_name, status, attempts, worker_id)"
            " SELECT %s, %s, 'doing', 1, id FROM dead",
            (jobs.QUEUE, jobs.SWEEP),
        )

    async def scene(ran):
        found = [await ran.get() for _ in range(3)]
        assert found.count(jobs.SWEEP) == 2

    work(scene)


def test_the_job_of_a_dead_worker_is_dropped_where_one_like_it_waits(database, caplog):
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(
            "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - interval '1 day') RETURNING id), doing AS ("
            " INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock,"
            " status, attempts, worker_id) SELECT %s, %s, %s, 'doing', 1, id FROM dead)"
            " INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock,"
            " scheduled_at) VALUES (%s, %s, %s, now() + interval '1 day')",
            (jobs.QUEUE, jobs.SWEEP, jobs.SWEEP) * 2,
        )

    async def scene(ran):
        assert await ran.get() == jobs.DELIVER

    work(scene)

    with psycopg.connect(database.url) as connection:
        query = "SELECT status::text FROM procrastinate_jobs WHERE task_name = %s"
        left = connection.execute(query, (jobs.SWEEP,)).fetchall()
    assert left == [("todo",)]
    assert "lost the database" not in caplog.text


def test_a_worker_outlives_a_database_that_drops_it(database):
    async def scene(ran):
        await both_first_beats(ran)
        with psycopg.connect(database.url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
        await both_first_beats(ran)

    work(scene, beat=timedelta(seconds=1))
    django.db.connections.close_all()


def test_a_worker_outlives_a_database_that_is_stopped_and_started(database):
    async def scene(ran):
        await both_first_beats(ran)
        database.server.stop()
        await asyncio.sleep(1)
        database.server.start()  # here, since it stops with the thread that starts it
        while not ran.empty():
            ran.get_nowait()
        await both_first_beats(ran)

    work(scene, beat=timedelta(milliseconds=200))
    django.db.connections.close_all()


def test_a_worker_without_its_functions_says_so(database):
    with pytest.raises(UndisclosedError, match="deliver"):
        asyncio.run(jobs.Jobs().run_worker(asyncio.Event()))


def test_only_known_tasks_are_registered():
    with pytest.raises(ValueError, match="sing"):
        jobs.Jobs().register("sing", asyncio.sleep)
