# SPDX-License-Identifier: Apache-2.0
"""``undisclosed campaign``: written, checked, approved, sent from a terminal.

Whoever acts is an account, named with ``--as``: its rights in the team say what it may
do, as on the pages. What would send mail is a dry run until it is told not to be.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from undisclosed.cli import (
    campaign_proof,
    campaign_words,
    campaign_writing,
    options,
    wiring,
)
from undisclosed.cli.campaign_acting import NotAllowed, allowed, may_of
from undisclosed.cli.campaign_words import SHOWN_OF_DIGEST
from undisclosed.cli.row_progress import RowProgress
from undisclosed.errors import UndisclosedError

if TYPE_CHECKING:
    from undisclosed.console.campaigns.rights import May
    from undisclosed.console.campaigns.samples import Sight
    from undisclosed.store.models import Account

DONE, REFUSED = 0, 77
"""Exit codes: done, and not allowed or not possible."""

_EVERY: Final = 2.0  # seconds between two looks at a campaign that is being sent


class OtherDigest(UndisclosedError):
    """This is not the digest of what is submitted: look at it again."""


class EndsBefore(UndisclosedError):
    """It ends before it begins: --not-after has to be the later time."""


class NoPolicy(UndisclosedError):
    """This campaign leaves it to you: say resend or sent."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("campaign", help="campaigns: write, approve, send")
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    acts.add_parser("list", help="the latest campaigns, and where they are")
    campaign_writing.add_parsers(acts)
    campaign_proof.add_parsers(acts)
    for name, help_text in _ACTS.items():
        act = acts.add_parser(name, help=help_text)
        act.add_argument("id", help="id of the campaign")
        _more(name, act)
    for name, act in acts.choices.items():
        if name not in _WITHOUT_ACCOUNT:
            act.add_argument(
                "--as",
                dest="account",
                required=True,
                metavar="ADDRESS",
                help="log-in address of the account that acts",
            )
        options.add_settings(act)


_WITHOUT_ACCOUNT: Final = (
    "list",
    "show",
    campaign_proof.VERIFY,
    campaign_proof.VERIFIER,
)

_ACTS: Final = {
    "show": "state, findings, approvals, deliveries",
    "diff": "what changed since it was last approved",
    "preview": "messages as people would get them, values masked",
    "test": "send the first messages to oneself; a dry run unless told otherwise",
    "check": "run every check",
    "override": "answer for what a check found",
    "submit": "ask for the approvals that it needs",
    "approve": "consent to exactly what was submitted",
    "reject": "refuse it, with a reason",
    "start": "begin to send; a dry run unless told otherwise",
    "schedule": "let it begin by itself; a dry run unless told otherwise",
    "pause": "stop at once",
    "resume": "go on",
    "cancel": "end it: what was not begun is never sent",
    "doubt": "decide what is in doubt",
    "proof": "write who approved what, and what became of each message",
}


def _more(name: str, act: argparse.ArgumentParser) -> None:
    for flag, more in _OPTIONS.get(name, {}).items():
        kept = {key: value for key, value in more.items() if key != "short"}
        act.add_argument(*filter(None, (more.get("short"), flag)), **kept)


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
    "show": {
        "--follow": {"action": "store_true", "help": "until nothing moves any more"}
    },
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
        "--limit": _LIMIT,
        "--no-dry-run": _NO_DRY_RUN,
    },
    "doubt": {
        "how": {
            "choices": ("resend", "sent"),
            "nargs": "?",
            "help": "as the campaign itself says, where it is not named",
        }
    },
    "proof": {
        "--output": {
            "short": "-o",
            "type": Path,
            "required": True,
            "metavar": "FILE",
            "help": "a new file: a ZIP with the proof and what verifies it",
        }
    },
}
"""What an act is told besides its campaign and who acts."""


def run(args: argparse.Namespace) -> int:
    """Carry out one act; 0, or 77 where it is not allowed or not possible."""
    if args.act == campaign_proof.VERIFIER:
        return campaign_proof.print_verifier()
    if args.act == campaign_proof.VERIFY:
        return campaign_proof.verify(args)
    settings = wiring.load(args.settings)
    wiring.configure(settings)
    if args.act == "list":
        return _list()
    # What follows needs Django configured.
    from undisclosed.console.campaigns.opening import REFUSALS  # noqa: PLC0415

    refused = (*REFUSALS, *_REFUSED)
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


def _show(args: argparse.Namespace) -> None:
    _print(args.id, None)
    if args.follow:
        _follow(args.id)


def _follow(campaign_id: str) -> None:
    """Print where the messages are whenever that changes, until nothing moves."""
    from undisclosed.console.campaigns.live import live_of  # noqa: PLC0415
    from undisclosed.store import campaigns  # noqa: PLC0415

    said = ""
    while (live := live_of(campaigns.get(campaign_id), wiring.utc_now())) is not None:
        if live.sentence != said:
            said = live.sentence
            print(said, flush=True)
        if not live.is_moving:
            return
        time.sleep(_EVERY)


def _diff(args: argparse.Namespace) -> None:
    from undisclosed.send import difference  # noqa: PLC0415

    found, _ = allowed(args, lambda may: True)
    _say(list(campaign_words.lines_of_difference(difference.since_approved(found))))


def _change(args: argparse.Namespace) -> None:
    campaign_writing.change(args)
    _print(args.id, None)


def _preview(args: argparse.Namespace) -> None:
    found, account = allowed(args, lambda may: True)
    seen = may_of(account, found).masked
    _print_samples(args.id, args.row, args.limit, seen, is_raw=args.raw)


def _test(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns import samples  # noqa: PLC0415
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415
    from undisclosed.store import journal  # noqa: PLC0415
    from undisclosed.store.database import transaction  # noqa: PLC0415

    found, account = allowed(args, lambda may: may.write)
    if not args.no_dry_run:
        seen = may_of(account, found).masked
        _print_samples(args.id, args.row, args.limit, seen)
        print("A dry run: nothing was sent. --no-dry-run sends it to yourself.")
        return
    template, now, number = pages.template_of(found), wiring.utc_now(), args.row
    allows = may_of(account, found)
    for _ in range(args.limit):
        row = samples.first_row(found, number)
        if row is None or row.number < number:
            break
        mail = samples.test_mail(
            found, template, row, account.login, now, seen=allows.at_most
        )
        with transaction():
            journal.write(
                "test sent",
                actor=str(account.pk),
                campaign=args.id,
                list=found.list_id,
                row=row.number,
                values="shown" if allows.see_rows else "masked",
            )
            pages.queue([mail], now)
        number = row.number + 1
    print("On its way to your own address.")


def _check(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415

    found, account = allowed(args, lambda may: may.write)
    with RowProgress("Looked at", found.recipients) as bar:
        pages.check(args.id, by=account.pk, now=wiring.utc_now(), progress=bar.show)
    _print(args.id, account)


def _override(args: argparse.Namespace) -> None:
    from undisclosed.store import campaigns  # noqa: PLC0415

    _, account = allowed(args, lambda may: may.write)
    now = wiring.utc_now()
    campaigns.override(args.id, args.check, args.reason, by=account.pk, now=now)
    _print(args.id, account)


def _submit(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415
    from undisclosed.send import approval  # noqa: PLC0415

    _, account = allowed(args, lambda may: may.submit)
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
    found, account = allowed(
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

    found, account = allowed(args, lambda may: may.send)
    if not args.no_dry_run:
        _print_samples(args.id, 1, args.limit, may_of(account, found).masked)
        print(
            f"A dry run: nothing was sent. --no-dry-run sends {found.recipients:,}: "
            "first one, then ten, then all."
        )
        return
    with RowProgress("Written", found.recipients) as bar:
        campaigns.start(args.id, by=account.pk, now=wiring.utc_now(), progress=bar.show)
    _print(args.id, account)


def _schedule(args: argparse.Namespace) -> None:
    from undisclosed.store import campaigns  # noqa: PLC0415

    found, account = allowed(args, lambda may: may.send)
    begin = _time(args.at)
    until = _time(args.not_after) if args.not_after else None
    if until is not None and until <= begin:
        raise EndsBefore
    if not args.no_dry_run:
        _print_samples(args.id, 1, args.limit, may_of(account, found).masked)
        print(
            f"A dry run: nothing was scheduled. --no-dry-run sends "
            f"{found.recipients:,} from {begin:%F %H:%M %Z} on."
        )
        return
    campaigns.schedule(
        args.id, begin, not_after=until, by=account.pk, now=wiring.utc_now()
    )
    _print(args.id, account)


def _steer(args: argparse.Namespace) -> None:
    from undisclosed.console.campaigns.sending import BY_HAND  # noqa: PLC0415
    from undisclosed.store import campaigns, doubt  # noqa: PLC0415

    found, account = allowed(args, _STEERS[args.act])
    by, now = account.pk, wiring.utc_now()
    match args.act:
        case "pause":
            campaigns.pause(args.id, BY_HAND, by=by, now=now)
        case "resume":
            campaigns.resume(args.id, by=by, now=now)
        case "cancel":
            campaigns.cancel(args.id, by=by, now=now)
        case "doubt":
            how = args.how or found.in_doubt
            if how not in doubt.POLICIES:
                raise NoPolicy
            number = doubt.decide(args.id, resend=how == "resend", by=by, now=now)
            print(f"Decided for {number:,}: {how}.")
    _print(args.id, account)


_REFUSED: Final = (
    NotAllowed,
    OtherDigest,
    EndsBefore,
    NoPolicy,
    campaign_writing.NoSuchTeam,
    campaign_writing.NoAddress,
    campaign_writing.NotReadable,
)
"""Why an act is not carried out, besides what the store refuses."""

_STEERS: Final[dict[str, "Callable[[May], bool]"]] = {
    "pause": lambda may: may.stop,
    "resume": lambda may: may.send,
    "cancel": lambda may: may.cancel,
    "doubt": lambda may: may.send,
}

_ACT: Final[dict[str, Callable[[argparse.Namespace], None]]] = {
    campaign_writing.NEW: campaign_writing.make,
    campaign_writing.CHANGE: _change,
    "show": _show,
    "diff": _diff,
    "preview": _preview,
    "test": _test,
    "check": _check,
    "override": _override,
    "submit": _submit,
    "approve": _decide,
    "reject": _decide,
    "start": _start,
    "schedule": _schedule,
    "proof": campaign_proof.write,
    **dict.fromkeys(_STEERS, _steer),
}


def _print(campaign_id: str, account: "Account | None") -> None:
    from undisclosed.console.campaigns.sight import sight_of  # noqa: PLC0415
    from undisclosed.store import campaigns  # noqa: PLC0415
    from undisclosed.store.models import Account  # noqa: PLC0415

    # Without an account nothing is offered; nothing of what is shown depends on it.
    looks = account or Account(is_active=False)
    sight = sight_of(campaigns.get(campaign_id), looks, wiring.utc_now())
    _say(list(campaign_words.lines_of(sight)))


def _print_samples(
    campaign_id: str, row: int, limit: int, seen: "Sight", *, is_raw: bool = False
) -> None:
    from undisclosed.console.campaigns import samples  # noqa: PLC0415
    from undisclosed.console.campaigns import wiring as pages  # noqa: PLC0415
    from undisclosed.store import campaigns  # noqa: PLC0415

    found, now = campaigns.get(campaign_id), wiring.utc_now()
    template = pages.template_of(found)
    for _ in range(limit):
        sample = samples.sample_of(found, template, row, now, seen=seen)
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


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        print(line)
