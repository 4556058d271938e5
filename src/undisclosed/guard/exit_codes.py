# SPDX-License-Identifier: Apache-2.0
"""What a local program hears of its mail: exit codes of sysexits.h, from one table.

The sendmail pipe takes its words from the same replies as the SMTP endpoint does; a
program that only looks at the exit code learns what the reply's status says (RFC 3463).
"""

from collections.abc import Mapping
from types import MappingProxyType

from undisclosed.transport.smtp.replies import Reply

DONE = 0
USAGE = 64
"""EX_USAGE: options that there are not, or no recipient."""
DATA_ERROR = 65
"""EX_DATAERR: the mail itself, or its list of recipients, cannot be read or carried."""
NO_USER = 67
"""EX_NOUSER: a recipient is unknown to the next hop."""
UNAVAILABLE = 69
"""EX_UNAVAILABLE: refused for good, for any reason that is not listed here."""
SOFTWARE = 70
"""EX_SOFTWARE: guard and next hop do not understand each other."""
TRY_AGAIN = 75
"""EX_TEMPFAIL: nothing is known to have been sent; the mail is still the program's."""
REFUSED = 77
"""EX_NOPERM: the verdict, or the next hop's policy, refuses the mail."""

BY_STATUS: Mapping[str, int] = MappingProxyType(
    {  # the longest beginning of the status counts (RFC 3463 §3)
        "5.1.": NO_USER,
        "5.1.7": DATA_ERROR,  # the sender's address
        "5.1.8": DATA_ERROR,
        "5.5.": SOFTWARE,
        "5.6.": DATA_ERROR,
        "5.7.": REFUSED,
    }
)
"""The exit code of a refusal, by the beginning of its enhanced status code."""


def exit_code_of(reply: Reply) -> int:
    """The exit code that says the same as the reply; TRY_AGAIN on any doubt."""
    if reply.is_positive:
        return DONE
    if not 500 <= reply.code < 600:
        return TRY_AGAIN
    status = reply.with_status().lines[0].partition(" ")[0]
    fitting = [start for start in BY_STATUS if status.startswith(start)]
    return BY_STATUS[max(fitting, key=len)] if fitting else UNAVAILABLE
