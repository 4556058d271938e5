# SPDX-License-Identifier: Apache-2.0
"""``undisclosed guard``: the guard's SMTP endpoint, one process or several."""

import argparse
import logging
import os
import signal
import threading
from pathlib import Path

from django.db import connections
from prometheus_client import start_http_server

from undisclosed.cli import options, wiring
from undisclosed.cli.children import Children
from undisclosed.cli.ports import refuse_taken
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
        refuse_taken("guard.metrics", settings.guard.metrics, processes)
    wiring.start(settings, "guard")
    metrics = GuardMetrics()
    # Made before there are several processes: what is wrong is said once.
    endpoint = wiring.endpoint(settings, metrics)
    if args.process is None and processes > 1:
        connections.close_all()
        return _run_several(args.settings, processes)
    _expose(metrics, settings.guard.metrics, args.process or 0)
    options.loop_run(
        _serve(endpoint, settings.guard.listen, shared=args.process is not None)
    )
    return 0


async def _serve(endpoint: SmtpEndpoint, where: HostPort, *, shared: bool) -> None:
    stop = options.stop_event()
    await endpoint.serve(reuse_port=shared)
    log.info("The guard listens on %s.", where)
    await stop.wait()
    await endpoint.close()


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
