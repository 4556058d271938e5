# SPDX-License-Identifier: Apache-2.0
"""Takes what comes back by SMTP: an MTA hands in the mail of our return domain.

Only return paths that we made and the addresses for complaints are there; so it is
no open mailbox and nobody can look for people in it. Reports are taken after their
commit. A person's letter is refused with a sentence that says where to write: nobody
would read it here.
"""

import asyncio
import logging
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.mail import Mail
from undisclosed.core.returns import ReturnKind
from undisclosed.errors import TransientError
from undisclosed.send.returns import Returns, Taken
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.handler import Answer, Session
from undisclosed.transport.smtp.replies import Reply, reply
from undisclosed.transport.smtp.settings import ServerSettings
from undisclosed.transport.smtp.taking import TakingServer

log = logging.getLogger(__name__)

TAKEN: Final = reply(250, "2.0.0 Taken")
NOBODY: Final = reply(550, "5.1.1 No such return path here")
NO_REPORT: Final = reply(
    550, "5.7.1 This address takes reports only: please answer to the author"
)


class ReturnListener(TakingServer):
    """Takes returned mail on one port, for one process and event loop.

    From any sender: reports come from nobody, complaints and auto-replies do not.
    """

    def __init__(self, takes: Returns, settings: ServerSettings) -> None:
        super().__init__(settings, name="returns")
        self._takes = takes

    def refusal(self, recipient: Address) -> Reply | None:
        """Only a return path of ours, or an address for complaints."""
        return None if self._takes.is_for_us(recipient) else NOBODY

    def take(self, mail: Mail, session: Session, answer: Answer) -> None:
        """Take a report in a thread; the answer follows its commit."""
        is_from_nobody = mail.envelope.mail_from is None

        def ended(future: "asyncio.Future[Taken]") -> None:
            answer(_reply_of(future, is_from_nobody=is_from_nobody))

        taking = self.hand_on(self._takes.take, mail.content, mail.envelope.rcpt_tos)
        taking.add_done_callback(ended)


def _reply_of(future: "asyncio.Future[Taken]", *, is_from_nobody: bool) -> Reply:
    error = None if future.cancelled() else future.exception()
    if future.cancelled() or error is not None:
        if error is not None and not isinstance(error, TransientError):
            # Its own text may quote the mail: its kind is all that is told.
            log.error("Returned mail was not taken: %s", type(error).__name__)
        return replies.OUR_FAULT
    if future.result().kind is not ReturnKind.UNKNOWN:
        return TAKEN
    if is_from_nobody:
        # To refuse it would tell nobody (RFC 5321 §4.5.5).
        log.warning("Returned mail from nobody says nothing that can be read.")
        return TAKEN
    return NO_REPORT
