# SPDX-License-Identifier: Apache-2.0
"""One mail while an MTA tells it piece by piece, within its limits."""

from undisclosed.core.address import Address
from undisclosed.core.mail import Envelope, Mail, Recipient
from undisclosed.transport.smtp import replies
from undisclosed.transport.smtp.content import why_refused
from undisclosed.transport.smtp.limits import Limits
from undisclosed.transport.smtp.replies import Reply, reply

TOO_MANY_RECIPIENTS = reply(554, "5.5.3 Too many recipients in one mail")
"""For good: unlike an SMTP client the MTA cannot hand in the rest later."""


class Gathering:
    """What was told so far. What is kept of it counts as in flight.

    ``refusal`` says why the mail cannot be judged; the first reason counts, and from
    then on nothing more is kept.
    """

    __slots__ = (
        *("_limits", "_pieces", "_taken", "fields", "refusal"),
        *("mail_from", "parameters", "recipients"),
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._taken = 0
        self._pieces: list[bytes] = []
        self.mail_from: Address | None = None
        self.parameters: tuple[str, ...] = ()
        self.recipients: list[Recipient] = []
        self.fields: list[bytes] = []
        self.refusal: Reply | None = None

    def add_recipient(self, recipient: Recipient) -> None:
        """One more recipient."""
        if len(self.recipients) < self._limits.max_recipients:
            self.recipients.append(recipient)
        else:
            self.refuse(TOO_MANY_RECIPIENTS)

    def add_field(self, field: bytes) -> None:
        """One more header field, its line ends included."""
        if self._is_taken(len(field)):
            self.fields.append(field)

    def add_body(self, piece: bytes) -> None:
        """One more piece of the body."""
        if piece and self._is_taken(len(piece)):
            self._pieces.append(piece)

    def refuse(self, why: Reply) -> None:
        """Keep nothing more."""
        if self.refusal is None:
            self.refusal = why
            self.forget()

    def forget(self) -> None:
        """Nothing of it is in flight any more."""
        self._limits.budget.give_back(self._taken)
        self._taken = 0
        self.fields, self._pieces = [], []

    def mail(self) -> Mail | None:
        """The mail whole; None, and ``refusal`` is set, where it cannot be judged."""
        if not self.recipients:
            self.refuse(replies.NO_RECIPIENTS)
        if self.refusal is not None:
            return None
        content = b"".join([*self.fields, b"\r\n", *self._pieces])
        self._pieces = []
        why = why_refused(content, self._limits.max_text_line)
        if why is not None:
            self.refuse(why)
            return None
        envelope = Envelope(self.mail_from, tuple(self.recipients), self.parameters)
        return Mail(envelope, content)

    def _is_taken(self, size: int) -> bool:
        """Set this many bytes aside; False where the mail is refused anyway."""
        if self.refusal is not None:
            return False
        if self._taken + size > self._limits.max_size:
            self.refuse(replies.TOO_BIG)
        elif not self._limits.budget.take(size):
            self.refuse(replies.NO_ROOM)
        else:
            self._taken += size
        return self.refusal is None
