# SPDX-License-Identifier: Apache-2.0
"""``undisclosed account link ADDRESS``: a way back in for whoever lost theirs.

Whoever may run this command holds the keys of the installation already; that it was
used stands in the journal.
"""

import argparse
import sys

from undisclosed.cli import options, wiring
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.errors import UndisclosedError
from undisclosed.store import bootstrap, crypto, journal


class NoSuchAccount(UndisclosedError):
    """There is no active account with this address."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("account", help="make a log-in link for an account")
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    link = deeds.add_parser(
        "link", help="print a log-in link; it works once, for a day"
    )
    link.add_argument(
        "address", metavar="ADDRESS", help="what the account logs in with"
    )
    options.add_settings(link)


def run(args: argparse.Namespace) -> int:
    """Print the link. Raises NoSuchAccount."""
    address = parse_addr_spec(args.address)
    if address is None:
        print(f"undisclosed: {args.address!r} is no address.", file=sys.stderr)
        return 2
    settings = wiring.load(args.settings)
    wiring.configure(settings)
    token = _token_of(address)
    print(f"{settings.console.url}/log-in/{token}/")
    return 0


def _token_of(address: Address) -> str:
    # Models can be imported only once Django is configured.
    from undisclosed.store.models import Account  # noqa: PLC0415

    login_hash = crypto.address_hash(address)
    account = Account.objects.filter(login_hash=login_hash, is_active=True).first()
    if account is None:
        raise NoSuchAccount
    token = bootstrap.login_link(account)
    journal.write("log-in link made", actor="command line", account=str(account.pk))
    return token
