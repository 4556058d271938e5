# SPDX-License-Identifier: Apache-2.0
"""``undisclosed check``: judge messages one by one, as the guard would.

Exits with 0 where nothing was found, 3 where something was, 65 where a message
could not be read (the others are still judged and printed).
"""

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence

from undisclosed.cli.policy import policy_of
from undisclosed.cli.wording import counted, exit_code, printable, some, written
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.documents import Reader
from undisclosed.core.policy import Policy
from undisclosed.core.verdict import Finding
from undisclosed.scan.message import Judged, judge_alone
from undisclosed.scan.objects import judged_as_object
from undisclosed.transport.mailbox import (
    Item,
    Message,
    Unreadable,
    read_file,
    read_path,
)
from undisclosed.transport.reading.limits import ReaderLimits
from undisclosed.transport.reading.pool import PooledReader

_FEW = 4
_COUNTED = ("shown-outsiders", "addresses-in-body", "forwarded-addresses")


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """The options of ``undisclosed check``."""
    parser = subparsers.add_parser(
        "check",
        help="judge messages: who would be shown to whom?",
        description="Judge messages as the guard would. Without --rcpt the viewers are"
        " the addresses of the destination fields, Bcc among them; without a policy"
        " the sender's own domain is the organisation's.",
        epilog="Exit codes: 0 nothing found, 3 something found, 2 wrong usage,"
        " 65 unreadable input, 78 wrong policy.",
    )
    parser.add_argument(
        "messages", nargs="+", metavar="MESSAGE", help="a file; - for standard input"
    )
    parser.add_argument("--json", action="store_true", help="one object per message")
    parser.add_argument(
        "--rcpt",
        action="append",
        default=[],
        type=address_argument,
        metavar="ADDRESS",
        help="a recipient of the envelope; once for each",
    )
    parser.add_argument("--policy", metavar="FILE", help="the organisation's policy")
    parser.add_argument(
        "--show-addresses", action="store_true", help="spell addresses out"
    )


def run(args: argparse.Namespace) -> int:
    """Judge every message and print its verdict; the exit code."""
    with PooledReader(ReaderLimits(processes=1)) as reader:
        return _judge_all(args, policy_of(args.policy), reader)


def _judge_all(args: argparse.Namespace, policy: Policy, reader: Reader) -> int:
    is_found = is_unreadable = False
    for item in _items(args.messages):
        judged = (
            judge_alone(item, policy, args.rcpt, reader=reader)
            if isinstance(item, Message)
            else item
        )
        if isinstance(judged, Judged):
            is_found |= bool(judged.verdict.findings)
            _print(item.name, judged, args)
        else:
            is_unreadable = True
            print(f"undisclosed: {printable(str(judged))}", file=sys.stderr)
    return exit_code(is_found=is_found, is_unreadable=is_unreadable)


def address_argument(text: str) -> Address:
    """An address of the command line. Raises what argparse makes wrong usage of."""
    address = parse_addr_spec(text)
    if address is None:
        raise argparse.ArgumentTypeError("this is no address")
    return address


def _items(names: Sequence[str]) -> Iterator[Item]:
    """The messages of the named files; an mbox among them gives all of its own."""
    for name in names:
        if os.path.isdir(name):
            yield Unreadable(name, 'is a folder; use "undisclosed scan" for it')
        else:
            yield from read_path(name) if name == "-" else read_file(name)


def _print(name: str, judged: Judged, args: argparse.Namespace) -> None:
    if args.json:
        print(json.dumps(judged_as_object(name, judged)))
        return
    if args.messages not in ([name], ["-"]):
        print(f"{printable(name)}:")
    for line in _lines(judged, args.show_addresses):
        print(line)


def _lines(judged: Judged, is_spelled_out: bool) -> Iterator[str]:
    """A verdict in words: a line for each finding, then who is shown."""
    reading, verdict = judged.reading, judged.verdict
    word = verdict.action.value.upper()
    indent = " " * (len(word) + 2)
    if not verdict.findings:
        yield (
            f"{word}  nothing found: {counted(len(reading.viewers), 'viewer')},"
            f" {counted(reading.disclosures, 'disclosure')},"
            f" {reading.new_disclosures:,} of them new."
        )
    for finding in verdict.findings:
        said = finding.action.value.upper()
        yield f"{said}  {finding.rule}: {_sentence(finding, reading.new_disclosures)}"
    if verdict.findings or is_spelled_out:
        yield from _shown_lines(judged, indent, is_spelled_out)
    if verdict.removals:
        names = dict.fromkeys(removal.field for removal in verdict.removals)
        yield f"{indent}Fields that would be removed: {printable(', '.join(names))}."
    for sentence in reading.content.uncertain:
        yield f"{indent}Not read: {printable(sentence)}"


def _sentence(finding: Finding, new_disclosures: int) -> str:
    """What a rule says, with the number of disclosures where it counted people."""
    if finding.rule not in _COUNTED:
        return finding.text
    said = finding.text.removesuffix(".")
    return f"{said}, {counted(new_disclosures, 'disclosure')}."


def _shown_lines(judged: Judged, indent: str, is_spelled_out: bool) -> Iterator[str]:
    """Who is shown, and where: a few shortened, or everybody spelled out."""
    shown, write = judged.reading.content.shown, written(is_spelled_out)
    if is_spelled_out:
        for address, channels in shown.items():
            yield f"{indent}{write(address)} ({printable(', '.join(channels))})"
        return
    few = some((write(address) for address in shown), len(shown), _FEW)
    if few:
        yield f"{indent}Shown: {few}."
