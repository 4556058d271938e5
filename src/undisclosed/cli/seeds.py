# SPDX-License-Identifier: Apache-2.0
"""``undisclosed seeds``: a campaign's first messages to seed boxes, compared there.

A worker does it by itself before a campaign begins (``send.seeding``); this is for
trying one before, and for answering for what differs. Exit 0: every one lies in its box
as it left; 3: one does not. A campaign that is being sent is paused then.
"""

import argparse
import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from undisclosed.cli import (
    options,
    wiring,
    wiring_returns,
    wiring_send,
    wiring_smarthost,
)
from undisclosed.cli.campaign_acting import allowed, may_of
from undisclosed.errors import UndisclosedError
from undisclosed.store.settings import Settings

if TYPE_CHECKING:
    from undisclosed.core.campaign import Row
    from undisclosed.send.seeds import Seed, Seen
    from undisclosed.store.campaigns import Campaign
    from undisclosed.store.models import Account

FOUND: Final = 3


class NoSeeds(UndisclosedError):
    """No seed box is set: send.seeds.addresses and send.seeds.imap."""


class NoReason(UndisclosedError):
    """Say why it may go on although something arrived otherwise than it left."""


class NobodyToSend(UndisclosedError):
    """There is nobody on the list who would be mailed."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "seeds", help="send a campaign's first messages to seed boxes, and compare them"
    )
    parser.add_argument("id", help="id of the campaign")
    parser.add_argument(
        "--as",
        dest="account",
        required=True,
        metavar="ADDRESS",
        help="log-in address of the account that acts",
    )
    parser.add_argument(
        "--row", type=int, default=1, help="the first row whose message is sent"
    )
    parser.add_argument("--limit", type=int, default=1, help="how many rows")
    parser.add_argument(
        "--wait",
        type=int,
        default=300,
        metavar="SECONDS",
        help="how long to wait for them",
    )
    parser.add_argument(
        "--no-dry-run", action="store_true", help="send them; else they are made only"
    )
    parser.add_argument(
        "--accept",
        metavar="REASON",
        help="send none: answer for what a campaign was paused for, which may then be "
        "resumed",
    )
    options.add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Send, wait, compare; say what differs."""
    settings = wiring.load(args.settings)
    chosen = settings.send.seeds
    if not chosen.addresses or chosen.box is None:
        raise NoSeeds
    wiring.configure(settings)
    if args.accept is not None:
        return _accept(args)
    found, account = allowed(args, lambda may: may.write or may.send)
    seeds = _seeds(settings, found, _rows(args, found, account))
    if not args.no_dry_run:
        print(f"A dry run: {len(seeds)} made, nothing was sent. --no-dry-run sends.")
        return 0
    _write_sent(found, account, len(seeds))
    seen = asyncio.run(_prove(settings, seeds, timedelta(seconds=args.wait)))
    for one in seen:
        for line in _lines(one):
            print(line)
    return _finish(found, account, seen)


def _accept(args: argparse.Namespace) -> int:
    """Whoever may let the campaign go on answers for it. Raises NotAllowed."""
    from undisclosed.store import seeds  # noqa: PLC0415

    found, account = allowed(args, lambda may: may.send)
    if not args.accept.strip():
        raise NoReason
    seeds.accept(found.id, args.accept, by=account.pk, now=wiring.utc_now())
    print("It may go on as it is: resume the campaign.")
    return 0


def _rows(
    args: argparse.Namespace, found: "Campaign", account: "Account"
) -> "list[Row]":
    """The rows, masked for who may not read them."""
    from undisclosed.console.campaigns import samples  # noqa: PLC0415

    sees_rows = may_of(account, found).see_rows
    rows: list[Row] = []
    number = args.row
    for _ in range(max(args.limit, 1)):
        row = samples.first_row(found, number)
        if row is None or row.number < number:
            break
        rows.append(row if sees_rows else samples.masked(row))
        number = row.number + 1
    if not rows:
        raise NobodyToSend
    return rows


def _seeds(
    settings: Settings, found: "Campaign", rows: "Sequence[Row]"
) -> "list[Seed]":
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415
    from undisclosed.console.wiring import send_tokens  # noqa: PLC0415
    from undisclosed.send.batch import Maker  # noqa: PLC0415
    from undisclosed.send.seeds import seeds_of  # noqa: PLC0415

    template = pages.template_of(found)
    maker = Maker(found, template, send_tokens(), wiring_send.send_settings(settings))
    return seeds_of(maker, rows, settings.send.seeds.addresses, wiring.utc_now())


def _write_sent(found: "Campaign", account: "Account", messages: int) -> None:
    """Write down who had them sent, before the first byte of them leaves."""
    from undisclosed.send.seeds import BY_HAND  # noqa: PLC0415
    from undisclosed.store import journal  # noqa: PLC0415

    facts = {"campaign": found.id, "round": BY_HAND, "messages": messages}
    journal.write("seeds sent", actor=str(account.pk), **facts)


async def _prove(
    settings: Settings, seeds: "Sequence[Seed]", wait: timedelta
) -> "list[Seen]":
    from undisclosed.send.seeds import prove  # noqa: PLC0415
    from undisclosed.transport.smtp.client import send  # noqa: PLC0415

    box = wiring_returns.seed_box(settings)
    if box is None:
        raise NoSeeds
    hop = wiring_smarthost.client(settings, wiring.next_hop(settings))
    return await prove(seeds, partial(send, hop), box, wait=wait)


def _lines(seen: "Seen") -> list[str]:
    row = f"row {seen.number}"
    if seen.is_same:
        return [f"{row}: arrived as it left"]
    if not seen.has_arrived:
        return [f"{row}: did not arrive (the next hop answered {seen.reply})"]
    return [f"{row}: {sentence}" for sentence in seen.differences]


def _finish(found: "Campaign", account: "Account", seen: "Sequence[Seen]") -> int:
    from undisclosed.store import campaigns, journal  # noqa: PLC0415
    from undisclosed.store.database import transaction  # noqa: PLC0415

    bad = sum(not one.is_same for one in seen)
    facts = {"campaign": found.id, "messages": len(seen), "different": bad}
    because = f"{bad} of {len(seen)} seeds did not arrive as they left."
    with transaction():
        journal.write("seeds compared", actor=str(account.pk), **facts)
        if bad:
            campaigns.pause(found.id, because, by=account.pk, now=wiring.utc_now())
    return FOUND if bad else 0
