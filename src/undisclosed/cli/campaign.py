# SPDX-License-Identifier: Apache-2.0
"""``undisclosed campaign``: written, checked, approved, sent from a terminal.

Whoever acts is an account, named with ``--as``: its rights in the team say what it may
do, as on the pages. What would send mail is a dry run until it is told not to be.
"""

import argparse
import mimetypes
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from undisclosed.cli import campaign_words, options, wiring
from undisclosed.cli.campaign_words import SHOWN_OF_DIGEST
from undisclosed.core.address import parse_addr_spec
from undisclosed.core.campaign import Attached, Draft, MailKind
from undisclosed.errors import UndisclosedError

if TYPE_CHECKING:
    from undisclosed.console.campaigns.rights import May
    from undisclosed.store.campaigns import Campaign
    from undisclosed.store.models import Account

DONE, REFUSED = 0, 77
"""Exit codes: done, and not allowed or not possible."""


class NotAllowed(UndisclosedError):
    """This account may not do that, or not as the campaign is now."""


class NoSuchTeam(UndisclosedError):
    """There is no such team in which this account writes campaigns."""


class OtherDigest(UndisclosedError):
    """This is not the digest of what is submitted: look at it again."""


class NoAddress(UndisclosedError):
    """What was given is no address."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("campaign", help="campaigns: write, approve, send")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    acts.add_parser("list", help="the latest campaigns, and where they are")
    _new(acts)
    for name, help_text in _ACTS.items():
        act = acts.add_parser(name, help=help_text)
        act.add_argument("id", help="id of the campaign")
        _more(name, act)
    for name, act in acts.choices.items():
        if name not in ("list", "show"):
            act.add_argument(
                "--as",
                dest="account",
                required=True,
                metavar="ADDRESS",
                help="log-in address of the account that acts",
            )
        options.add_settings(act)


_ACTS: Final = {
    "show": "state, findings, approvals, deliveries",
    "preview": "messages as people would get them, values masked",
    "test": "send the first messages to oneself; a dry run unless told otherwise",
    "check": "run every check",
    "override": "answer for what a check found",
    "submit": "ask for the approvals that it needs",
    "approve": "consent to exactly what was submitted",
    "reject": "refuse it, with a reason",
    "start": "begin to send; a dry run unless told otherwise",
    "schedule": "let it begin by itself",
    "pause": "stop at once",
    "resume": "go on",
    "cancel": "end it: what was not begun is never sent",
    "doubt": "decide what is in doubt",
    "proof": "write who approved what, and what became of each message",
}


def _new(acts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    act = acts.add_parser("new", help="a draft from a file of Markdown")
    act.add_argument("text", type=Path, help="file of the text, in UTF-8")
    act.add_argument("--name", required=True, help="what it is called, for the team")
    act.add_argument("--team", required=True, help="name of the team")
    act.add_argument("--list", dest="list_id", required=True, help="id of the list")
    act.add_argument("--subject", required=True)
    act.add_argument("--from", dest="author", required=True, metavar="ADDRESS")
    act.add_argument("--from-name", default="", help="the name that people see")
    act.add_argument("--reply-to", metavar="ADDRESS", help="where answers go")
    act.add_argument("--marketing", action="store_true", help="people can unsubscribe")
    act.add_argument(
        "--attach",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a file for everybody; may be given again",
    )


def _more(name: str, act: argparse.ArgumentParser) -> None:
    for flag, more in _OPTIONS.get(name, {}).items():
        act.add_argument(flag, **more)


_ROW: Final[dict[str, Any]] = {"type": int, "default": 1, "help": "the first row"}
_LIMIT: Final[dict[str, Any]] = {"type": int, "default": 1, "help": "how many (1)"}
_REASON: Final[dict[str, Any]] = {"required": True, "help": "kept with the campaign"}
_NO_DRY_RUN: Final[dict[str, Any]] = {
    "action": "store_true",
    "help": "send, do not only show",
}
_DECISION: Final[dict[str, dict[str, Any]]] = {
    "--role": {"required": True, "help": "in which role"},
    "--digest": {"required": True, "help": 'as "show" says it'},
}
_OPTIONS: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "preview": {
        "--row": _ROW,
        "--limit": _LIMIT,
        "--raw": {"action": "store_true", "help": "as it travels"},
    },
    "test": {"--row": _ROW, "--limit": _LIMIT, "--no-dry-run": _NO_DRY_RUN},
    "override": {"check": {"help": "name of the check"}, "--reason": _REASON},
    "approve": _DECISION,
    "reject": {**_DECISION, "--reason": _REASON},
    "start": {"--limit": _LIMIT, "--no-dry-run": _NO_DRY_RUN},
    "schedule": {
        "at": {"help": "as in 2027-01-31T09:00, in console.time_zone"},
        "--not-after": {"help": "what has not left by then waits"},
    },
    "doubt": {"how": {"choices": ("resend", "sent")}},
    "proof": {"file": {"type": Path, "help": "file to write, one line a message"}},
}
"""What an act is told besides its campaign and who acts."""


def run(args: argparse.Namespace) -> int:
    """Carry out one act; 0, or 77 where it is not allowed or not possible."""
    settings = wiring.load(args.settings)
    wiring.configure(settings)
    if args.act == "list":
        return _list()
    # What follows needs Django configured.
    from undisclosed.console.campaigns.opening import REFUSALS  # noqa: PLC0415

    refused = (*REFUSALS, NotAllowed, NoSuchTeam, OtherDigest, NoAddress)
    try:
        _ACT[args.act](args)
    except refused as error:
        print(f"undisclosed: {error.message}", file=sys.stderr)
        return REFUSED
    return DONE


def _list() -> int:
    from undisclosed.store.models import Campaign  # noqa: PLC0415

    rows = Campaign.objects.select_related("team").only(
        "id", "state", "recipients", "name", "team__name"
    )
    for row in rows.order_by("-updated_at")[:200]:
        print(campaign_words.line_of(row))
    return DONE


def _make(args: argparse.Namespace) -> None:
    from undisclosed.send.draft import to_json  # noqa: PLC0415
    from undisclosed.send.merge import compile_draft  # noqa: PLC0415
    from undisclosed.store import campaigns, lists, rights  # noqa: PLC0415

    account, now = _account(args.account), wiring.utc_now()
    teams = rights.teams_with(account, rights.Right.WRITE_CAMPAIGNS)
    team = next((one for one in teams if one.name == args.team), None)
    if team is None:
        raise NoSuchTeam
    draft = _draft(args)
    compile_draft(draft, lists.columns(args.list_id))
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
    )
    print(made)


def _draft(args: argparse.Namespace) -> Draft:
    author = parse_addr_spec(args.author)
    reply_to = parse_addr_spec(args.reply_to) if args.reply_to else None
    if author is None or (args.reply_to and reply_to is None):
        raise NoAddress
    return Draft(
        subject=args.subject,
        markdown=args.text.read_text("utf-8"),
        author=author,
        author_name=args.from_name,
        reply_to=reply_to,
        kind=MailKind.MARKETING if args.marketing else MailKind.SERVICE,
        attachments=tuple(map(_attached, args.attach)),
    )


def _attached(file: Path) -> Attached:
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return Attached(file.name, kind, file.read_bytes())


def _show(args: argparse.Namespace) -> None:
    _print(args.id, None)


def _preview(args: argparse.Namespace) -> None:
    _allowed(args, lambda may: True)
    _print_samples(args.id, args.row, args.limit, is_raw=args.raw)


def _test(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns import samples  # noqa: PLC0415
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415
    from undisclosed.store import journal  # noqa: PLC0415

    found, account = _allowed(args, lambda may: may.write)
    if not args.no_dry_run:
        _print_samples(args.id, args.row, args.limit)
        print("A dry run: nothing was sent. --no-dry-run sends it to yourself.")
        return
    template, now, number = pages.template_of(found), wiring.utc_now(), args.row
    sees_rows = _may(account, found).see_rows
    for _ in range(args.limit):
        row = samples.first_row(found, number)
        if row is None or row.number < number:
            break
        chosen = row if sees_rows else samples.masked(row)
        mail = samples.test_mail(found, template, chosen, account.login, now)
        journal.write(
            "test sent", actor=str(account.pk), campaign=args.id, row=row.number
        )
        pages.queue([mail], now)
        number = row.number + 1
    print("On its way to your own address.")


def _check(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415

    _, account = _allowed(args, lambda may: may.write)
    pages.check(
        args.id,
        by=account.pk,
        now=wiring.utc_now(),
        progress=lambda rows: print(f"{rows:,} messages looked at", file=sys.stderr),
    )
    _print(args.id, account)


def _override(args: argparse.Namespace) -> None:
    from undisclosed.store import campaigns  # noqa: PLC0415

    _, account = _allowed(args, lambda may: may.write)
    now = wiring.utc_now()
    campaigns.override(args.id, args.check, args.reason, by=account.pk, now=now)
    _print(args.id, account)


def _submit(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415
    from undisclosed.send import approval  # noqa: PLC0415

    _, account = _allowed(args, lambda may: may.submit)
    approval.submit(
        args.id,
        pages.approval_policy(),
        pages.sides(),
        pages.asking(),
        by=account.pk,
        now=wiring.utc_now(),
    )
    _print(args.id, account)


def _decide(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415
    from undisclosed.send import approval  # noqa: PLC0415

    is_consent = args.act == "approve"
    found, account = _allowed(
        args, lambda may: args.role in (may.decide if is_consent else may.refuse)
    )
    digest = found.digest or b""
    given = args.digest.lower()
    if len(given) < SHOWN_OF_DIGEST or not digest.hex().startswith(given):
        raise OtherDigest
    asking, now = pages.asking(), wiring.utc_now()
    if is_consent:
        approval.approve(args.id, digest, args.role, asking, by=account.pk, now=now)
    else:
        approval.reject(
            args.id, digest, args.role, args.reason, asking, by=account.pk, now=now
        )
    _print(args.id, account)


def _start(args: argparse.Namespace) -> None:
    from undisclosed.store import campaigns  # noqa: PLC0415

    found, account = _allowed(args, lambda may: may.send)
    if not args.no_dry_run:
        _print_samples(args.id, 1, args.limit)
        print(
            f"A dry run: nothing was sent. --no-dry-run sends {found.recipients:,}: "
            "first one, then ten, then all."
        )
        return
    campaigns.start(args.id, by=account.pk, now=wiring.utc_now())
    _print(args.id, account)


def _schedule(args: argparse.Namespace) -> None:
    from undisclosed.store import campaigns  # noqa: PLC0415

    _, account = _allowed(args, lambda may: may.send)
    until = _time(args.not_after) if args.not_after else None
    campaigns.schedule(
        args.id, _time(args.at), not_after=until, by=account.pk, now=wiring.utc_now()
    )
    _print(args.id, account)


def _proof(args: argparse.Namespace) -> None:
    from undisclosed.send import proof  # noqa: PLC0415

    _, account = _allowed(args, lambda may: True)
    lines = proof.lines(args.id, by=account.pk, now=wiring.utc_now())
    with args.file.open("wb") as file:
        file.writelines(lines)


def _steer(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns.sending import BY_HAND  # noqa: PLC0415
    from undisclosed.store import campaigns, doubt  # noqa: PLC0415

    _, account = _allowed(args, _STEERS[args.act])
    by, now = account.pk, wiring.utc_now()
    match args.act:
        case "pause":
            campaigns.pause(args.id, BY_HAND, by=by, now=now)
        case "resume":
            campaigns.resume(args.id, by=by, now=now)
        case "cancel":
            campaigns.cancel(args.id, by=by, now=now)
        case "doubt":
            doubt.decide(args.id, resend=args.how == "resend", by=by, now=now)
    _print(args.id, account)


_STEERS: Final[dict[str, "Callable[[May], bool]"]] = {
    "pause": lambda may: may.stop,
    "resume": lambda may: may.send,
    "cancel": lambda may: may.cancel,
    "doubt": lambda may: may.send,
}

_ACT: Final[dict[str, Callable[[argparse.Namespace], None]]] = {
    "new": _make,
    "show": _show,
    "preview": _preview,
    "test": _test,
    "check": _check,
    "override": _override,
    "submit": _submit,
    "approve": _decide,
    "reject": _decide,
    "start": _start,
    "schedule": _schedule,
    "proof": _proof,
    **dict.fromkeys(_STEERS, _steer),
}


def _allowed(
    args: argparse.Namespace, allows: "Callable[[May], bool]"
) -> "tuple[Campaign, Account]":
    """The campaign and who acts. Raises NotAllowed."""
    from undisclosed.store import campaigns, rights  # noqa: PLC0415

    account, found = _account(args.account), campaigns.get(args.id)
    team: Any = found.team
    if not rights.may(account, rights.Right.SEE_CAMPAIGNS, team):
        raise NotAllowed
    if not allows(_may(account, found)):
        raise NotAllowed
    return found, account


def _may(account: "Account", found: "Campaign") -> "May":
    from undisclosed.console.campaigns.rights import may  # noqa: PLC0415

    return may(account, found, wiring.utc_now())


def _print(campaign_id: str, account: "Account | None") -> None:
    from undisclosed.console.campaigns.sight import sight_of  # noqa: PLC0415
    from undisclosed.store import campaigns  # noqa: PLC0415
    from undisclosed.store.models import Account  # noqa: PLC0415

    # Without an account nothing is offered; nothing of what is shown depends on it.
    looks = account or Account(is_active=False)
    sight = sight_of(campaigns.get(campaign_id), looks, wiring.utc_now())
    _say(list(campaign_words.lines_of(sight)))


def _print_samples(
    campaign_id: str, row: int, limit: int, *, is_raw: bool = False
) -> None:
    from undisclosed.console.campaigns import samples  # noqa: PLC0415
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415
    from undisclosed.store import campaigns  # noqa: PLC0415

    found, now = campaigns.get(campaign_id), wiring.utc_now()
    template = pages.template_of(found)
    for _ in range(limit):
        sample = samples.sample_of(found, template, row, now, is_masked=True)
        _say(list(campaign_words.lines_of_sample(sample, is_raw=is_raw)))
        if not sample.after:
            break
        row = sample.after


def _time(text: str) -> datetime:
    """A time of the organisation. Raises UndisclosedError."""
    from undisclosed.console.wiring import settings  # noqa: PLC0415

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UndisclosedError("Write a time as in 2027-01-31T09:00.") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=ZoneInfo(settings().console.time_zone))
    return found


def _account(text: str) -> "Account":
    from undisclosed.cli.held import account_named  # noqa: PLC0415

    return account_named(text)


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)
