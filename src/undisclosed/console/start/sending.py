# SPDX-License-Identifier: Apache-2.0
"""Handing the replay's messages to the guard, as any mail program would."""

import smtplib
from collections.abc import Iterable

from undisclosed.console.start.replay import Batch
from undisclosed.errors import TransientError, UndisclosedError

_SECONDS = 60


class ReplayRefused(UndisclosedError):
    """The guard refused a mail of the replay."""


def send(batches: Iterable[Batch], *, host: str, port: int) -> int:
    """Send every batch over one connection (RFC 5321); how many were taken.

    Raises TransientError where the guard is not there or answers 4xx, and
    ReplayRefused where it answers 5xx.
    """
    sent = 0
    try:
        with smtplib.SMTP(host, port, timeout=_SECONDS) as client:
            for batch in batches:
                client.sendmail(batch.mail_from, list(batch.rcpt_tos), batch.content)
                sent += 1
    except smtplib.SMTPResponseException as error:
        raise _failure(error.smtp_code, sent) from None
    except (OSError, smtplib.SMTPException):
        raise TransientError("The guard cannot be reached.", sent=sent) from None
    return sent


def _failure(code: int, sent: int) -> UndisclosedError:
    """4xx may be tried again (RFC 5321 §4.2.1); the reply's text is not repeated."""
    if 400 <= code < 500:
        return TransientError("The guard asks to try again later.", sent=sent)
    return ReplayRefused(code=code, sent=sent)
