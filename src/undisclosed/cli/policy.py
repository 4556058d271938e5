# SPDX-License-Identifier: Apache-2.0
"""``undisclosed policy``: is this policy what was meant?

``policy check`` reads a settings file as the guard would, names everything that is
wrong in it, and prints the policy in force, defaults among it. It spells no address
out.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from undisclosed.cli import options
from undisclosed.cli.wording import counted, printable
from undisclosed.core.policy import Policy
from undisclosed.core.rules import ALL_RULES

UNREADABLE = 65  # EX_DATAERR of sysexits.h


def add_parser(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """The options of ``undisclosed policy``."""
    parser = subparsers.add_parser("policy", help="check a policy file")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser(
        "check",
        help="say where a policy is wrong, or print what it means",
        description="Read the settings, name everything that cannot be used with its"
        " line, and print the policy in force. Without FILE: the settings that the"
        " other commands would use here.",
        epilog="Exit codes: 0 the policy is good, 2 wrong usage, 65 it is not.",
    )
    check.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        type=Path,
        help="a settings file (TOML), in place of the one that would be used",
    )
    options.add_settings(check)


def run(args: argparse.Namespace) -> int:
    """Check the settings and print the effective policy; the exit code."""
    # Whoever asks for no policy does without Django, which comes with the store.
    from undisclosed.store.settings import load  # noqa: PLC0415
    from undisclosed.store.settings_faults import faults  # noqa: PLC0415

    file = args.file or args.settings
    found = faults(file, os.environ)
    for fault in found:
        print(fault.message, file=sys.stderr)
    if found:
        if len(found) > 1:
            print(f"{counted(len(found), 'fault')}.", file=sys.stderr)
        return UNREADABLE
    settings = load(file, os.environ)
    if file is None:
        used = settings.file or "no undisclosed.toml here, so the defaults"
        print(f"# {printable(str(used))}")
    for line in effective(settings.policy):
        print(line)
    return 0


def policy_of(file: str | None) -> Policy:
    """The policy of a settings file; the default policy without one.

    Raises UndisclosedError, its message ``file:line: sentence``.
    """
    if file is None:
        return Policy()
    # Whoever needs no file does without Django, which comes with the store.
    from undisclosed.store.settings import load  # noqa: PLC0415

    # The whole file is checked: a setting in the wrong table is ignored else.
    return load(Path(file), os.environ).policy


def effective(policy: Policy) -> Iterator[str]:
    """The policy in force, one setting a line as in the file; people are counted."""
    yield "[policy]"
    yield f"own_domains = {_texts(policy.own_domains)}"
    if not policy.own_domains:
        yield "# the From domain of each mail counts, never a mail provider's"
    domains = {outsider for outsider in policy.outsiders if "@" not in outsider}
    yield f"outsiders = {_texts(domains)}"
    if len(policy.outsiders) > len(domains):
        yield f"# and {_addresses(len(policy.outsiders) - len(domains))}"
    yield f"max_shown_outsiders = {policy.max_shown_outsiders}"
    yield f"max_shown_outsiders_sensitive = {policy.max_shown_outsiders_sensitive}"
    yield f"max_addresses_in_text = {policy.max_addresses_in_text}"
    yield f"max_shown = {policy.max_shown}"
    yield f"mailing_window_days = {policy.mailing_window.total_seconds() / 86_400:g}"
    yield from _teams(policy)
    yield from _lists(policy)
    if policy.keys:
        yield ""
        yield "[policy.keys]"
        yield f"# {counted(len(policy.keys), 'key')}"
    yield ""
    yield "[policy.actions]"
    for rule in ALL_RULES:
        action = policy.action(rule.name, rule.default_action)
        yield f'{rule.name} = "{action.value}"'


def _teams(policy: Policy) -> Iterator[str]:
    if policy.teams:
        yield ""
        yield "[policy.teams]"
    yield from _numbers({name: len(team) for name, team in policy.teams.items()})


def _numbers(teams: Mapping[str, int]) -> Iterator[str]:
    for name, members in teams.items():
        yield f"# {name}: {_addresses(members)}"


def _lists(policy: Policy) -> Iterator[str]:
    for address, one in policy.lists.items():
        yield ""
        yield "[[policy.lists]]"
        yield f"# {address}: {counted(len(one.members), 'member')}"
        yield f"sensitive = {str(one.is_sensitive).lower()}"


def _texts(texts: frozenset[str] | set[str]) -> str:
    return "[" + ", ".join(f'"{text}"' for text in sorted(texts)) + "]"


def _addresses(number: int) -> str:
    return counted(number, "address", "addresses")
