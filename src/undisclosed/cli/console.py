# SPDX-License-Identifier: Apache-2.0
"""``undisclosed console``: the web pages, served by granian."""

import argparse
import os
from collections.abc import Callable
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from undisclosed.cli import options, wiring
from undisclosed.cli.children import end_with
from undisclosed.cli.ports import refuse_taken
from undisclosed.console.site import application

BLOCKING_THREADS = 4
"""Requests that one process answers at once; each has a database connection."""

BACKPRESSURE = 64
"""Requests that one process takes on at once; more wait in the socket."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("console", help="the pages alone")
    options.add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Serve the pages until SIGTERM or SIGINT."""
    settings = wiring.load(args.settings)
    refuse_taken("console.listen", settings.console.listen)
    if settings.file is not None:
        # The processes that serve the pages load the settings themselves.
        os.environ["UNDISCLOSED_SETTINGS"] = str(settings.file)
    Granian(
        f"{__name__}:pages",
        factory=True,
        address=settings.console.listen.host,
        port=settings.console.listen.port,
        interface=Interfaces.WSGI,
        workers=settings.console.processes,
        blocking_threads=BLOCKING_THREADS,
        backpressure=BACKPRESSURE,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
    ).serve()
    return 0


def pages() -> Callable[..., Any]:
    """The WSGI application of one process, with its own settings and connections."""
    # Left behind it would keep the port, and serve the pages of an earlier start.
    end_with(os.getppid())
    wiring.start(wiring.load(None), "console")
    return application()
