# SPDX-License-Identifier: Apache-2.0
"""``undisclosed campaign new`` and ``change``: a draft out of files."""

import argparse
import mimetypes
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from undisclosed.cli import wiring
from undisclosed.cli.campaign_acting import account_of, allowed
from undisclosed.core.address import Address, parse_addr_spec
from undisclosed.core.campaign import Attached, Draft, MailKind
from undisclosed.errors import UndisclosedError

NEW, CHANGE = "new", "change"

_SETTINGS: Final = ("name", "kind", "per_minute", "in_doubt")
"""What is kept beside the draft: as the options are called, and the store's values."""


class NoSuchTeam(UndisclosedError):
    """There is no such team in which this account writes campaigns."""


class NoAddress(UndisclosedError):
    """What was given is no address."""


class NotReadable(UndisclosedError):
    """A file cannot be read, or a text is not UTF-8."""


def add_parsers(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both acts to the command line."""
    new = acts.add_parser(NEW, help="a draft from a file of Markdown")
    new.add_argument("text", type=Path, help="file of the text, in UTF-8")
    new.add_argument("--team", required=True, help="name of the team")
    _content(new, is_required=True)
    change = acts.add_parser(
        CHANGE, help="change a draft; what was checked and approved is void then"
    )
    change.add_argument("id", help="id of the campaign")
    change.add_argument("--text", type=Path, help="file of the text, in UTF-8")
    change.add_argument("--no-files", action="store_true", help="no file goes with it")
    _content(change, is_required=False)


def _content(act: argparse.ArgumentParser, *, is_required: bool) -> None:
    needed: dict[str, Any] = {"required": is_required}
    act.add_argument("--name", **needed, help="what it is called, for the team")
    act.add_argument("--list", dest="list_id", **needed, help="id of the list")
    act.add_argument("--subject", **needed)
    act.add_argument("--from", dest="author", **needed, metavar="ADDRESS")
    act.add_argument("--from-name", help="the name that people see")
    act.add_argument("--reply-to", metavar="ADDRESS", help="where answers go")
    act.add_argument(
        "--kind",
        choices=[one.value for one in MailKind],
        help="marketing can be unsubscribed from (service)",
    )
    act.add_argument("--per-minute", type=int, help="at most so many (0: no limit)")
    act.add_argument(
        "--in-doubt",
        choices=("ask", "resend", "sent"),
        help="what is done with a message of which a crash left it unknown (ask)",
    )
    act.add_argument(
        "--attach",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file for everybody; may be given again",
    )
    act.add_argument(
        "--attach-by",
        nargs=2,
        action="append",
        default=[],
        metavar=("COLUMN", "FOLDER"),
        help="each person's own file of a folder, as a column of the list names it",
    )


def make(args: argparse.Namespace) -> None:
    """Make a draft and print its id. Raises NoSuchTeam, NoAddress, TemplateError."""
    from undisclosed.send.draft import to_json  # noqa: PLC0415
    from undisclosed.send.merge import compile_draft  # noqa: PLC0415
    from undisclosed.store import campaigns, rights  # noqa: PLC0415
    from undisclosed.store.database import transaction  # noqa: PLC0415

    account, now = account_of(args.account), wiring.utc_now()
    teams = rights.teams_with(account, rights.Right.WRITE_CAMPAIGNS)
    team = next((one for one in teams if one.name == args.team), None)
    if team is None:
        raise NoSuchTeam
    author = _address(args.author)
    draft = _draft(Draft(args.subject, "", author), args)
    compile_draft(draft, _columns(args.list_id, team.pk))
    with transaction():
        made = campaigns.create(
            args.name, team=team.pk, kind=draft.kind, by=account.pk, now=now
        )
        campaigns.change(
            made,
            by=account.pk,
            now=now,
            text=to_json(draft),
            files=draft.attachments,
            list_id=args.list_id,
            settings=_settings(args),
        )
    print(made)


def _columns(list_id: str, team: object) -> tuple[str, ...]:
    """The columns of a list of this team: another team's has none for its campaigns.

    Raises NoSuchList.
    """
    from undisclosed.store import campaign_lists, lists  # noqa: PLC0415

    if all(one.id != list_id for one in campaign_lists.of_team(team)):
        raise lists.NoSuchList(list=list_id)
    return lists.columns(list_id)


def change(args: argparse.Namespace) -> None:
    """Change what is named, and leave the rest. Raises as ``make`` does."""
    from undisclosed.send.approval import draft_of  # noqa: PLC0415
    from undisclosed.send.draft import to_json  # noqa: PLC0415
    from undisclosed.send.merge import compile_draft  # noqa: PLC0415
    from undisclosed.store import campaigns  # noqa: PLC0415

    found, account = allowed(args, lambda may: may.write)
    draft = _draft(draft_of(args.id), args)
    list_id = args.list_id or found.list_id
    compile_draft(draft, _columns(list_id, found.team) if list_id else ())
    has_files = args.attach or args.attach_by or args.no_files
    campaigns.change(
        args.id,
        by=account.pk,
        now=wiring.utc_now(),
        text=to_json(draft),
        files=draft.attachments if has_files else None,
        list_id=args.list_id,
        settings=_settings(args),
    )


def _draft(before: Draft, args: argparse.Namespace) -> Draft:
    """The draft with what was named in the place of what was there."""
    wanted: dict[str, Any] = {
        "subject": args.subject,
        "markdown": _text(args.text) if args.text else None,
        "author": _address(args.author) if args.author else None,
        "author_name": args.from_name,
        "reply_to": _address(args.reply_to) if args.reply_to else None,
        "kind": MailKind(args.kind) if args.kind else None,
    }
    files = tuple(_files(args))
    if files or getattr(args, "no_files", False):
        wanted["attachments"] = files
    return replace(before, **{k: v for k, v in wanted.items() if v is not None})


def _settings(args: argparse.Namespace) -> dict[str, object]:
    named = {name: getattr(args, name) for name in _SETTINGS}
    return {name: value for name, value in named.items() if value is not None}


def _files(args: argparse.Namespace) -> Iterator[Attached]:
    for file in args.attach:
        yield _attached(file)
    for column, folder in args.attach_by:
        for file in _in_folder(Path(folder)):
            yield replace(_attached(file), column=column)


def _in_folder(folder: Path) -> list[Path]:
    try:
        return sorted(one for one in folder.iterdir() if one.is_file())
    except OSError as error:
        raise NotReadable(file=str(folder), why=error.strerror) from None


def _attached(file: Path) -> Attached:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Attached(file.name, kind, _read(file))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise NotReadable(file=str(file), why=error.strerror) from None


def _text(file: Path) -> str:
    try:
        return _read(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotReadable(file=str(file), why="It is not UTF-8.") from None


def _address(text: str) -> Address:
    found = parse_addr_spec(text)
    if found is None or not found.domain:
        raise NoAddress
    return found
