# SPDX-License-Identifier: Apache-2.0
"""``undisclosed bypass``: let mail go around the guard for a time, and say so.

The guard cannot take itself out of the way: the mail server sends mail to it. So the
command prints what to change there, and writes down, for everybody to see, that it
was changed, by whom, why, and until when.
"""

import argparse
import getpass
import re
import sys
from datetime import datetime, timedelta

from undisclosed.cli import options, wiring
from undisclosed.errors import TransientError, UndisclosedError
from undisclosed.guard.notices import without_others
from undisclosed.store.settings import Settings

OFF, ON, NOT_JOURNALLED = 0, 3, 75

_SPAN = re.compile(r"(\d{1,4})(m|h|d)")
_UNITS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
}

AROUND = """\
What to change at the mail server, as its administrator:

  Postfix as content_filter
      postconf -e 'content_filter =' && postfix reload
      postsuper -r ALL        # what waits in the queue goes around, too
  Postfix with the milter
      postconf -e 'smtpd_milters =' 'non_smtpd_milters =' && postfix reload
      (only where nothing else stands in these settings: else take ours out)
  Exchange Online
      Exchange admin centre, Mail flow, Rules: turn the rule to the guard off
  Google Workspace
      Admin console, Gmail, Hosts and Routing: take the outbound gateway away

Until the mail server is changed back NOTHING IS GUARDED.
"""

BACK = """\
Change the mail server back, then prove it:

  Postfix as content_filter
      postconf -e 'content_filter = smtp:[{host}]:{port}' && postfix reload
  Postfix with the milter
      put the guard's socket back into smtpd_milters and non_smtpd_milters
  Exchange Online, Google Workspace
      turn the rule on, or set the outbound gateway again

  undisclosed doctor --through HOST:PORT    # where users hand their mail in
"""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "bypass", help="let mail go around the guard for a time, journalled"
    )
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    start = acts.add_parser("start", help="say that it does, and what to change")
    start.add_argument(
        "--for",
        dest="lasts",
        required=True,
        metavar="TIME",
        help="for how long, as in 30m, 2h, 1d; at most 3d",
    )
    start.add_argument("--reason", required=True, help="why; it is journalled")
    acts.add_parser("end", help="say that mail passes the guard again")
    acts.add_parser("status", help="is a bypass on? (3 where one is)")
    for each in acts.choices.values():
        options.add_settings(each)


def run(args: argparse.Namespace) -> int:
    """Start, end, or tell of a bypass."""
    settings = wiring.load(args.settings)
    wiring.configure(settings)
    if args.act == "start":
        return _start(args)
    return _end(settings) if args.act == "end" else _status()


def _start(args: argparse.Namespace) -> int:
    from undisclosed.store import bypass  # noqa: PLC0415 (needs Django configured)

    lasts, reason = _span(args.lasts), without_others(args.reason).strip()
    if not reason:
        raise UndisclosedError("A bypass needs a reason.")
    if lasts > bypass.LONGEST:
        raise UndisclosedError(f"A bypass lasts at most {bypass.LONGEST.days} days.")
    try:
        started = bypass.start(
            by=_who(), reason=reason, lasts=lasts, now=wiring.utc_now()
        )
    except TransientError:
        # An emergency is when things are away: the way around is told all the same.
        print(AROUND)
        print(
            "undisclosed: The database is away, so this bypass IS NOT JOURNALLED. "
            "Write down who, when and why, and start it again when it is back.",
            file=sys.stderr,
        )
        return NOT_JOURNALLED
    print(AROUND)
    print(f"The bypass is on until {started.ends_at:%F %T} UTC, and journalled.")
    print("The console and `undisclosed doctor` say so until `undisclosed bypass end`.")
    return OFF


def _end(settings: Settings) -> int:
    from undisclosed.store import bypass  # noqa: PLC0415

    ended = bypass.end(by=_who(), now=wiring.utc_now())
    where = settings.guard.listen
    print(BACK.format(host=where.host, port=where.port))
    print(f"The bypass of {ended.started_at:%F %T} UTC is journalled as ended.")
    return OFF


def _status() -> int:
    from undisclosed.store import bypass  # noqa: PLC0415

    on = bypass.active()
    if on is None:
        print("No bypass is on.")
        return OFF
    print(sentence(on.ends_at, wiring.utc_now()))
    print(f"Started {on.started_at:%F %T} UTC by {on.started_by}: {on.reason}")
    return ON


def sentence(ends_at: datetime, now: datetime) -> str:
    """What is said of a bypass that is on."""
    if now >= ends_at:
        return (
            f"The time of the bypass was over at {ends_at:%F %T} UTC, and nobody has "
            "said that mail passes the guard again."
        )
    return f"A bypass is on until {ends_at:%F %T} UTC: mail goes around the guard."


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise UndisclosedError("Write a time as in 30m, 2h or 1d.")
    return int(match[1]) * _UNITS[match[2]]


def _who() -> str:
    """The system's name of whoever typed the command, for the journal."""
    try:
        return f"command line ({getpass.getuser()})"
    except (KeyError, OSError):
        return "command line"
