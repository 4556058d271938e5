# SPDX-License-Identifier: Apache-2.0
"""``undisclosed migrate``: makes or changes the tables of one's own PostgreSQL.

``run`` does it by itself. Where guards, workers and consoles run apart, this comes
first: once for an installation, and once for each upgrade.
"""

import argparse

from undisclosed.cli import options, wiring
from undisclosed.store import bootstrap, migrate


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "migrate", help="make or change the tables, before parts are started apart"
    )
    options.add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Bring the tables up to this release; print the log-in link of a first account."""
    settings = wiring.load(args.settings)
    wiring.make_first_key(settings)
    wiring.configure(settings)
    if migrate.is_needed():
        migrate.migrate()
        print("The tables are those of this release.")
    else:
        print("Nothing to do: the tables are those of this release.")
    bootstrap.check_key()
    account = bootstrap.first_account() or bootstrap.unused_account()
    if account is not None:
        link = f"{settings.console.url}/log-in/{bootstrap.login_link(account)}/"
        print(f"Log in with this link; it works once, for a day:\n  {link}")
    return 0
