# SPDX-License-Identifier: Apache-2.0
"""What approvers, and whoever submitted, are written: a sentence and a link.

These mails name neither the campaign nor anybody of its list; the page behind the
link says the rest to those who may see it. They leave with the transaction that made
them necessary.
"""

import html
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from undisclosed.core.address import Address
from undisclosed.core.held import Outgoing, OutgoingKind
from undisclosed.core.mail import Envelope, Recipient
from undisclosed.formats.letter import Letter, write_letter
from undisclosed.store import approvals, copies, crypto
from undisclosed.store.approvals import Approver
from undisclosed.store.campaigns import Campaign
from undisclosed.store.database import Connection

KEEP_TRYING: Final = timedelta(days=5)
"""For how long such a mail is tried."""

ROLES: Final = {
    "supervisor": "as a supervisor",
    "manager": "as a manager",
    "communications": "for its wording",
    "dpo": "as the data protection officer",
}
"""In what somebody is asked to approve."""

_LOGIN: Final = "SELECT login_sealed FROM store_account WHERE id = %s AND is_active"


@dataclass(frozen=True, slots=True)
class Asking:
    """Writes to approvers. ``page`` has ``{campaign_id}`` in it."""

    author: Address
    hostname: str
    page: str
    author_name: str = "Undisclosed"

    def ask(
        self,
        connection: Connection,
        found: Campaign,
        now: datetime,
        *,
        again: bool = False,
        only: object = None,
    ) -> int:
        """Ask everybody who may decide, or ``only`` one account; how many.

        Whoever is away is asked only where nobody else could be.
        """
        chosen = _present(
            one
            for one in approvals.approvers(found, now)
            if only is None or one.account == only
        )
        self._queue(
            connection, now, [self._question(found, one, now) for one in chosen]
        )
        if only is None:
            approvals.asked(connection, found.id, now, again=again)
        return len(chosen)

    def tell(
        self,
        connection: Connection,
        found: Campaign,
        now: datetime,
        *,
        is_approved: bool,
    ) -> None:
        """Tell whoever submitted it how it was decided."""
        row = connection.one(_LOGIN, (found.submitted_by,))
        if row is None:
            return
        if is_approved:
            said = "Your campaign is approved: it can be sent or scheduled."
        else:
            said = "Your campaign was not approved. The reason stands on its page."
        to = crypto.open_address(bytes(row[0]))
        letter = self._letter(found, to, said, "Open it", "told", now)
        self._queue(connection, now, [letter])

    def _question(self, found: Campaign, one: Approver, now: datetime) -> Outgoing:
        people = "1 person" if found.recipients == 1 else f"{found.recipients:,} people"
        said = f"A campaign to {people} waits for your approval {_in(one.role)}."
        return self._letter(
            found, one.login, said, "Look at it and decide", one.role, now
        )

    def _letter(
        self,
        found: Campaign,
        to: Address,
        said: str,
        choice: str,
        about: str,
        now: datetime,
    ) -> Outgoing:
        page = self.page.format(campaign_id=found.id)
        named = f"{found.id}/{about}/{to.person}/{now.isoformat()}"
        identifier = crypto.keys().hash("asking", named.encode()).hex()[:32]
        letter = Letter(
            author_name=self.author_name,
            author=self.author.spelled_out(),
            to=to.spelled_out(),
            subject=said.split(":", maxsplit=1)[0].rstrip("."),
            written_at=now,
            message_id=f"{identifier}@{self.hostname}",
            plain=f"{said}\n\n{choice}:\n{page}\n",
            html=_html(said, choice, page),
        )
        # From the null sender (RFC 5321 §4.5.5): nothing may answer our own mail.
        more = ("BODY=8BITMIME", "SMTPUTF8") if letter.is_international else ()
        return Outgoing(
            identifier,
            None,
            OutgoingKind.NOTICE,
            Envelope(None, (Recipient(to),), more),
            content=write_letter(letter, f"=_{identifier}"),
            expires_at=now + KEEP_TRYING,
        )

    @staticmethod
    def _queue(connection: Connection, now: datetime, mails: list[Outgoing]) -> None:
        copies.insert(connection, crypto.keys(), mails, now)


def _present(found: Iterable[Approver]) -> list[Approver]:
    """Those who are there; of a role that all of its people are away from, all."""
    everybody = list(found)
    served = {one.role for one in everybody if not one.is_away}
    return [one for one in everybody if not one.is_away or one.role not in served]


def _in(role: str) -> str:
    return ROLES.get(role, "")


def _html(said: str, choice: str, page: str) -> str:
    return (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        "<title>Approval</title></head>\n<body style='font:1.1em/1.5 sans-serif'>\n"
        f"<p><strong>{html.escape(said)}</strong></p>\n"
        f"<p><a href='{html.escape(page)}'>{html.escape(choice)}</a></p>\n"
        "</body></html>\n"
    )
