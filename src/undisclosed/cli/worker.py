# SPDX-License-Identifier: Apache-2.0
"""``undisclosed worker``: delivers what was decided, escalates, expires, reports."""

import argparse
import asyncio
import contextlib
import logging
import os
import socket
from dataclasses import replace
from datetime import timedelta

from prometheus_client import start_http_server

from undisclosed.cli import (
    options,
    wiring,
    wiring_returns,
    wiring_send,
    wiring_smarthost,
)
from undisclosed.cli.ports import refuse_taken
from undisclosed.console.campaigns import wiring as campaign_wiring
from undisclosed.console.lists.hiding import hide
from undisclosed.guard.deliver import DeliverySettings, deliver_due
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.guard.relay import Hop
from undisclosed.guard.sweep import SweepSettings, sweep
from undisclosed.send import importing
from undisclosed.send.deliver import Sender
from undisclosed.send.return_box import Fetching
from undisclosed.send.returns import learn_refusals
from undisclosed.store import (
    absence,
    desk,
    jobs,
    ledger,
    retention,
    returns,
    sealing,
    verifying,
)
from undisclosed.store.presence import Presence, free_leases_of_the_dead
from undisclosed.store.settings import Settings
from undisclosed.store.stamping import Stamping
from undisclosed.store.timestamps import AuthorityUnknown

BATCH = 200
"""Copies that are claimed at once."""

SOON = timedelta(seconds=10)
"""What a campaign waits for no longer than this is waited for here."""

log = logging.getLogger(__name__)


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
    hop_of_send = wiring.next_hop(settings)
    sender = wiring_send.sender(settings, hop_of_send, name, presence.renew)
    work.register(jobs.LISTS, _lists(settings, presence))
    work.register(jobs.SEND, _send(sender, presence, stop))
    work.register(jobs.CHECK, _check(presence))
    if (fetching := wiring_returns.fetching(settings)) is not None:
        work.register(jobs.RETURNS, _fetch(fetching))
    if (stamping := wiring.stamping(settings)) is not None:
        work.register(jobs.STAMP, _stamp(stamping))
    work.register(jobs.VERIFY, _verify(settings))
    async with wiring_returns.listening(settings):
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


def _lists(settings: Settings, presence: Presence) -> jobs.Task:
    own_domains = settings.policy.own_domains

    async def lists() -> None:
        await asyncio.to_thread(presence.renew)
        await asyncio.to_thread(
            importing.take_all, own_domains=own_domains, now=wiring.utc_now, hide=hide
        )

    return lists


def _send(sender: Sender, presence: Presence, stop: asyncio.Event) -> jobs.Task:
    async def send() -> None:
        await asyncio.to_thread(presence.renew)
        while not stop.is_set():
            again_at = await sender.send_due(stop)
            if again_at is None or again_at - wiring.utc_now() > SOON:
                return  # the next beat comes first
            wait = max(0.1, (again_at - wiring.utc_now()).total_seconds())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), wait)

    return send


def _check(presence: Presence) -> jobs.Task:
    async def check() -> None:
        await asyncio.to_thread(presence.renew)
        await asyncio.to_thread(campaign_wiring.check_wanted, wiring.utc_now())

    return check


def _fetch(fetching: Fetching) -> jobs.Task:
    async def fetch() -> None:
        await asyncio.to_thread(fetching.fetch_due)

    return fetch


def _verify(settings: Settings) -> jobs.Task:
    async def verify() -> None:
        try:
            await asyncio.to_thread(verifying.verify_wanted, settings, wiring.utc_now())
        except AuthorityUnknown as error:
            log.warning("The journal is not verified: %s", error)

    return verify


def _stamp(stamping: Stamping) -> jobs.Task:
    async def stamp() -> None:
        await asyncio.to_thread(stamping.stamp_due)

    return stamp


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
        await asyncio.to_thread(campaign_wiring.remind, now)
        metrics.waiting(*await asyncio.to_thread(desk.waiting, now))
        await asyncio.to_thread(retention.purge, settings, now)
        await asyncio.to_thread(returns.purge, now)
        await asyncio.to_thread(sealing.seal, now)
        await asyncio.to_thread(verifying.note, settings)
        await asyncio.to_thread(learn_refusals, now)

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
