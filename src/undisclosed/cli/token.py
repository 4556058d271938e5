# SPDX-License-Identifier: Apache-2.0
"""``undisclosed token``: access tokens for programs; made, listed and revoked.

Whoever may run this command holds the keys of the installation already; that it was
used stands in the journal.
"""

import argparse
import sys
from datetime import datetime, timedelta

from undisclosed.cli import options, wiring
from undisclosed.cli.wording import printable
from undisclosed.core.address import parse_addr_spec
from undisclosed.store import tokens
from undisclosed.store.tokens import AccessToken, Purpose

WRONG_USAGE = 2


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("token", help="access tokens for programs")
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    make = deeds.add_parser("make", help="make an access token and print it, once")
    _add_name(make)
    make.add_argument(
        "--purpose",
        choices=[purpose.value for purpose in Purpose],
        required=True,
        help="what the token opens: the check API, or submission with SMTP AUTH",
    )
    make.add_argument(
        "--account",
        metavar="ADDRESS",
        help="the log-in address of the account that the token acts for",
    )
    make.add_argument(
        "--days", type=int, metavar="N", help="days until it ends (default: never)"
    )
    revoke = deeds.add_parser("revoke", help="end an access token at once")
    _add_name(revoke)
    listed = deeds.add_parser("list", help="print every access token's name and state")
    for deed in (make, revoke, listed):
        options.add_settings(deed)


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what the journal calls the token")


def run(args: argparse.Namespace) -> int:
    """Do the deed. Raises UndisclosedError."""
    if args.deed == "make" and args.days is not None and args.days < 1:
        print("undisclosed: --days must be 1 or more.", file=sys.stderr)
        return WRONG_USAGE
    wiring.configure(wiring.load(args.settings))
    match args.deed:
        case "make":
            return _make(args)
        case "revoke":
            tokens.revoke(args.name, wiring.utc_now())
            print(f"The access token {printable(args.name)} opens nothing any more.")
        case _:
            now = wiring.utc_now()
            for token in tokens.every():
                print(_line(token, now))
    return 0


def _make(args: argparse.Namespace) -> int:
    now, owner = wiring.utc_now(), None
    if args.account is not None:
        owner = parse_addr_spec(args.account)
        if owner is None:
            print("undisclosed: --account needs an address.", file=sys.stderr)
            return WRONG_USAGE
    expires_at = None if args.days is None else now + timedelta(days=args.days)
    purpose = Purpose(args.purpose)
    print(tokens.make(args.name, purpose, owner=owner, expires_at=expires_at, now=now))
    return 0


def _line(token: AccessToken, now: datetime) -> str:
    """A token's name, what it opens, for whom, and whether it still does."""
    owner = f", for {printable(token.owner)}" if token.owner else ""
    return f"{token.name}: {token.purpose.value}{owner}, {_state(token, now)}"


def _state(token: AccessToken, now: datetime) -> str:
    if token.revoked_at is not None:
        return f"revoked on {token.revoked_at:%Y-%m-%d}"
    if token.expires_at is None:
        return "good until it is revoked"
    word = "good until" if token.is_good(now) else "ended on"
    return f"{word} {token.expires_at:%Y-%m-%d}"
