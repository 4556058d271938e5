# SPDX-License-Identifier: Apache-2.0
"""``undisclosed guard``: the guard's SMTP endpoint, one process or several."""

import argparse
import asyncio
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from django.db import connections
from prometheus_client import start_http_server

from undisclosed.cli import options, wiring
from undisclosed.cli.children import Children
from undisclosed.cli.feeds import smtp_feed
from undisclosed.cli.milters import Milter, milters, refuse_taken_sockets
from undisclosed.cli.ports import refuse_taken
from undisclosed.guard.endpoints.feed import SmtpFeed
from undisclosed.guard.endpoints.smtp import SmtpEndpoint
from undisclosed.guard.metrics import GuardMetrics
from undisclosed.store.settings import HostPort

log = logging.getLogger(__name__)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("guard", help="the guard's SMTP endpoint alone")
    options.add_settings(parser)
    parser.add_argument("--process", type=int, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT; open transactions are finished first."""
    settings = wiring.load(args.settings)
    processes = settings.guard.processes or os.cpu_count() or 1
    if args.process is None:
        refuse_taken("guard.listen", settings.guard.listen)
        refuse_taken("guard.feed.listen", settings.guard.feed.listen)
        refuse_taken("guard.metrics", settings.guard.metrics, processes)
        refuse_taken_sockets(settings)
    wiring.start(settings, "guard")
    metrics = GuardMetrics()
    # Made before there are several processes: what is wrong is said once.
    endpoint = wiring.endpoint(settings, metrics)
    if args.process is None and processes > 1:
        connections.close_all()
        return _run_several(args.settings, processes)
    process = args.process or 0
    _expose(metrics, settings.guard.metrics, process)
    beside = milters(settings, endpoint.checkpoint, metrics, process=process)
    feed = smtp_feed(settings, metrics)
    listening = _feed_also(feed, settings.guard.feed.listen, args.process is not None)
    options.loop_run(
        _serve(
            endpoint,
            beside,
            settings.guard.listen,
            listening,
            shared=args.process is not None,
        )
    )
    return 0


@asynccontextmanager
async def _feed_also(
    feed: SmtpFeed | None, where: HostPort | None, is_shared: bool
) -> AsyncIterator[None]:
    """Listen for copies of inbound mail, too, where that is set."""
    if feed is None or where is None:
        yield
        return
    await feed.start(where.host, where.port, reuse_port=is_shared)
    log.info("The guard's feed listens on %s.", where)
    try:
        yield
    finally:
        await feed.close()


async def _serve(
    endpoint: SmtpEndpoint,
    beside: list[Milter],
    where: HostPort,
    listening: AbstractAsyncContextManager[None],
    *,
    shared: bool,
) -> None:
    stop = options.stop_event()
    for milter in beside:
        await milter.serve(reuse_port=shared)
        log.info("The guard's milter listens on %s.", milter.settings.listen)
    async with listening:
        await endpoint.serve(reuse_port=shared)
        log.info("The guard listens on %s.", where)
        await stop.wait()
        await asyncio.gather(endpoint.close(), *(one.close() for one in beside))


def _run_several(file: Path | None, processes: int) -> int:
    """N processes share one port (SO_REUSEPORT); one that ends is started again."""
    stop = threading.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: stop.set())
    chosen = ("--settings", str(file)) if file else ()
    with Children(os.environ) as children:
        for number in range(processes):
            children.start("guard", "guard", "--process", str(number), *chosen)
        while not stop.wait(0.2):
            children.start_again()
    return 0


def _expose(metrics: GuardMetrics, where: HostPort | None, process: int) -> None:
    """Serve the metrics; each process of several on a port of its own, upwards."""
    if where is not None:
        start_http_server(where.port + process, where.host, registry=metrics.registry)
