# SPDX-License-Identifier: Apache-2.0
"""What several commands share: the option of the settings file, and their ending."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

try:
    from uvloop import run as _run
except ImportError:  # no wheel for this platform
    from asyncio import run as _run  # type: ignore[assignment]


QUIET = "UNDISCLOSED_QUIET"
"""Environment: `run` says itself what happens, so its parts log warnings alone."""


def add_settings(parser: argparse.ArgumentParser) -> None:
    """Add ``--settings FILE``."""
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="settings file (default: undisclosed.toml here, else the defaults)",
    )


def log_to_stderr() -> None:
    """Log in one line each; records hold no address.

    A part says where it listens, and then nothing while all is well.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING if os.environ.get(QUIET) else logging.INFO,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("procrastinate", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def loop_run(main: Coroutine[Any, Any, None]) -> None:
    """Run in an event loop: uvloop where it is installed, else asyncio's own."""
    log_to_stderr()
    _run(main)


def stop_event() -> asyncio.Event:
    """Set at SIGTERM or SIGINT: whoever waits for it then finishes in order."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop
