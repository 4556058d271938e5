# SPDX-License-Identifier: Apache-2.0
"""``undisclosed held``: what waits for a decision, and deciding it from a terminal.

Whoever decides is an account, named with ``--as``: its roles say what it may do, as
on the pages, and its id goes into the journal.
"""

import argparse
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from undisclosed.cli import options, wiring
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.held import CopyState, HoldState
from undisclosed.errors import UndisclosedError
from undisclosed.store.desk_values import MailingRow, MailingView
from undisclosed.store.settings import Settings

if TYPE_CHECKING:
    from undisclosed.store.models import Account

NOTHING, FOUND, REFUSED = 0, 3, 77
"""Exit codes: no mail waits, some does, and not allowed or not possible."""


class NoSuchMailing(UndisclosedError):
    """There is no such held mail: give the id of a hold or of a mailing."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("held", help="held mail: list, show, decide")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    listed = acts.add_parser("list", help="what waits for a decision")
    listed.add_argument(
        "--every-state", action="store_true", help="what was decided, too"
    )
    shown = acts.add_parser("show", help="one mailing: why, since when, its copies")
    shown.add_argument("id", help="id of a hold or of a mailing")
    for name, help_text in (
        ("send-singly", "one private copy for each person"),
        ("send-now", "end the undo window: what waits for it leaves"),
        ("withdraw", "take it back: nothing of it leaves any more"),
        ("release", "let it go unchanged, with a reason"),
    ):
        act = acts.add_parser(name, help=help_text)
        act.add_argument("id", help="id of a hold or of a mailing")
        act.add_argument(
            "--as",
            dest="account",
            required=True,
            metavar="ADDRESS",
            help="log-in address of the account that decides",
        )
        if name == "release":
            act.add_argument("--reason", required=True, help="kept with the mail")
    for each in acts.choices.values():
        options.add_settings(each)


def run(args: argparse.Namespace) -> int:
    """Carry out one act; 0, or for ``list`` 3 where mail waits, 77 where refused."""
    settings = wiring.load(args.settings)
    wiring.configure(settings)
    match args.act:
        case "list":
            return _list(args.every_state)
        case "show":
            _show(_mailing(args.id))
            return NOTHING
        case _:
            return _decide(args, settings)


def _list(every_state: bool) -> int:
    # What follows needs Django configured.
    from undisclosed.store import desk  # noqa: PLC0415

    state, number, waiting = None if every_state else HoldState.HELD, 1, 0
    now = wiring.utc_now()
    while True:
        page = desk.mailings(state=state, page=number)
        for row in page.items:
            waiting += row.open_holds > 0
            print(_line(row, now))
        if not page.has_next:
            break
        number += 1
    if not waiting and not every_state:
        print("No mail waits for a decision.")
    return FOUND if waiting else NOTHING


def _line(row: MailingRow, now: datetime) -> str:
    waits = _waited(now - row.held_at) if row.open_holds else row.state.value
    sender = row.sender or "nobody"
    return (
        f"{row.mailing_id}  {waits:>9}  {row.people:,} people, "
        f"{row.holds:,} held, from {sender}"
    )


def _show(view: MailingView) -> None:
    print(f"Mailing {view.mailing_id}: {view.state.value}, from {view.sender}")
    print(f"{view.people:,} people, {view.disclosures:,} disclosures")
    for batch in view.batches:
        print(f"  {batch.hold_id}  {batch.state.value}  {batch.received_at:%F %T} UTC")
        for finding in batch.findings:
            print(f"    {finding.rule}: {finding.text}")
        if batch.singly_refused and batch.state is HoldState.HELD:
            print(f"    It cannot be sent singly: {batch.singly_refused}")
    if view.leaves_at is not None:
        print(f"Its copies leave at {view.leaves_at:%F %T} UTC.")
    for state in CopyState:
        if view.copies.get(state):
            print(f"  copies {state.value}: {view.copies[state]:,}")


def _decide(args: argparse.Namespace, settings: Settings) -> int:
    from undisclosed.console import acting  # noqa: PLC0415
    from undisclosed.console import wiring as pages  # noqa: PLC0415

    view = _mailing(args.id)
    decisions = {
        "send-singly": pages.SEND_SINGLY,
        "send-now": pages.SEND_NOW,
        "withdraw": pages.WITHDRAW,
        "release": pages.RELEASE,
    }
    more = {"reason": args.reason} if args.act == "release" else {}
    actor = acting.actor_of(account_named(args.account))
    try:
        outcomes = decisions[args.act].of(view.mailing_id, actor, **more)
    except pages.REFUSALS as error:
        print(f"undisclosed: {error.message}", file=sys.stderr)
        return REFUSED
    done = [outcome for outcome in outcomes if outcome.is_new]
    if not done:
        print("undisclosed: Nothing of it waits any more.", file=sys.stderr)
        return REFUSED
    _show(_mailing(view.mailing_id))
    return NOTHING


def _mailing(identifier: str) -> MailingView:
    from undisclosed.store import desk  # noqa: PLC0415

    page = desk.mailings(search=identifier)
    found = [desk.mailing(row.mailing_id) for row in page.items]
    for view in found:
        if view is not None and "@" not in identifier:
            return view
    raise NoSuchMailing


def account_named(text: str) -> "Account":
    """The active account that logs in with this address. Raises UndisclosedError."""
    from undisclosed.store import crypto  # noqa: PLC0415
    from undisclosed.store.models import Account  # noqa: PLC0415

    address: Address | None = parse_addr_spec(text)
    account = None
    if address is not None:
        login = crypto.address_hash(address)
        account = Account.objects.filter(login_hash=login, is_active=True).first()
    if account is None:
        raise UndisclosedError("There is no account with this address.")
    return account


def _waited(age: timedelta) -> str:
    hours = int(age / timedelta(hours=1))
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h" if hours else f"{int(age / timedelta(minutes=1))} min"
