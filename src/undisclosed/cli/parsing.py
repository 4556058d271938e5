# SPDX-License-Identifier: Apache-2.0
"""What a wrong command line is answered with: what was meant, and where to begin."""

import argparse
import difflib
import re
from typing import Final, NoReturn

from undisclosed.cli.wording import printable

WRONG_USAGE: Final = 2

_BEGINNING: Final = """\
Where to begin:
  undisclosed run              everything on this machine; nothing leaves it
  undisclosed check MESSAGE    judge a message: who would be shown to whom?
  undisclosed scan PATH        look at what already happened in an archive
  undisclosed doctor           is this installation really guarded?
"""

_NO_CHOICE = re.compile(r"argument (?P<what>.+?): invalid choice: (?P<given>.+) \(cho")
_MISSING = re.compile(r"the following arguments are required: (?P<what>.+)")


class Parser(argparse.ArgumentParser):
    """A parser that offers the nearest choice; commands' own parsers are such, too."""

    def error(self, message: str) -> NoReturn:
        """Say in a line what is wrong, in another what to do; the exit code is 2."""
        choice, missing = _NO_CHOICE.match(message), _MISSING.match(message)
        if choice is not None:
            given = choice["given"].strip("'\"")
            message = f"there is no {choice['what']} “{printable(given)}”."
            if near := difflib.get_close_matches(given, self._choices(), n=1):
                message += f" Did you mean “{near[0]}”?"
        elif missing is not None:
            message = f"{missing['what']} is missing."
        self.exit(WRONG_USAGE, f"{self.prog}: {message}\n{self._way_on()}")

    def _choices(self) -> list[str]:
        """Every word that this parser knows a choice of."""
        return [
            str(word) for action in self._actions for word in (action.choices or ())
        ]

    def _way_on(self) -> str:
        """Where to begin, for the whole program; else how the command is called."""
        help_line = f"`{self.prog} --help` says more.\n"
        if " " in self.prog:
            return f"{self.format_usage()}{help_line}"
        return f"{_BEGINNING}`{self.prog} --help` lists every command.\n"
