# SPDX-License-Identifier: Apache-2.0
"""The command line: one file per noun, one table of commands.

Exit codes: 0 nothing found, 3 something found, 2 wrong usage, 65 unreadable
input, 75 something is away for now, 78 wrong configuration (sysexits.h), 130
ended by Ctrl-C. Bad input never ends in a traceback.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from types import ModuleType

from undisclosed.cli.parsing import Parser
from undisclosed.cli.wording import what_to_do
from undisclosed.errors import TransientError, UndisclosedError

COMMANDS = {
    "run": "everything on this machine: database, guard, worker, console",
    "check": "judge messages: who would be shown to whom?",
    "scan": "look at what already happened in mailboxes and archives",
    "guard": "the guard's SMTP endpoint alone",
    "sendmail": "the pipe of scripts: a mail on standard input, as sendmail(8) has it",
    "worker": "a worker: delivers, escalates, returns",
    "console": "the pages alone",
    "postoffice": "the catching mailbox of a machine without a next hop",
    "held": "held mail: list, show, decide",
    "list": "lists of recipients: check, import, show, destroy",
    "suppressions": "who is not mailed: list, add, remove, import, export",
    "campaign": "campaigns: write, approve, send",
    "seeds": "send a campaign's first messages to seed boxes, and compare them",
    "trace": "where is A's mail to B?",
    "bypass": "let mail go around the guard for a time, journalled",
    "policy": "check a policy file",
    "account": "make a log-in link for an account",
    "token": "access tokens for programs: made, listed, revoked",
    "keys": "exchange the master key",
    "journal": "verify or export the journal",
    "memory": "remember archives, exchange the key of Memory",
    "migrate": "make or change the tables, before parts are started apart",
    "doctor": "is this installation really guarded?",
}
"""Every command, in the order of the help; each is a module of this package."""

TEMPORARY_FAILURE, WRONG_CONFIGURATION, INTERRUPTED = 75, 78, 130


def build_parser() -> argparse.ArgumentParser:
    """The whole command line, every command with its own parser."""
    parser = Parser(
        prog="undisclosed",
        description="Keeps the recipients of a mailing from seeing each other.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in COMMANDS:
        _module(name).add_parser(commands)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. The message of an error goes to stderr."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = _parser_for(given)
    args = parser.parse_args(given)
    try:
        return int(_module(args.command).run(args))
    except TransientError as error:
        return _say(f"{error} {what_to_do(error)}".strip(), TEMPORARY_FAILURE)
    except UndisclosedError as error:
        return _say(error, WRONG_CONFIGURATION)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        # A full disk, a folder that is not ours: the machine's own words say it.
        where = f": {error.filename}" if error.filename else ""
        return _say(
            f"{error.strerror or 'The system failed'}{where}", TEMPORARY_FAILURE
        )


def _parser_for(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the named command alone: no other command is imported."""
    if not given or given[0] not in COMMANDS:
        return build_parser()
    parser = Parser(prog="undisclosed")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _module(given[0]).add_parser(commands)
    return parser


def _module(name: str) -> ModuleType:
    # A module called "list" would hide the built-in function of this package.
    file = "lists" if name == "list" else name
    return importlib.import_module(f"undisclosed.cli.{file}")


def _say(sentence: UndisclosedError | str, code: int) -> int:
    print(f"undisclosed: {sentence}", file=sys.stderr)
    return code
