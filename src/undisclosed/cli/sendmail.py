# SPDX-License-Identifier: Apache-2.0
"""``undisclosed sendmail``: the pipe of scripts, cron and PHP.

One mail on standard input, options as in sendmail(8), exit codes of sysexits.h. The
mail is judged in this process where its user may open the store; else it is handed to
the guard that listens, which judges it as it does all mail. Either way 0 means that it
was relayed or is held, durably, and 75 that the program still has it.
"""

import argparse
import importlib
import logging
import os
import pwd
import secrets
import socket
import sys
from datetime import UTC, datetime

from undisclosed.cli.sendmail_options import Options, WrongOptions, read_options
from undisclosed.core.address import Address
from undisclosed.core.mail import Mail
from undisclosed.core.recipient_list import NoRecipientList
from undisclosed.errors import UndisclosedError
from undisclosed.guard.endpoints.local_mail import NoRecipients, made_whole
from undisclosed.guard.endpoints.sendmail import hand_on
from undisclosed.guard.exit_codes import DATA_ERROR, TRY_AGAIN, USAGE, exit_code_of
from undisclosed.guard.origin import Origin
from undisclosed.guard.relay import Hop, HopSettings
from undisclosed.store import master_key
from undisclosed.store import settings as settings_store
from undisclosed.store.settings import HostPort, Settings
from undisclosed.transport.smtp.client import ClientSettings
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.replies import Reply

# argparse would take -oi and -fann@a.example apart; no argument holds this character.
NO_PREFIX = "\0"

EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (what is replaced)
"""Where to find a guard that listens on every address of this machine."""


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the command line; it reads its options by itself."""
    parser = commands.add_parser(
        "sendmail",
        prefix_chars=NO_PREFIX,
        add_help=False,
        help="the pipe of scripts: a mail on standard input, as sendmail(8) has it",
        usage="undisclosed sendmail [--settings FILE] [OPTION …] [RECIPIENT …]",
        description="Takes one mail on standard input as sendmail(8) does. Options:"
        " -t (recipients from To, Cc and Bcc, too), -i and -oi (a lone dot is text),"
        " -f and -r ADDRESS (envelope sender), -F NAME (author's name), -N, -R and -V"
        " (delivery reports, RFC 3461), -B 8BITMIME, -v (say what became of it),"
        " --settings FILE. -A -C -D -G -I -L -O -U -X -bm -d -e -h -m -n -o -p are"
        " taken and without effect.",
        epilog="Exit codes: 0 relayed or held, 64 wrong usage, 65 unreadable mail or"
        " recipients, 67 unknown recipient, 69 refused for good, 70 the next hop does"
        " not understand us, 75 try again later, 77 refused by a verdict.",
    )
    parser.add_argument(
        "arguments",
        nargs=argparse.REMAINDER,
        metavar="OPTION or RECIPIENT",
        help="as in sendmail(8)",
    )
    parser.set_defaults(parser=parser)


def run(args: argparse.Namespace) -> int:
    """Take one mail from standard input; an exit code of sysexits.h."""
    # Cron mails whatever is said: only what went wrong is.
    logging.basicConfig(
        stream=sys.stderr, level=logging.ERROR, format="undisclosed: %(message)s"
    )
    try:
        options = read_options(args.arguments)
        if options.is_help:
            args.parser.print_help()
            return 0
        return _hand_in(options)
    except WrongOptions as error:
        return _say(error, USAGE)
    except NoRecipientList as error:
        return _say(error, DATA_ERROR)
    except UndisclosedError as error:
        # Settings that are wrong for a minute must not cost a mail.
        return _say(error, TRY_AGAIN)
    except (OSError, MemoryError) as error:
        return _say(f"{type(error).__name__}: nothing was sent.", TRY_AGAIN)


def _hand_in(options: Options) -> int:
    settings = settings_store.load(options.settings, os.environ)
    user, name = _user()
    domain = settings.sendmail.domain or settings.guard.hostname
    handing = options.handing(Address(user, domain), name)
    try:
        mail = made_whole(
            sys.stdin.buffer.read(settings.guard.limits.max_size + 1),
            handing,
            domain=domain,
            message_id=f"{secrets.token_hex(16)}@{settings.guard.hostname}",
            now=datetime.now(UTC),
        )
    except NoRecipients as error:
        return _say(error, DATA_ERROR if handing.is_read_from_header else USAGE)
    return _told(_reply(settings, mail, user), is_verbose=options.is_verbose)


def _reply(settings: Settings, mail: Mail, user: str) -> Reply:
    limits = Limits(
        max_size=settings.guard.limits.max_size,
        max_recipients=settings.guard.limits.max_recipients,
    )
    if not _may_open_store(settings):
        return hand_on(mail, lambda: _guard(settings), limits)
    store_way = importlib.import_module("undisclosed.cli.sendmail_store")
    origin = Origin("sendmail", login=user)
    reply: Reply = store_way.hand_in(settings, mail, origin, limits)
    return reply


def _may_open_store(settings: Settings) -> bool:
    """Whether this user judges the mail in this process (``sendmail.through``)."""
    if settings.sendmail.through != "auto":
        return settings.sendmail.through == "store"
    key = master_key.file_of(settings.store.data)
    return settings.master_key is not None or os.access(key, os.R_OK)


def _guard(settings: Settings) -> Hop:
    where: HostPort = settings.guard.listen
    client = ClientSettings(
        host=EVERYWHERE.get(where.host, where.host),
        port=where.port,
        hostname=socket.gethostname() or "localhost",
    )
    return Hop(HopSettings(client, max_connections=1))


def _user() -> tuple[str, str]:
    """The login name of who runs this, and the name beside it in passwd(5)."""
    try:
        found = pwd.getpwuid(os.getuid())
    except KeyError:  # a container's user, who has no name
        return f"uid{os.getuid()}", ""
    return found.pw_name, found.pw_gecos.partition(",")[0]


def _told(reply: Reply, *, is_verbose: bool) -> int:
    """Say on standard error what went wrong; the exit code.

    A next hop may name recipients in its reply. Standard error ends in logs, so of
    such a line only code and status are said.
    """
    if not reply.is_positive or is_verbose:
        for line in reply.lines:
            said = line if "@" not in line else line.partition(" ")[0]
            print(f"undisclosed: {reply.code} {said}", file=sys.stderr)
    return exit_code_of(reply)


def _say(sentence: UndisclosedError | str, code: int) -> int:
    print(f"undisclosed: {sentence}", file=sys.stderr)
    return code
