# SPDX-License-Identifier: Apache-2.0
"""``undisclosed postoffice``: catches all mail while there is no next hop."""

import argparse

from undisclosed.cli import options, wiring
from undisclosed.cli.ports import refuse_taken
from undisclosed.store.settings import Settings


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "postoffice", help="the catching mailbox of a machine without a next hop"
    )
    options.add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Catch mail until SIGTERM or SIGINT."""
    settings = wiring.load(args.settings)
    refuse_taken("postoffice.listen", settings.postoffice.listen)
    wiring.start(settings, "postoffice")
    options.loop_run(_serve(settings))
    return 0


async def _serve(settings: Settings) -> None:
    stop = options.stop_event()
    office = wiring.post_office(settings)
    where = settings.postoffice.listen
    await office.start(where.host, where.port)
    await stop.wait()
    await office.close()
