# SPDX-License-Identifier: Apache-2.0
"""``undisclosed memory``: the warm start from archives, and a new key.

Exits with 0, 65 where something could not be read, 75 where the store is away, 130
where Ctrl-C ended it: what was remembered by then stays.
"""

import argparse
import sys
from collections import Counter
from itertools import chain

from undisclosed.cli import options, wiring
from undisclosed.cli.scan_progress import ScanProgress
from undisclosed.cli.wording import exit_code, printable
from undisclosed.core.header import split_content
from undisclosed.errors import UndisclosedError
from undisclosed.guard.warm_start import Remembered, WarmStart
from undisclosed.scan.dates import sent_at
from undisclosed.scan.scan import Progress
from undisclosed.store import memory_keys
from undisclosed.transport.mailbox import (
    Message,
    PassedOver,
    Unreadable,
    read_path,
    stored_size,
)

INTERRUPTED = 130


class OwnDomainsMissing(UndisclosedError):
    """An archive can be remembered only where policy.own_domains says whose it is."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "memory",
        help="remember archives, exchange the key of Memory",
        description="What Memory keeps are keyed hashes of who was shown to whom.",
    )
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="DEED")
    _add_import(deeds)
    rotating = deeds.add_parser(
        "rotate-keys",
        help="hash with a new key from now on",
        description="Earlier keys are looked up with until what they hashed is over.",
    )
    options.add_settings(rotating)


def _add_import(deeds: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    importing = deeds.add_parser(
        "import",
        help="remember who knows whom in mailboxes and archives",
        description="Judge the organisation's own mail of mailboxes and archives (mbox,"
        " Maildir, folders of .eml, each also as .gz) as the guard would today, and"
        " remember the threads and hidden audiences of what would be accepted;"
        " remember the threads of authenticated inbound mail.",
        epilog="Exit codes: 0 done, 2 wrong usage, 65 unreadable input, 75 the store is"
        " away, 78 wrong settings, 130 ended by Ctrl-C.",
    )
    importing.add_argument(
        "paths", nargs="+", metavar="PATH", help="a mailbox; - for standard input"
    )
    importing.add_argument(
        "--authenticated",
        action="store_true",
        help="take all inbound mail of these archives as authenticated",
    )
    importing.add_argument(
        "--journal-reports",
        action="store_true",
        help="open the journal reports of Exchange in these archives: they are the"
        " mailbox of a journal rule",
    )
    options.add_settings(importing)


def run(args: argparse.Namespace) -> int:
    """Remember archives, or make a new key; the exit code."""
    settings = wiring.load(args.settings)
    if args.deed == "import" and not settings.policy.own_domains:
        raise OwnDomainsMissing
    wiring.configure(settings)
    if args.deed == "rotate-keys":
        key_id = memory_keys.rotate(now=wiring.utc_now())
        print(f"Memory hashes with the key {key_id} from now on.")
        return 0
    start = WarmStart(
        settings.policy,
        wiring.memory(),
        settings.guard.feed.authserv_ids,
        settings.store.audience_retention,
        args.authenticated,
        args.journal_reports,
    )
    return _import(args.paths, start)


def _import(paths: list[str], start: WarmStart) -> int:
    items = chain.from_iterable(read_path(path) for path in paths)
    whole = sum(stored_size(path) for path in paths if path != "-")
    counted: Counter[Remembered] = Counter()
    progress, problems, now = Progress(), [], wiring.utc_now()
    is_complete = True
    with ScanProgress(whole) as bar:
        try:
            for item in items:
                match item:
                    case Message(content=content, stored=stored):
                        sent = sent_at(split_content(content).fields)
                        counted[start.record(content, sent, now)] += 1
                        progress.messages += 1
                        progress.stored += stored
                    case Unreadable():
                        problems.append(item)
                    case PassedOver(stored=stored):
                        progress.stored += stored
                progress.found = counted[Remembered.THREAD] + counted[Remembered.HIDDEN]
                bar.show(progress)
        except KeyboardInterrupt:
            is_complete = False
    for problem in problems:
        print(f"undisclosed: {printable(str(problem))}", file=sys.stderr)
    _print(counted)
    if not is_complete:
        return INTERRUPTED
    return exit_code(is_found=False, is_unreadable=bool(problems))


def _print(counted: "Counter[Remembered]") -> None:
    print(f"{counted.total():,} messages:")
    for what in Remembered:
        if counted[what]:
            print(f"{counted[what]:>9,}  {what.value}")
