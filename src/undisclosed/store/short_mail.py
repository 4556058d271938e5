# SPDX-License-Identifier: Apache-2.0
"""Mail of our own that says one sentence and leads to one page.

It is queued beside the copies of held mail, so that it leaves with the transaction
that made it necessary, and is tried again while the next hop is away.
"""

import html
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.held import Outgoing, OutgoingKind
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.formats.letter import Letter, write_letter
from undisclosed.store import copies, crypto
from undisclosed.store.database import Connection

KEEP_TRYING: Final = timedelta(days=5)
"""For how long such a mail is tried."""


@dataclass(frozen=True, slots=True)
class ShortMail:
    """One sentence, and what the link to ``page`` is called.

    ``about`` names what was said to whom in words of the caller: the same mail made
    twice at one and the same ``now`` has one identifier, and is queued once; made at
    another, it is another mail. ``hostname`` stands in Message-ID.
    """

    author: Address
    to: Address
    subject: str
    said: str
    choice: str
    page: str
    about: str = field(repr=False)
    hostname: str
    author_name: str = "Undisclosed"

    def outgoing(self, now: datetime) -> Outgoing:
        """The mail as it is queued."""
        keyed = f"{self.about}/{self.to.person}/{now.isoformat()}"
        identifier = crypto.keys().hash("short mail", keyed.encode()).hex()[:32]
        letter = Letter(
            author_name=self.author_name,
            author=self.author.spelled_out(),
            to=self.to.spelled_out(),
            subject=self.subject,
            written_at=now,
            message_id=f"{identifier}@{self.hostname}",
            plain=f"{self.said}\n\n{self.choice}:\n{self.page}\n",
            html=self._html(),
        )
        more = ("BODY=8BITMIME", "SMTPUTF8") if letter.is_international else ()
        return Outgoing(
            identifier,
            None,
            OutgoingKind.NOTICE,
            # From the null sender (RFC 5321 §4.5.5): nothing may answer our own mail.
            Envelope(None, (Recipient(self.to),), more),
            content=write_letter(letter, f"=_{identifier}"),
            expires_at=now + KEEP_TRYING,
        )

    def _html(self) -> str:
        subject, said, choice, page = map(
            html.escape, (self.subject, self.said, self.choice, self.page)
        )
        return (
            "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
            f"<title>{subject}</title></head>\n"
            "<body style='font:1.1em/1.5 sans-serif'>\n"
            f"<p><strong>{said}</strong></p>\n<p><a href='{page}'>{choice}</a></p>\n"
            "</body></html>\n"
        )


def queue(connection: Connection, mails: Iterable[ShortMail], now: datetime) -> None:
    """Queue them in this transaction."""
    outgoing = [one.outgoing(now) for one in mails]
    copies.insert(connection, crypto.keys(), outgoing, now)
