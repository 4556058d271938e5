# SPDX-License-Identifier: Apache-2.0
"""The worker's jobs, over procrastinate: a job is a step, never one recipient.

The tables of the store are the truth, a job only says that there is work: it is
deferred in the transaction that made the work, has no arguments, and may run twice
or find nothing to do. ``deliver`` sends what is due, ``sweep`` escalates, expires,
reports and purges, ``send`` takes campaigns on, ``check`` runs the checks of those with
long lists, ``lists`` uploads, ``stamp`` asks for timestamps of the journal, ``verify``
verifies it when a page asked. The functions behind them belong to the parts above and
are registered by name.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

import procrastinate
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status

from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.store.database import Connection, database

DELIVER: Final = "deliver"
SWEEP: Final = "sweep"
SEND: Final = "send"
LISTS: Final = "lists"
CHECK: Final = "check"
RETURNS: Final = "returns"
STAMP: Final = "stamp"
VERIFY: Final = "verify"
TASKS: Final = (SWEEP, DELIVER, SEND, LISTS, CHECK, RETURNS, STAMP, VERIFY)
QUEUE: Final = "undisclosed"

_ENOUGH_WAITING = 20
_STALLED_AFTER = 30
_BEAT = timedelta(seconds=10)
_AGAIN_AFTER = 2.0

Task = Callable[[], Awaitable[object]]

log = logging.getLogger(__name__)

# NOTIFY makes the commits that carry it queue up behind one another, so when enough
# jobs of the kind are waiting already, no more are added: one of them runs later
# than this commit and finds its work; the sweep finds what none of them found.
_DEFER: Final = """
SELECT procrastinate_defer_jobs_v1(ARRAY[
    ROW(%s, %s, 0, NULL, NULL, '{}'::jsonb, NULL)::procrastinate_job_to_defer_v1])
 WHERE NOT EXISTS (
    SELECT FROM procrastinate_jobs
     WHERE task_name = %s AND status = 'todo' OFFSET %s)
"""


def defer(connection: Connection, task: str) -> None:
    """Queue a job in the transaction of this connection; it wakes a worker."""
    connection.run(_DEFER, (QUEUE, task, task, _ENOUGH_WAITING))


class Jobs:
    """The tasks of this process. Register all, then run the worker."""

    def __init__(self) -> None:
        self._functions: dict[str, Task] = {}

    def register(self, name: str, function: Task) -> None:
        """Say which coroutine function a task name stands for."""
        if name not in TASKS:
            raise ValueError(name)
        self._functions[name] = function

    async def run_worker(
        self,
        stop: asyncio.Event,
        *,
        name: str = "worker",
        beat: timedelta = _BEAT,
    ) -> None:
        """Work until ``stop`` is set; what is running is finished first.

        A database that goes away is waited for. Raises UndisclosedError where a task
        has no function.
        """
        if missing := {DELIVER, SWEEP} - self._functions.keys():
            raise UndisclosedError(f"No function is registered for {min(missing)}.")
        while not stop.is_set():
            try:
                await self._work(stop, name, beat)
            except (ConnectorException, TransientError, OSError) as error:
                log.warning("The worker lost the database: %s", type(error).__name__)
                await _sleep(stop, _AGAIN_AFTER)

    async def _work(self, stop: asyncio.Event, name: str, beat: timedelta) -> None:
        # Asked first: to open the pool would wait, and not hear that we are to stop.
        await asyncio.to_thread(_ask)
        app = self._app()
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=[QUEUE],
                    name=name,
                    concurrency=len(TASKS),
                    install_signal_handlers=False,
                    delete_jobs="always",
                    fetch_job_polling_interval=5.0,
                )
            )
            tasks = tuple(self._functions)
            clock = asyncio.create_task(_beat(app, beat, tasks))
            stopped = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait(
                    (worker, clock, stopped), return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                clock.cancel()
                stopped.cancel()
                # procrastinate lets what is running finish when it is cancelled.
                worker.cancel()
                results = await asyncio.gather(
                    worker, clock, stopped, return_exceptions=True
                )
            for result in results[:2]:
                if isinstance(result, Exception):
                    raise result

    def _app(self) -> procrastinate.App:
        connector = DjangoConnector().get_worker_connector()
        app = procrastinate.App(connector=connector)
        for name, function in self._functions.items():
            # Sending and sweeping never wait for one another, and each never runs
            # twice at once in one worker process.
            app.task(name=name, queue=QUEUE, pass_context=False)(
                _one_at_a_time(function)
            )
        return app


def _one_at_a_time(function: Task) -> Task:
    lock = asyncio.Lock()

    async def run() -> None:
        async with lock:
            try:
                await function()
            except TransientError:
                # The rows say what is left to do, and the next beat does it.
                log.warning("A job found the database or the next hop away.")

    return run


async def _beat(
    app: procrastinate.App, beat: timedelta, tasks: tuple[str, ...]
) -> None:
    """Every few seconds: a sweep, a delivery, and the jobs of dead workers anew."""
    while True:
        await _put_stalled_back(app)
        for task in tasks:
            await _defer_once(app, task)
        await asyncio.sleep(beat.total_seconds())


async def _defer_once(app: procrastinate.App, task: str) -> None:
    try:
        await app.configure_task(task, queue=QUEUE, queueing_lock=task).defer_async()
    except procrastinate.exceptions.AlreadyEnqueued:
        return


async def _put_stalled_back(app: procrastinate.App) -> None:
    manager = app.job_manager
    stalled = await manager.get_stalled_jobs(
        queue=QUEUE, seconds_since_heartbeat=_STALLED_AFTER
    )
    for job in stalled:
        try:
            await manager.retry_job(job)
        except UniqueViolation:
            # One like it waits already, and finds what this one would have found.
            await manager.finish_job(job, Status.FAILED, delete_job=True)


def _ask() -> None:
    with database() as connection:
        connection.run("SELECT 1")


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
