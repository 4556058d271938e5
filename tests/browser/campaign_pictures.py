# SPDX-License-Identifier: Apache-2.0
"""A council's campaigns for the pictures of the documentation, with invented people."""

from datetime import datetime, timedelta

from tests.console.campaigns import Office, draft
from tests.console.world import World, now
from undisclosed.core.campaign import CheckFinding, DeliveryState, MailKind, Weight
from undisclosed.send import approval
from undisclosed.send.draft import to_json
from undisclosed.store import campaigns, ledger
from undisclosed.store.ledger import Marked
from undisclosed.store.models import RecipientList

TEXT = (
    "Dear {{ name }},\n\n"
    "from **1 February** your refuse is collected on *Mondays*.\n\n"
    "- Put your bin out by 7 in the morning.\n"
    "- [Ask us](https://council.example/bins) if you need help.\n"
)
_NAMES = "Ann Bob Carol Dev Eve Femi Grace Hugh Isla Jack Kofi Lena Mo Nia".split()
_DOMAINS = ("post.example", "mail.example", "web.example", "letters.example")
_MINUTES = 24


class Pictures:
    """Three campaigns: being written, waiting for approval, being sent."""

    def __init__(self, world: World) -> None:
        self.office = Office(world)
        people = [
            (f"p{number}@{_DOMAINS[number % 7 % 4]}", _NAMES[number % len(_NAMES)])
            for number in range(1204)
        ]
        self._chosen = self.office.list_of(*people, shared_domains=_DOMAINS)
        self.written = self._campaign("Refuse: your new day, reminder")
        self.submitted = self._campaign("Refuse: your new day")
        self._submit(self.submitted)
        self.sent = self._campaign("Refuse: days over Christmas")
        self._submit(self.sent)
        self.office.approve(self.sent)
        self.office.approve(self.submitted, "mary")
        self._send(self.sent, now() - timedelta(minutes=_MINUTES))

    def cookie(self, name: str) -> str:
        """The session of this person."""
        return self.office.client(name).cookies["sessionid"].value

    def _campaign(self, name: str) -> str:
        chosen: RecipientList = self._chosen
        by = self.office.people["sam"].pk
        made = campaigns.create(
            name, team=self.office.team.pk, kind=MailKind.SERVICE, by=by, now=now()
        )
        text = to_json(draft(TEXT))
        campaigns.change(made, by=by, now=now(), text=text, list_id=chosen.pk)
        return made

    def _submit(self, made: str) -> None:
        by = self.office.people["sam"].pk
        content = approval.content_of(campaigns.get(made))
        found = CheckFinding(
            "mass-mail",
            Weight.NOTE,
            "1,204 people get it; nobody on the list is to be phoned or written to.",
        )
        approval.record_checks(made, content, (found,), by=by, now=now())
        from undisclosed.console.campaigns import wiring

        approval.submit(
            made,
            wiring.approval_policy(),
            wiring.sides(),
            wiring.asking(),
            by=by,
            now=now(),
        )

    def _send(self, made: str, begin: datetime) -> None:
        """As far as two thirds, over some minutes, some of it refused."""
        campaigns.start(made, by=self.office.people["sam"].pk, now=begin)
        campaigns.next_step(made, 1, 0, now=begin)
        for minute in range(_MINUTES):
            at = begin + timedelta(minutes=minute)
            lease = timedelta(seconds=30)
            many = 20 + 24 * (minute % 5 != 2) + minute // 3
            claimed = ledger.claim(made, by="w", limit=many, lease=lease, now=at)
            numbers = [one.number for one in claimed]
            ledger.begin(made, numbers, by="w", now=at)
            ledger.mark(made, [_outcome(number) for number in numbers], at)


def _outcome(number: int) -> Marked:
    if number % 61 == 0:
        return Marked(number, DeliveryState.FAILED, 550, "5.1.1")
    return Marked(number, DeliveryState.SENT, 250, "2.0.0")
