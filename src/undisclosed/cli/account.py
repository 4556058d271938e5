# SPDX-License-Identifier: Apache-2.0
"""``undisclosed account``: a way back in, lost second factors, who may still log in.

Whoever may run this command holds the keys of the installation already; that it was
used stands in the journal.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from django.db import transaction

from undisclosed.cli import options, wiring
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.errors import UndisclosedError
from undisclosed.store import bootstrap, crypto, journal

if TYPE_CHECKING:
    from undisclosed.store.models import Account

BY = "command line"
WRONG_USAGE = 2
_DEEDS = {
    "link": "print a log-in link; it works once, for a day",
    "factors": "print which second factors the account has",
    "remove-factors": "remove second factors that their owner lost, and tell them",
}


class NoSuchAccount(UndisclosedError):
    """There is no active account with this address."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("account", help="log-in links and lost factors")
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    for name, text in _DEEDS.items():
        deed = deeds.add_parser(name, help=text)
        deed.add_argument(
            "address", metavar="ADDRESS", help="what the account logs in with"
        )
        options.add_settings(deed)


def run(args: argparse.Namespace) -> int:
    """Do the deed. Raises NoSuchAccount, NoFactors where there is none to remove."""
    address = parse_addr_spec(args.address)
    if address is None:
        print(f"undisclosed: {args.address!r} is no address.", file=sys.stderr)
        return WRONG_USAGE
    settings = wiring.load(args.settings)
    wiring.configure(settings)
    account = _account_of(address)
    match args.deed:
        case "link":
            print(f"{settings.console.url}/log-in/{_link(account)}/")
        case "factors":
            print(_factors(account))
        case _:
            print(_remove_factors(account))
    return 0


def _account_of(address: Address) -> "Account":
    # Models can be imported only once Django is configured.
    from undisclosed.store.models import Account  # noqa: PLC0415

    login_hash = crypto.address_hash(address)
    account = Account.objects.filter(login_hash=login_hash, is_active=True).first()
    if account is None:
        raise NoSuchAccount
    return account


def _link(account: "Account") -> str:
    token = bootstrap.login_link(account)
    journal.write("log-in link made", actor=BY, account=str(account.pk))
    return token


def _factors(account: "Account") -> str:
    from undisclosed.store import accounts  # noqa: PLC0415 (after Django)

    kinds = accounts.factors(account)
    return ", ".join(f"{kind}: {number}" for kind, number in kinds.items()) or "none"


def _remove_factors(account: "Account") -> str:
    from undisclosed.console.accounts.telling import Said, tell  # noqa: PLC0415
    from undisclosed.store import accounts  # noqa: PLC0415

    with transaction.atomic():
        kinds = accounts.remove_factors(account, by=BY)
        is_told = tell(account, Said.FACTORS_REMOVED, wiring.utc_now())
    told = "Their owner is told by mail." if is_told else "Nobody could be told."
    return f"Removed: {', '.join(kinds)}. The account's sessions ended. {told}"
