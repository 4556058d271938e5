# SPDX-License-Identifier: Apache-2.0
"""``undisclosed trace``: where is A's mail to B?

Logs hold no address, so the answer comes by keyed look-up. It tells of mail that was
held, and of accepted mail where ``guard.trace`` is on.
"""

import argparse
import re
from datetime import datetime
from typing import TYPE_CHECKING

from undisclosed.cli import options, wiring
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.held import CopyState
from undisclosed.errors import UndisclosedError
from undisclosed.store.settings import Settings

if TYPE_CHECKING:
    from undisclosed.store.tracing import TracedHold

NOTHING, FOUND = 0, 3

WHERE = {
    CopyState.QUEUED: "waits to leave",
    CopyState.DELAYED: "was put off by the next hop, and is tried again",
    CopyState.SENT: "was taken by the next hop",
    CopyState.FAILED: "failed; its sender was told, or will be",
    CopyState.WITHDRAWN: "was withdrawn before it left",
    CopyState.IN_DOUBT: "was withdrawn, and may have left",
}
"""Where a copy is, in words."""

_ADDRESS = re.compile(r"\S+@\S+")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("trace", help="where is A's mail to B?")
    parser.add_argument(
        "--from",
        dest="sender",
        required=True,
        metavar="ADDRESS",
        help="envelope sender; <> for the null sender",
    )
    parser.add_argument("--to", required=True, metavar="ADDRESS", help="one recipient")
    options.add_settings(parser)


def run(args: argparse.Namespace) -> int:
    """Print what is known, the latest first; 3 where anything is, else 0."""
    settings = wiring.load(args.settings)
    wiring.configure(settings)
    sender = None if args.sender.strip() == "<>" else _address(args.sender)
    recipient = _address(args.to)
    lines = sorted(_lines(sender, recipient), reverse=True)
    for _at, line in lines:
        print(line)
    if not lines:
        print(_nothing(settings))
    return FOUND if lines else NOTHING


def _lines(sender: Address | None, recipient: Address) -> list[tuple[datetime, str]]:
    # What follows needs Django configured.
    from undisclosed.store import accepted, journal, tracing  # noqa: PLC0415

    journal.write("mail traced", actor="command line")
    found = [
        (
            one.at,
            f"{one.at:%F %T} UTC  accepted ({one.size:,} bytes) and handed to the next "
            "hop, whose log says more",
        )
        for one in accepted.passed(sender, recipient)
    ]
    for hold in tracing.held(sender, recipient):
        found.append((hold.received_at, _hold_line(hold)))
    return found


def _hold_line(hold: "TracedHold") -> str:
    lines = [
        f"{hold.received_at:%F %T} UTC  held as {hold.hold_id}: {hold.state.value}"
    ]
    for copy in hold.copies:
        whose = "a copy for several" if copy.is_for_several else "the copy"
        line = f"    {whose} ({copy.kind.value}) {WHERE[copy.state]}"
        line += f", {copy.updated_at:%F %T} UTC"
        if copy.reply and copy.state is not CopyState.SENT:
            line += f": {_ADDRESS.sub('…', copy.reply)}"
        lines.append(line)
    return "\n".join(lines)


def _nothing(settings: Settings) -> str:
    if settings.guard.has_trace:
        return "Nothing is known of such a mail."
    return (
        "Nothing is known of such a held mail. Accepted mail is not kept: with "
        'guard.trace = "on" it would be found, too.'
    )


def _address(text: str) -> Address:
    address = parse_addr_spec(text)
    if address is None:
        raise UndisclosedError("Write whole addresses, as in --to ann@a.example.")
    return address
