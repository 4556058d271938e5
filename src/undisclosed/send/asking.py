# SPDX-License-Identifier: Apache-2.0
"""What approvers, and authors, are written: a sentence and a link.

These mails name neither the campaign nor anybody of its list; the page behind the
link says the rest to those who may see it. They leave with the transaction that made
them necessary.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from undisclosed.core.address import Address
from undisclosed.store import approvals, crypto, short_mail
from undisclosed.store.approvals import Approver
from undisclosed.store.campaigns import Campaign
from undisclosed.store.database import Connection
from undisclosed.store.short_mail import ShortMail

ROLES: Final = {
    "supervisor": "as a supervisor",
    "manager": "as a manager",
    "communications": "for its wording",
    "dpo": "as the data protection officer",
}
"""In what somebody is asked to approve."""

_LOGINS: Final = (
    "SELECT login_sealed FROM store_account WHERE id = ANY(%b::uuid[]) AND is_active"
)


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
        questions = [self._question(found, one) for one in chosen]
        short_mail.queue(connection, questions, now)
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
        """Tell whoever made it, and whoever submitted it, how it was decided."""
        rows = connection.all(_LOGINS, ([found.created_by, found.submitted_by],))
        if is_approved:
            said = "Your campaign is approved: it can be sent or scheduled."
        else:
            said = "Your campaign was not approved. The reason stands on its page."
        people = [crypto.open_address(bytes(row[0])) for row in rows]
        told = [self._mail(found, to, said, "Open it", "told") for to in people]
        short_mail.queue(connection, told, now)

    def _question(self, found: Campaign, one: Approver) -> ShortMail:
        people = "1 person" if found.recipients == 1 else f"{found.recipients:,} people"
        said = f"A campaign to {people} waits for your approval {_in(one.role)}."
        return self._mail(found, one.login, said, "Look at it and decide", one.role)

    def _mail(
        self, found: Campaign, to: Address, said: str, choice: str, about: str
    ) -> ShortMail:
        return ShortMail(
            author=self.author,
            author_name=self.author_name,
            to=to,
            subject=said.split(":", maxsplit=1)[0].rstrip("."),
            said=said,
            choice=choice,
            page=self.page.format(campaign_id=found.id),
            about=f"{found.id}/{about}",
            hostname=self.hostname,
        )


def _present(found: Iterable[Approver]) -> list[Approver]:
    """Those who are there; of a role that all of its people are away from, all."""
    everybody = list(found)
    served = {one.role for one in everybody if not one.is_away}
    return [one for one in everybody if not one.is_away or one.role not in served]


def _in(role: str) -> str:
    return ROLES.get(role, "")
