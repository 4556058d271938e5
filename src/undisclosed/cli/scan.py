# SPDX-License-Identifier: Apache-2.0
"""``undisclosed scan``: what already happened, in mailboxes and archives.

Exits with 0 where nothing was found, 3 where something was, 65 where something
could not be read, 130 where Ctrl-C ended it; what was found by then is printed.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from undisclosed.cli.policy import policy_of
from undisclosed.cli.scan_progress import ScanProgress
from undisclosed.cli.scan_words import lines_of
from undisclosed.cli.wording import exit_code, printable
from undisclosed.errors import UndisclosedError
from undisclosed.scan.objects import (
    glance_as_object,
    mailing_as_object,
    result_as_object,
)
from undisclosed.scan.report import Page, render_report
from undisclosed.scan.scan import Result, scan
from undisclosed.transport.mailbox import read_path, stored_size
from undisclosed.transport.reading.limits import ReaderLimits
from undisclosed.transport.reading.pool import PooledReader

INTERRUPTED = 130


class ReportNotWritten(UndisclosedError):
    """The report cannot be written there."""


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """The options of ``undisclosed scan``."""
    parser = subparsers.add_parser(
        "scan",
        help="look at what already happened in mailboxes and archives",
        description="Judge the mail of mailboxes and archives (mbox, Maildir, folders"
        " of .eml, each also as .gz) as the guard would have, and group what was found"
        " into mailings.",
        epilog="Exit codes: 0 nothing found, 3 something found, 2 wrong usage,"
        " 65 unreadable input, 78 wrong policy, 130 ended by Ctrl-C.",
    )
    _add_options(parser)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="a mailbox; - for standard input"
    )
    parser.add_argument("--policy", metavar="FILE", help="the organisation's policy")
    parser.add_argument(
        "--own-domain",
        action="append",
        default=[],
        type=domain_argument,
        metavar="DOMAIN",
        help="a domain of the organisation; once for each",
    )
    parser.add_argument("--json", action="store_true", help="JSON, a line for each")
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write a page to look at"
    )
    parser.add_argument(
        "--jobs",
        type=_jobs_argument,
        default=len(os.sched_getaffinity(0)),
        metavar="N",
        help="processes (default: one for each core)",
    )
    parser.add_argument(
        "--show-addresses", action="store_true", help="spell addresses out"
    )


def run(args: argparse.Namespace) -> int:
    """Scan every path, print what was found, write the report; the exit code."""
    policy = policy_of(args.policy)
    if args.own_domain:
        own_domains = policy.own_domains | frozenset(args.own_domain)
        policy = replace(policy, own_domains=own_domains)
    if args.report is not None:
        refuse_unwritable(args.report)
    began = time.monotonic()
    items = chain.from_iterable(read_path(path) for path in args.paths)
    whole = sum(stored_size(path) for path in args.paths if path != "-")
    reader = PooledReader(ReaderLimits(processes=1))
    with ScanProgress(whole) as progress, reader:
        result = scan(
            items, policy, jobs=args.jobs, reader=reader, on_progress=progress.show
        )
    _print(args, result, time.monotonic() - began)
    if args.report is not None:
        _write_report(args, result)
    if not result.is_complete:
        return INTERRUPTED
    return exit_code(
        is_found=bool(result.mailings), is_unreadable=bool(result.problems)
    )


def domain_argument(text: str) -> str:
    """A domain of the command line. Raises what argparse makes wrong usage of."""
    domain = text.strip().removeprefix("@").rstrip(".").lower()
    if not domain or "@" in domain or any(one.isspace() for one in domain):
        raise argparse.ArgumentTypeError("this is no domain")
    return domain


def refuse_unwritable(report: Path) -> None:
    """Raise ReportNotWritten before an hour of scanning, not after it."""
    folder = report.parent
    if report.is_dir():
        raise ReportNotWritten("The report's name is that of a folder.")
    if not folder.is_dir():
        raise ReportNotWritten("The folder of the report does not exist.")
    if not os.access(folder, os.W_OK):
        raise ReportNotWritten("The folder of the report cannot be written to.")


def json_lines(result: Result) -> Iterator[str]:
    """One line for each found message, then each mailing, then the whole scan."""
    for mailing in result.mailings:
        for glance in mailing.messages:
            if glance.is_found:
                yield json.dumps(glance_as_object(glance, mailing))
    for mailing in result.mailings:
        yield json.dumps(mailing_as_object(mailing))
    yield json.dumps({"scan": result_as_object(result)})


def _print(args: argparse.Namespace, result: Result, seconds: float) -> None:
    for problem in result.problems:
        print(f"undisclosed: {printable(str(problem))}", file=sys.stderr)
    if args.json:
        for line in json_lines(result):
            print(line)
        return
    for line in lines_of(result, seconds, is_spelled_out=args.show_addresses):
        print(line)


def _write_report(args: argparse.Namespace, result: Result) -> None:
    """Write the page beside its place and move it there: it is whole or not there.

    Only its owner may read it: it says whose address was shown.
    """
    sources = tuple(Path(path).name or path for path in args.paths)
    page = Page(datetime.now(UTC), sources, args.show_addresses)
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=args.report.parent, delete=False
        ) as file:
            file.write(render_report(result, page))
        os.replace(file.name, args.report)
    except OSError as error:
        raise ReportNotWritten(reason=error.strerror) from None
    print(f"The report is in {printable(str(args.report))}.", file=sys.stderr)


def _jobs_argument(text: str) -> int:
    jobs = int(text) if text.isdecimal() else 0
    if not 1 <= jobs <= 256:
        raise argparse.ArgumentTypeError("a number of processes, 1 to 256")
    return jobs
