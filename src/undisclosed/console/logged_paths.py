# SPDX-License-Identifier: Apache-2.0
"""Log lines without the tokens of links.

Whoever reads a link's token can decide a mail, log in, or unsubscribe somebody. Django
writes the path of a page that it refuses into the log, and a log is read by more
people than that.
"""

import logging
import re
from typing import Final

_TOKEN_PATH: Final = re.compile(
    r"(?<=/links/)[^\n]+|(?<=/log-in/)[^\n]+|(?<=/unsubscribe/)[^\n]+"
    r"|(?<=/login/callback/)[^\n]+"
)
"""To the end of the line: a token that was pasted with a space or a slash in it is
followed by its other half."""

_LOGGERS: Final = ("django.request", "django.security.csrf", "django.server")
"""Those which write paths."""


def shortened(text: str) -> str:
    """The text with everything after the page of a token cut off."""
    return _TOKEN_PATH.sub("…", text)


class WithoutTokens(logging.Filter):
    """Lets every record pass, the tokens of links cut out of its message and trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten what is to be written; always True."""
        said = record.getMessage()
        if (short := shortened(said)) != said:
            record.msg, record.args = short, ()
        if record.exc_info and not record.exc_text:
            # A formatter writes this text instead of the exception itself.
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        if record.exc_text:
            record.exc_text = shortened(record.exc_text)
        return True


_WITHOUT_TOKENS: Final = WithoutTokens()


def shorten() -> None:
    """Shorten what Django logs, and what any part logs by way of the root's handlers.

    Doing so twice is doing so once.
    """
    named = [logging.getLogger(name) for name in _LOGGERS]
    for place in (*named, *logging.getLogger().handlers):
        place.addFilter(_WITHOUT_TOKENS)
