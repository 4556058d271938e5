# SPDX-License-Identifier: Apache-2.0
"""A council's campaigns for the pictures of the documentation, with invented people."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from django.test import override_settings

from tests.console.campaigns import Office, draft
from tests.console.world import World, now
from undisclosed.console import wiring
from undisclosed.core.campaign import CheckFinding, DeliveryState, MailKind, Weight
from undisclosed.send import approval
from undisclosed.send.draft import to_json
from undisclosed.send.tokens import Purpose
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
_PASTED = (
    "ann@post.example\tAnn\tNorth",
    "bob@mail.example, eve@mail.example\tBob\tNorth",
    "ANN@post.example\tAnn\tSouth",
    "info@web.example\tWeb\tSouth",
    "carol at post.example\tCarol\tSouth",
)


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

    def unsubscribe_path(self) -> str:
        """Where the first person's message leads to."""
        serial = campaigns.get(self.sent).serial
        token = wiring.send_tokens().make(Purpose.UNSUBSCRIBE, serial, 1)
        return f"/unsubscribe/{token}/"

    @contextmanager
    def organisation(self) -> Iterator[None]:
        """The page to unsubscribe speaks for a council."""
        given = wiring.settings()
        words = replace(given.send.unsubscribe, organisation="Nordby Council")
        send = replace(given.send, unsubscribe=words)
        with override_settings(UNDISCLOSED=replace(given, send=send)):
            yield

    @property
    def list_id(self) -> str:
        """The list that all of them write to."""
        return str(self._chosen.pk)

    def uploaded(self) -> str:
        """Paste rows with something wrong in them; where what was found is shown."""
        rows = "Email\tName\tWard\n" + "\n".join(_PASTED)
        path = f"/lists/{self.list_id}/upload/"
        answer = self.office.client("sam").post(path, {"pasted": rows})
        return str(answer["Location"])

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
        from undisclosed.console.campaigns import wiring as pages

        approval.submit(
            made,
            pages.approval_policy(),
            pages.sides(),
            pages.asking(),
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
