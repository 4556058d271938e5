# SPDX-License-Identifier: Apache-2.0
"""``undisclosed worker``: delivers what was decided, escalates, expires, reports."""

import argparse
import asyncio
import os
import socket
from dataclasses import replace

from prometheus_client import start_http_server

from undisclosed.cli import options, wiring, wiring_send, wiring_smarthost
from undisclosed.cli.journal import note_heads
from undisclosed.cli.ports import refuse_taken
from undisclosed.guard.deliver import DeliverySettings, deliver_due
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.guard.relay import Hop
from undisclosed.guard.sweep import SweepSettings, sweep
from undisclosed.send.deliver import Sender
from undisclosed.store import absence, desk, jobs, ledger, retention, sealing
from undisclosed.store.presence import Presence, free_leases_of_the_dead
from undisclosed.store.settings import Settings

BATCH = 200
"""Copies that are claimed at once."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "worker", help="a worker: delivers, escalates, returns"
    )
    options.add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Work until SIGTERM or SIGINT; what is being sent is finished first."""
    settings = wiring.load(args.settings)
    refuse_taken("worker.metrics", settings.worker.metrics)
    wiring.start(settings, "worker")
    options.loop_run(_work(settings, f"{socket.gethostname()}-{os.getpid()}"))
    return 0


async def _work(settings: Settings, name: str) -> None:
    stop, metrics = options.stop_event(), GuardMetrics()
    if settings.worker.metrics is not None:
        where = settings.worker.metrics
        start_http_server(where.port, where.host, registry=metrics.registry)
    hop = wiring.delivery_hop(settings)
    work = jobs.Jobs()
    presence = Presence(name)
    work.register(jobs.DELIVER, _deliver(settings, hop, presence, metrics, stop))
    work.register(jobs.SWEEP, _sweep(settings, presence, metrics))
    sender = wiring_send.sender(settings, wiring.next_hop(settings), name)
    work.register(jobs.SEND, _send(sender, presence, stop))
    await work.run_worker(stop, name=name)
    await hop.close()
    presence.close()


def _deliver(
    settings: Settings,
    hop: Hop,
    presence: Presence,
    metrics: GuardMetrics,
    stop: asyncio.Event,
) -> jobs.Task:
    chosen = DeliverySettings(
        retry=settings.delivery.retry,
        finishes=wiring_smarthost.finishes(settings, wiring.reader()),
    )

    async def deliver() -> None:
        await asyncio.to_thread(presence.renew)
        while not stop.is_set() and await deliver_due(
            wiring.spool(),
            hop,
            presence.name,
            wiring.utc_now,
            BATCH,
            name=wiring.keyed_ids(),
            settings=chosen,
            metrics=metrics,
            memory=wiring.memory(),
        ):
            pass

    return deliver


def _send(sender: Sender, presence: Presence, stop: asyncio.Event) -> jobs.Task:
    async def send() -> None:
        await asyncio.to_thread(presence.renew)
        await sender.send_due(stop)

    return send


def _sweep(settings: Settings, presence: Presence, metrics: GuardMetrics) -> jobs.Task:
    chosen = sweep_settings(settings)
    notices = wiring.notices(settings)

    async def swept() -> None:
        now = wiring.utc_now()
        await asyncio.to_thread(presence.renew)
        await asyncio.to_thread(free_leases_of_the_dead)
        await asyncio.to_thread(ledger.free_leases_of_the_dead)
        await asyncio.to_thread(
            sweep,
            wiring.spool(),
            wiring.memory(),
            replace(chosen, away=await asyncio.to_thread(absence.away, now)),
            now,
            notices=notices,
            name=wiring.keyed_ids(),
        )
        metrics.waiting(*await asyncio.to_thread(desk.waiting, now))
        await asyncio.to_thread(retention.purge, settings, now)
        note_heads(settings, await asyncio.to_thread(sealing.seal, now))

    return swept


def sweep_settings(settings: Settings) -> SweepSettings:
    """Whom the sweep tells, and when, as the settings say."""
    holds = settings.holds
    steps = range(1, holds.escalations + 1)
    return SweepSettings(
        contacts=tuple(filter(None, (*holds.approvers, holds.desk))),
        escalate_after=tuple(holds.escalate_after * step for step in steps),
        report_interval=settings.delivery.dsn_interval,
    )
