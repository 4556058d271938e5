# SPDX-License-Identifier: Apache-2.0
"""``undisclosed suppressions``: who is not mailed; shown, added, removed, by file.

Whoever acts is an account, named with ``--as``, with its rights in each team, as on the
pages. Addresses are shortened unless they are asked for whole; that needs the right to
see rows, and is journalled. Why somebody is suppressed, or mailed again, is chosen and
not written: the journal keeps it for ever.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from undisclosed.cli import options, wiring
from undisclosed.cli.lists import WHY, NoSuchTeam, NotAllowed, write_new
from undisclosed.cli.wording import (
    SOMETHING_FOUND,
    UNREADABLE_INPUT,
    counted,
    printable,
    written,
)
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.campaign import MailKind
from undisclosed.errors import UndisclosedError
from undisclosed.send.exporting import table_csv
from undisclosed.send.recipients import NoRecipients
from undisclosed.send.suppressing import Listed, listed
from undisclosed.send.tables import TableUnreadable, open_table

if TYPE_CHECKING:
    from undisclosed.store.models import Account
    from undisclosed.store.rights import Right
    from undisclosed.store.suppressions import Suppression

REASONS: Final = ("asked", "safety", "failed", "complaint", "unsubscribed")
"""Why somebody is suppressed, as ``store.suppressions.Reason`` has it."""

LIFTED: Final = ("asked", "mistake", "reachable")
"""Why somebody is mailed again, as ``store.suppressions.Lifted`` has it."""

SHOWN: Final = 20
"""Rows without an address that are named."""

_COLUMNS: Final = ("Email", "Reason", "Mail", "Team", "Since")


class NoSuchSuppression(UndisclosedError):
    """There is no such suppression in a team of this account."""


class NoAddress(UndisclosedError):
    """This is no whole address, as in ann@a.example."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "suppressions", help="who is not mailed: list, add, remove, import, export"
    )
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    shown = acts.add_parser("list", help="a page of them, the newest first")
    shown.add_argument("--address", help="only those of this person")
    shown.add_argument("--page", type=int, default=1)
    shown.add_argument(
        "--show-addresses", action="store_true", help="whole addresses, journalled"
    )
    added = acts.add_parser("add", help="do not mail these people any more, at once")
    added.add_argument("address", nargs="+", help="addresses; - reads them, one a line")
    removed = acts.add_parser("remove", help="mail them again from the next campaign")
    removed.add_argument("id", nargs="+", type=int, help="ids, as they are listed")
    removed.add_argument("--reason", choices=LIFTED, required=True)
    from_file = acts.add_parser(
        "import", help="add everybody of a file; a dry run unless told otherwise"
    )
    _add_file(from_file)
    for act in (added, from_file):
        _add_what(act)
    exported = acts.add_parser("export", help="write them as CSV, journalled")
    exported.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    exported.add_argument("--why", choices=WHY, required=True)
    for act in acts.choices.values():
        act.add_argument(
            "--as",
            dest="account",
            required=True,
            metavar="ADDRESS",
            help="log-in address of the account that acts",
        )
        options.add_settings(act)


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="CSV, XLSX, ODS or XLS")
    parser.add_argument("--sheet", default="", help="name of a workbook's sheet")
    parser.add_argument(
        "--address-column", default="", metavar="NAME", help="where it cannot be told"
    )
    parser.add_argument(
        "--no-dry-run", action="store_true", help="do it, do not only show"
    )


def _add_what(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", choices=REASONS, required=True)
    parser.add_argument("--marketing", action="store_true", help="service mail goes on")
    whose = parser.add_mutually_exclusive_group(required=True)
    whose.add_argument("--team", help="the team that does not mail them")
    whose.add_argument("--all-teams", action="store_true", help="no team mails them")


def run(args: argparse.Namespace) -> int:
    """Do the act. Raises UndisclosedError."""
    wiring.configure(wiring.load(args.settings))
    from undisclosed.cli.held import account_named  # noqa: PLC0415

    return _ACTS[args.act](args, _sight_of(account_named(args.account)))


@dataclass(frozen=True, slots=True)
class _Sight:
    """What an account may do, team by team. ``None`` among ids stands for all teams."""

    account: "Account"
    names: dict[UUID | None, str]
    changes: frozenset[UUID | None]
    sees_whole: frozenset[UUID | None]

    @property
    def by(self) -> str:
        """Who stands in the journal."""
        return str(self.account.pk)


def _sight_of(account: "Account") -> _Sight:
    """Raises NotAllowed for who sees no list of any team."""
    from undisclosed.store.rights import Right, teams_with  # noqa: PLC0415

    seen = teams_with(account, Right.SEE_LISTS)
    if not seen:
        raise NotAllowed
    return _Sight(
        account,
        {None: "all teams", **{one.pk: one.name for one in seen}},
        _teams(account, Right.CHANGE_LISTS),
        _teams(account, Right.SEE_ROWS),
    )


def _teams(account: "Account", right: "Right") -> frozenset[UUID | None]:
    """The teams in which the account has a right; all, where it has it in each."""
    from undisclosed.store.models import Team  # noqa: PLC0415
    from undisclosed.store.rights import teams_with  # noqa: PLC0415

    found: set[UUID | None] = {one.pk for one in teams_with(account, right)}
    if found and len(found) == Team.objects.count():
        found.add(None)
    return frozenset(found)


def _list(args: argparse.Namespace, sight: _Sight) -> int:
    from undisclosed.store import journal, suppressions  # noqa: PLC0415

    address = _address(args.address) if args.address else None
    teams = [team for team in sight.names if team is not None]
    page = suppressions.page(teams, address=address, number=max(args.page, 1))
    whole = sight.sees_whole if args.show_addresses else frozenset()
    shown = sum(one.team in whole for one in page.items)
    if shown:
        journal.write("suppressions shown", actor=sight.by, people=shown)
    for one in page.items:
        print(_line(one, sight.names, is_whole=one.team in whole))
    if page.has_next:
        print(f"… and more: --page {page.number + 1} shows them.")
    return 0


def _line(one: "Suppression", names: dict[UUID | None, str], *, is_whole: bool) -> str:
    mail = "marketing only" if one.is_marketing_only else "every mail"
    facts = (one.reason, mail, printable(names[one.team]), f"{one.at:%Y-%m-%d}")
    return f"{one.id}  {written(is_whole)(one.address)}  {', '.join(facts)}"


def _add(args: argparse.Namespace, sight: _Sight) -> int:
    texts: Iterable[str] = args.address
    if args.address == ["-"]:
        texts = filter(None, map(str.strip, sys.stdin))
    people = [_address(text) for text in texts]
    return _suppress(args, sight, people)


def _import(args: argparse.Namespace, sight: _Sight) -> int:
    _team_of(args, sight)
    try:
        found = listed(open_table(args.file, args.sheet), args.address_column)
    except (TableUnreadable, NoRecipients) as error:
        print(f"undisclosed: {printable(error.message)}", file=sys.stderr)
        return UNREADABLE_INPUT
    if found.wrong:
        _tell_wrong(found)
        return SOMETHING_FOUND
    if not args.no_dry_run:
        people = counted(len(found.addresses), "person", "people")
        print(f"A dry run: {people}, nothing was done. --no-dry-run adds them.")
        return 0
    return _suppress(args, sight, found.addresses)


def _tell_wrong(found: Listed) -> None:
    for number in found.wrong[:SHOWN]:
        print(f"row {number:,}: no whole address")
    rest = len(found.wrong) - SHOWN
    if rest > 0:
        print(f"… and {rest:,} more.")
    print("Nothing was done.")


def _suppress(
    args: argparse.Namespace, sight: _Sight, people: Iterable[Address]
) -> int:
    from undisclosed.store import suppressions  # noqa: PLC0415

    new = suppressions.suppress(
        people,
        suppressions.Reason(args.reason),
        team=_team_of(args, sight),
        only=MailKind.MARKETING if args.marketing else None,
        by=sight.by,
        now=wiring.utc_now(),
    )
    said = counted(new, "person", "people")
    print(f"{said} more not mailed; it holds for campaigns that are being sent, too.")
    return 0


def _team_of(args: argparse.Namespace, sight: _Sight) -> UUID | None:
    """The team that was named; None for all. Raises NoSuchTeam and NotAllowed."""
    if args.all_teams:
        if not sight.changes:
            raise NotAllowed
        return None
    for team, name in sight.names.items():
        if team is not None and name == args.team:
            if team not in sight.changes:
                raise NotAllowed
            return team
    raise NoSuchTeam


def _remove(args: argparse.Namespace, sight: _Sight) -> int:
    from undisclosed.store import suppressions  # noqa: PLC0415

    found = [suppressions.get(number) for number in args.id]
    for one in found:
        if one is None or one.team not in sight.names:
            raise NoSuchSuppression
        if one.team not in sight.changes:
            raise NotAllowed
    because, now = suppressions.Lifted(args.reason), wiring.utc_now()
    lifted = sum(
        suppressions.lift(number, because, by=sight.by, now=now) for number in args.id
    )
    print(f"{counted(lifted, 'person', 'people')} mailed again.")
    return 0


def _export(args: argparse.Namespace, sight: _Sight) -> int:
    from undisclosed.store import journal, suppressions  # noqa: PLC0415

    if not sight.sees_whole:
        raise NotAllowed
    teams = [team for team in sight.sees_whole if team is not None]
    for_all = None in sight.sees_whole
    rows = [
        _cells(one, sight.names) for one in suppressions.every(teams, for_all=for_all)
    ]
    facts = {"people": len(rows), "why": args.why}
    journal.write("suppressions exported", actor=sight.by, **facts)
    write_new(args.output, table_csv(_COLUMNS, rows))
    print(f"Written to {args.output}, which only you can read; it was journalled.")
    if not for_all:
        print("Those that hold for all teams are left out: not every team is yours.")
    return 0


def _cells(one: "Suppression", names: dict[UUID | None, str]) -> tuple[str, ...]:
    return (
        one.address.spelled_out(),
        one.reason,
        "marketing" if one.is_marketing_only else "every mail",
        names.get(one.team, ""),
        f"{one.at:%Y-%m-%d}",
    )


def _address(text: str) -> Address:
    address = parse_addr_spec(text.strip())
    if address is None:
        raise NoAddress
    return address


_ACTS: Final = {
    "list": _list,
    "add": _add,
    "remove": _remove,
    "import": _import,
    "export": _export,
}
