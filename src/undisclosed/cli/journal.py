# SPDX-License-Identifier: Apache-2.0
"""``undisclosed journal``: verify it, export it for somebody else to verify.

The heads of days that are over are noted in a file beside the data (``journal.heads``):
a journal that was cut off, or exchanged whole, no longer holds them. A copy of that
file on another machine is what makes this worth something.
"""

import argparse
import inspect
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from undisclosed.cli import options, wiring
from undisclosed.cli.wording import printable
from undisclosed.errors import UndisclosedError
from undisclosed.store import (
    forgetting,
    journal,
    pseudonyms,
    sealing,
    verifier,
    verifying,
)
from undisclosed.store.settings import Settings

FOUND = 3


class NobodyKnown(UndisclosedError):
    """There is no such pseudonym, or its key is destroyed, or the account is gone."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("journal", help="verify or export the journal")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="was anything in it changed?")
    verify.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="HEX",
        help="a head noted before, in addition to those in the file journal.heads",
    )
    export = actions.add_parser("export", help="write all of it as lines of JSON")
    export.add_argument("file", type=Path, help="a new file")
    actions.add_parser("head", help="print the newest head, to note it elsewhere")
    actions.add_parser("epochs", help="print the epochs of people's pseudonyms")
    who = actions.add_parser("who", help="print whose pseudonym this is; journalled")
    who.add_argument("pseudonym", metavar="PSEUDONYM")
    forget = actions.add_parser(
        "forget", help="destroy the key of an epoch's pseudonyms, for good"
    )
    forget.add_argument("epoch", type=int, metavar="EPOCH")
    actions.add_parser(
        "verifier", help="print the stand-alone verifier (one file of plain Python)"
    )
    plain = (actions.choices[name] for name in ("head", "epochs"))
    for one in (verify, export, who, forget, *plain):
        options.add_settings(one)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for; 3 where the journal was changed."""
    if args.action == "verifier":
        sys.stdout.write(inspect.getsource(verifier))
        return 0
    settings = wiring.load(args.settings)
    wiring.start(settings, "journal")
    deeds: dict[str, Callable[[], int]] = {
        "verify": lambda: _verify(settings, args.head),
        "export": lambda: _export(args.file),
        "head": _head,
        "epochs": _epochs,
        "who": lambda: _who(args.pseudonym),
        "forget": lambda: _forget(args.epoch),
    }
    return deeds[args.action]()


def _head() -> int:
    print(sealing.head())
    return 0


def _epochs() -> int:
    for one in pseudonyms.every():
        state = f"destroyed on {one.destroyed_at:%Y-%m-%d}" if one.destroyed_at else ""
        days = f"{one.begins_at:%Y-%m-%d} to {one.ends_at:%Y-%m-%d}"
        print(f"{one.number}: {days}{state and ', '}{state}")
    return 0


def _who(pseudonym: str) -> int:
    # Models can be imported only once Django is configured.
    from undisclosed.store.models import Account  # noqa: PLC0415

    key = pseudonyms.account_of(pseudonym)
    account = Account.objects.filter(pk=key).first() if key else None
    if account is None:
        raise NobodyKnown
    journal.write("pseudonym read", actor="command line", account=key)
    print(printable(account.name))
    return 0


def _forget(epoch: int) -> int:
    forgetting.forget(epoch, by="command line", now=wiring.utc_now())
    print(f"Nobody can say any more who stood behind the pseudonyms of epoch {epoch}.")
    return 0


def _verify(settings: Settings, heads: list[str]) -> int:
    found = verifying.found_in(settings, wiring.utc_now(), heads)
    print("\n".join(verifier.words(found)))
    if found.timestamps and settings.journal.timestamp_ca is None:
        print("Who signed the timestamps was not verified: set journal.timestamp_ca.")
    return FOUND if found.faults else 0


def _export(file: Path) -> int:
    written = 0
    try:
        with file.open("x", encoding="utf-8") as lines:
            written = _write(lines)
    except FileExistsError:
        raise UndisclosedError(f"{file}: is there already.") from None
    print(f"{file}: {written:,} lines. `undisclosed journal verifier` prints what")
    print("verifies it on any machine with Python.")
    return 0


def _write(lines: TextIO) -> int:
    written = 0
    for record in sealing.records(wiring.utc_now()):
        lines.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")))
        lines.write("\n")
        written += 1
    return written
