# SPDX-License-Identifier: Apache-2.0
"""``undisclosed list``: lists of recipients checked, imported, shown, destroyed.

``check`` needs no store. Whoever acts on a list is an account, named with ``--as``: its
rights in the team say what it may do, as on the pages. What changes a list is a dry
run until it is told not to be.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from undisclosed.cli import options, wiring
from undisclosed.cli.row_progress import RowProgress
from undisclosed.cli.wording import (
    SOMETHING_FOUND,
    UNREADABLE_INPUT,
    counted,
    printable,
)
from undisclosed.core.campaign import Sensitivity
from undisclosed.errors import UndisclosedError
from undisclosed.send import recipients
from undisclosed.send.exporting import problems_csv, rows_csv
from undisclosed.send.recipients import Checked, NoRecipients, Problem
from undisclosed.send.tables import Table, TableUnreadable, open_table

if TYPE_CHECKING:
    from undisclosed.store.models import Account, RecipientList
    from undisclosed.store.rights import Right

SHOWN: Final = 20
"""Problems that are printed; ``--problems`` writes all of them."""

WHY: Final = ("check", "answer", "request", "reach", "move", "incident")
"""Why rows are taken out, as on the pages."""


class NotAllowed(UndisclosedError):
    """This account may not do that with lists of this team."""


class NoSuchTeam(UndisclosedError):
    """There is no such team in which this account may make lists."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "list", help="lists of recipients: check, import, show, destroy"
    )
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    check = acts.add_parser(
        "check", help="name every problem of a file; needs no store"
    )
    _add_file(check)
    _add_import(acts)
    acts.add_parser("all", help="the lists that the account sees")
    for name, text in _OF_ONE.items():
        acts.add_parser(name, help=text).add_argument("id", help="id of the list")
    for name in ("export", "call-sheet", "letters"):
        acts.choices[name].add_argument(
            "-o", "--output", type=Path, required=True, metavar="FILE"
        )
    for name in ("call-sheet", "letters"):
        acts.choices[name].add_argument(
            "--without",
            action="store_true",
            help="leave out who cannot be printed; else nobody is printed",
        )
    for name in ("export", "call-sheet"):
        acts.choices[name].add_argument("--why", choices=WHY, required=True)
    acts.choices["letters"].add_argument(
        "--campaign", required=True, help="id of the approved campaign with the text"
    )
    for name in ("import", "destroy"):
        acts.choices[name].add_argument(
            "--no-dry-run", action="store_true", help="do it, do not only show"
        )
    for name, act in acts.choices.items():
        if name != "check":
            act.add_argument(
                "--as",
                dest="account",
                required=True,
                metavar="ADDRESS",
                help="log-in address of the account that acts",
            )
        options.add_settings(act)


_OF_ONE: Final = {
    "show": "what is known of a list; no row of it",
    "export": "write every row as CSV, journalled",
    "call-sheet": "write a PDF with a sheet for each person who is phoned",
    "letters": "write a PDF with a letter for each person who is written to",
    "destroy": "destroy a list and its key; a dry run unless told otherwise",
}


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="CSV, XLSX, ODS or XLS")
    parser.add_argument("--sheet", default="", help="name of a workbook's sheet")
    parser.add_argument(
        "--address-column", default="", metavar="NAME", help="where it cannot be told"
    )
    parser.add_argument(
        "--problems", type=Path, metavar="FILE", help="write all problems as CSV"
    )


def _add_import(
    acts: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    parser = acts.add_parser(
        "import", help="check a file and import it; a dry run unless told otherwise"
    )
    _add_file(parser)
    parser.add_argument("--list", metavar="ID", help="replace the people of this list")
    parser.add_argument("--team", help="team of a new list")
    parser.add_argument("--name", help="name of a new list")
    parser.add_argument("--purpose", help="what a new list is for")
    parser.add_argument(
        "--sensitivity",
        choices=[one.value for one in Sensitivity],
        default=Sensitivity.ORDINARY.value,
    )
    parser.add_argument("--legal-basis", default="", metavar="TEXT")
    parser.add_argument(
        "--keep-until", type=date.fromisoformat, metavar="YYYY-MM-DD", default=None
    )


def run(args: argparse.Namespace) -> int:
    """Do the act. Raises UndisclosedError."""
    if args.act == "import" and not _is_complete(args):
        print(
            "undisclosed: --list, or --team, --name and --purpose, are needed.",
            file=sys.stderr,
        )
        return 2
    settings = wiring.load(args.settings)
    own_domains = tuple(settings.policy.own_domains)
    if args.act == "check":
        return _check(args, own_domains)
    wiring.configure(settings)
    from undisclosed.cli.held import account_named  # noqa: PLC0415

    account = account_named(args.account)
    if args.act == "import":
        return _import(args, account, own_domains)
    return _ACTS.get(args.act, _take_out)(args, account)


def _is_complete(args: argparse.Namespace) -> bool:
    return bool(args.list or (args.team and args.name and args.purpose))


def _check(args: argparse.Namespace, own_domains: tuple[str, ...]) -> int:
    found = _checked(args, own_domains)
    if found is None:
        return UNREADABLE_INPUT
    return SOMETHING_FOUND if found[1].problems else 0


def _checked(
    args: argparse.Namespace, own_domains: tuple[str, ...]
) -> tuple[Table, Checked] | None:
    """Check the file and say what was found; None where it cannot be used."""
    try:
        with RowProgress("Checking") as progress:
            table = open_table(args.file, args.sheet)
            checked = recipients.check(
                table,
                address_column=args.address_column,
                own_domains=own_domains,
                progress=progress.show,
            )
    except (TableUnreadable, NoRecipients) as error:
        print(f"undisclosed: {printable(error.message)}", file=sys.stderr)
        return None
    _tell(checked)
    if args.problems is not None:
        write_new(args.problems, problems_csv(checked.problems))
    return table, checked


def _tell(checked: Checked) -> None:
    people = counted(checked.rows, "person", "people")
    column = printable(checked.columns.address_name)
    print(f'{people}, {checked.mailed:,} of them by mail (column "{column}").')
    for sentence in (*checked.dropped, *checked.notes):
        print(printable(sentence))
    for one in checked.problems[:SHOWN]:
        print(_line(one))
    rest = checked.fatal + checked.warnings - SHOWN
    if rest > 0:
        print(f"… and {rest:,} more: --problems FILE writes them.")
    if checked.fatal:
        print(f"{counted(checked.fatal, 'problem')} to be mended before an import.")


def _line(one: Problem) -> str:
    where = f"row {one.row:,}, " if one.row else ""
    mark = "" if one.is_fatal else "  (may be imported)"
    return f"{where}{printable(one.column)}: {one.text}{mark}"


def _import(
    args: argparse.Namespace, account: "Account", own_domains: tuple[str, ...]
) -> int:
    from undisclosed.console.lists.hiding import hide  # noqa: PLC0415
    from undisclosed.store import lists  # noqa: PLC0415
    from undisclosed.store.database import transaction  # noqa: PLC0415
    from undisclosed.store.rights import Right  # noqa: PLC0415

    team = None if args.list else _team(args.team, account)
    if args.list:
        _opened(args.list, account, Right.CHANGE_LISTS)
    found = _checked(args, own_domains)
    if found is None:
        return UNREADABLE_INPUT
    table, checked = found
    if not checked.is_importable:
        return SOMETHING_FOUND
    if not args.no_dry_run:
        print("A dry run: nothing was imported. --no-dry-run imports it.")
        return 0
    now, by = wiring.utc_now(), str(account.pk)
    list_id = args.list or _made(args, team, account, now)
    with RowProgress("Importing", checked.rows) as progress, transaction():
        done = lists.import_rows(
            list_id,
            checked.columns.names,
            recipients.rows(table, checked.columns),
            by=by,
            now=now,
            shared_domains=checked.shared_domains,
            progress=progress.show,
        )
        hide(list_id, now)
    print(f"{counted(done.rows, 'person', 'people')} on the list {list_id}.")
    return 0


def _made(
    args: argparse.Namespace, team: object, account: "Account", now: datetime
) -> str:
    from undisclosed.store import lists  # noqa: PLC0415

    facts = lists.ListFacts(
        args.name,
        args.purpose,
        Sensitivity(args.sensitivity),
        args.legal_basis,
        args.keep_until,
    )
    by = str(account.pk)
    return lists.create(facts, team=team, owner=account.pk, by=by, now=now)


def _team(name: str, account: "Account") -> object:
    from undisclosed.store.rights import Right, teams_with  # noqa: PLC0415

    named = {one.name: one.pk for one in teams_with(account, Right.CHANGE_LISTS)}
    if name not in named:
        raise NoSuchTeam
    return named[name]


def _all(_args: argparse.Namespace, account: "Account") -> int:
    from undisclosed.store.models import RecipientList  # noqa: PLC0415
    from undisclosed.store.rights import Right, teams_with  # noqa: PLC0415

    teams = teams_with(account, Right.SEE_LISTS)
    found = RecipientList.objects.filter(team__in=teams, destroyed_at=None)
    for one in found.select_related("team").order_by("-created_at", "id"):
        people = counted(one.rows, "person", "people")
        print(f"{one.pk}  {printable(one.name)}: {people}, {printable(one.team.name)}")
    return 0


def _show(args: argparse.Namespace, account: "Account") -> int:
    from undisclosed.store import lists  # noqa: PLC0415
    from undisclosed.store.rights import Right  # noqa: PLC0415

    found = _opened(args.id, account, Right.SEE_LISTS)
    told = {
        "name": found.name,
        "purpose": found.purpose,
        "team": found.team.name,
        "owner": found.owner.name,
        "sensitivity": found.sensitivity,
        "legal basis": found.legal_basis or "not said",
        "kept until": str(found.keep_until or "not said"),
        "imported": f"{found.imported_at:%Y-%m-%d %H:%M} UTC"
        if found.imported_at
        else "not yet",
        "columns": ", ".join(lists.columns(args.id)) if found.data_key else "",
        **{way.value: f"{number:,}" for way, number in lists.ways(args.id).items()},
    }
    for name, value in told.items():
        print(f"{name}: {printable(value)}")
    return 0


def _destroy(args: argparse.Namespace, account: "Account") -> int:
    from undisclosed.store import lists  # noqa: PLC0415
    from undisclosed.store.rights import Right  # noqa: PLC0415

    found = _opened(args.id, account, Right.DESTROY_LISTS)
    if not args.no_dry_run:
        print(
            f"A dry run: nothing was destroyed. --no-dry-run destroys "
            f"{counted(found.rows, 'row')}, which nobody can read again."
        )
        return 0
    lists.destroy(args.id, by=str(account.pk), now=wiring.utc_now())
    print("The list is destroyed: its key is gone.")
    return 0


def _take_out(args: argparse.Namespace, account: "Account") -> int:
    from undisclosed.send import on_paper  # noqa: PLC0415
    from undisclosed.store import journal, lists  # noqa: PLC0415
    from undisclosed.store.rights import Right  # noqa: PLC0415

    found, now = _opened(args.id, account, Right.SEE_ROWS), wiring.utc_now()
    facts: dict[str, object] = {"list": args.id}
    content: bytes | Iterable[str]
    match args.act:
        case "export":
            facts |= {"rows": found.rows, "why": args.why}
            content = rows_csv(lists.columns(args.id), lists.rows(args.id))
        case "call-sheet":
            made = on_paper.call_sheet(
                args.id, heading=found.purpose[:200], without=args.without
            )
            content = made.content
            facts |= {"people": made.people, "left out": len(made.left_out)}
            facts |= {"way": "phone", "why": args.why}
        case _:
            day = now.astimezone().date()
            made = on_paper.letters(
                args.id, args.campaign, day=day, without=args.without
            )
            content = made.content
            facts |= {"people": made.people, "left out": len(made.left_out)}
            facts |= {"way": "post", "campaign": args.campaign}
    event = "list exported" if args.act == "export" else "list printed"
    journal.write(event, actor=str(account.pk), **facts)
    write_new(args.output, content)
    print(f"Written to {args.output}, which only you can read; it was journalled.")
    return 0


def _opened(list_id: str, account: "Account", right: "Right") -> "RecipientList":
    """The list, for who has this right in its team. Raises NoSuchList, NotAllowed."""
    from undisclosed.store.lists import NoSuchList  # noqa: PLC0415
    from undisclosed.store.models import RecipientList  # noqa: PLC0415
    from undisclosed.store.rights import Right, may  # noqa: PLC0415

    found = (
        RecipientList.objects.select_related("team", "owner")
        .filter(pk=list_id, destroyed_at=None)
        .first()
    )
    if found is None or not may(account, Right.SEE_LISTS, found.team_id):
        raise NoSuchList(list=list_id)
    if not may(account, right, found.team_id):
        raise NotAllowed
    return found


def write_new(path: Path, content: bytes | Iterable[str]) -> None:
    """A new file that nobody else can read; one that is there is left alone."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(number, "wb") as file:
        if isinstance(content, bytes):
            file.write(content)
            return
        file.writelines(line.encode("utf-8", "replace") for line in content)


_ACTS: Final = {"all": _all, "show": _show, "destroy": _destroy}
