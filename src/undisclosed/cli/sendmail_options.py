# SPDX-License-Identifier: Apache-2.0
"""The options of sendmail(8), as scripts, cron and mail programs give them.

They are of another grammar than those of the other commands: one dash, values that
stand beside their letter (``-oi``, ``-fann@a.example``), recipients anywhere between.
"""

import getopt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from undisclosed.core.address import Address
from undisclosed.core.recipient_list import recipient_list
from undisclosed.errors import UndisclosedError
from undisclosed.guard.endpoints.local_mail import Handing

LETTERS = "A:B:C:D:GIL:N:O:R:UV:X:b:d:e:F:f:h:imno:p:r:tv"
LONG = ("settings=", "help")

_NOTIFY = re.compile(r"NEVER|(?:SUCCESS|FAILURE|DELAY)(?:,(?:SUCCESS|FAILURE|DELAY))*")
_RET = re.compile(r"FULL|HDRS")
_BODY = re.compile(r"7BIT|8BITMIME")
_LONGEST_ENVID = 100  # characters (RFC 3461 §4.4)


class WrongOptions(UndisclosedError):
    """These options of sendmail are not offered here."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says. Parameters are those of MAIL and RCPT (RFC 3461).

    ``sender`` is None where ``-f`` was not given, and empty for the null sender.
    """

    recipients: tuple[str, ...] = ()
    sender: str | None = None
    author_name: str | None = None
    is_read_from_header: bool = False
    has_plain_dots: bool = False
    is_verbose: bool = False
    is_help: bool = False
    settings: Path | None = None
    parameters: tuple[str, ...] = ()
    recipient_parameters: tuple[str, ...] = ()

    def handing(self, user: Address, name: str) -> Handing:
        """How this mail is handed in by a user of this address and name.

        Raises NoRecipientList where a recipient or the sender cannot be read.
        """
        people = [
            one for text in self.recipients for one in recipient_list(text, user.domain)
        ]
        return Handing(
            author=user,
            sender=user if self.sender is None else _sender(self.sender, user.domain),
            recipients=tuple(people),
            author_name=name if self.author_name is None else self.author_name,
            is_read_from_header=self.is_read_from_header,
            has_plain_dots=self.has_plain_dots,
            parameters=self.parameters,
            recipient_parameters=self.recipient_parameters,
        )


def read_options(arguments: Sequence[str]) -> Options:
    """The options of a command line. Raises WrongOptions.

    Letters without a meaning for a single mail (``-m``, ``-oem``, ``-U``, …) are
    taken and left out, as every sendmail since the first has done.
    """
    try:
        pairs, recipients = getopt.gnu_getopt(list(arguments), LETTERS, list(LONG))
    except getopt.GetoptError as error:
        raise WrongOptions(option=f"-{error.opt}") from None
    if any(letter == "-b" and value != "m" for letter, value in pairs):
        # A queue, a daemon, aliases: none of that is behind this pipe.
        raise WrongOptions(option="-b")
    said = dict(pairs)
    flags = said.keys()
    return Options(
        recipients=tuple(recipients),
        sender=said.get("-f", said.get("-r")),
        author_name=said.get("-F"),
        is_read_from_header="-t" in flags,
        has_plain_dots="-i" in flags or ("-o", "i") in pairs,
        is_verbose="-v" in flags,
        is_help="--help" in flags,
        settings=Path(said["--settings"]) if "--settings" in flags else None,
        parameters=(
            *_parameter("BODY", said.get("-B"), _BODY),
            *_parameter("RET", said.get("-R"), _RET),
            *_envelope_id(said.get("-V")),
        ),
        recipient_parameters=_parameter("NOTIFY", said.get("-N"), _NOTIFY),
    )


def _sender(text: str, domain: str) -> Address | None:
    if text.strip() in ("", "<>"):
        return None
    found = recipient_list(text, domain)
    if len(found) != 1:
        raise WrongOptions(option="-f")
    return found[0]


def _parameter(
    keyword: str, value: str | None, allowed: re.Pattern[str]
) -> tuple[str, ...]:
    if value is None:
        return ()
    if not allowed.fullmatch(value.upper()):
        raise WrongOptions(option=keyword)
    return (f"{keyword}={value.upper()}",)


def _envelope_id(value: str | None) -> tuple[str, ...]:
    """ENVID in xtext (RFC 3461 §4): a plus sign, an equals sign and a space escaped."""
    if not value:
        return ()
    if len(value) > _LONGEST_ENVID or not value.isascii() or not value.isprintable():
        raise WrongOptions(option="-V")
    return ("ENVID=" + re.sub(r"[+= ]", lambda one: f"+{ord(one[0]):02X}", value),)
