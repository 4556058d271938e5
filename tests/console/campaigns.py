# SPDX-License-Identifier: Apache-2.0
"""A team with its people, a list and a campaign, for tests of the pages."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.console.world import World, address, now
from undisclosed.console.campaigns import wiring
from undisclosed.core.address import Address
from undisclosed.core.campaign import CampaignState, Draft, MailKind, Row, Sensitivity
from undisclosed.send import approval
from undisclosed.send.draft import to_json
from undisclosed.store import campaigns, lists
from undisclosed.store.campaigns import Campaign
from undisclosed.store.lists import ListFacts
from undisclosed.store.models import Account, Membership, RecipientList, Team
from undisclosed.store.roles import Role

APPROVERS = {
    "mary": Role.SUPERVISOR,
    "max": Role.MANAGER,
    "cora": Role.COMMUNICATIONS,
}
TEXT = "Dear {{ name }},\n\nyour bin day is **Monday**.\n"


def draft(markdown: str = TEXT, kind: MailKind = MailKind.SERVICE) -> Draft:
    """What the council writes."""
    return Draft(
        subject="Your bin day, {{ name }}",
        markdown=markdown,
        author=Address("bins", "council.example"),
        author_name="Bins",
        kind=kind,
    )


@dataclass
class Office:
    """A team that sends: Sam writes; Mary, Max and Cora approve."""

    world: World
    is_trial: bool = False
    team: Team = field(init=False)
    people: dict[str, Account] = field(init=False)

    def __post_init__(self) -> None:
        self.team = Team.objects.create(
            name="Bins", is_trial=self.is_trial, created_at=now()
        )
        self.people = {"sam": self.member("sam", Role.SENDER)}
        for name, role in APPROVERS.items():
            self.people[name] = self.member(name, role)

    def member(self, name: str, *roles: Role, may_see_rows: bool = False) -> Account:
        """An account that is in the team with these roles, and has none of its own."""
        account = self.world.account(login=f"{name}@council.example", name=name.title())
        Membership.objects.create(
            team=self.team,
            account=account,
            roles=[role.value for role in roles],
            may_see_rows=may_see_rows,
        )
        return account

    def client(self, name: str) -> Client:
        """Where this person is logged in."""
        return self.world.client_of(self.people[name])

    def list_of(
        self,
        *people: tuple[str, str],
        sensitivity: Sensitivity = Sensitivity.ORDINARY,
        shared_domains: Iterable[str] = (),
    ) -> RecipientList:
        """A list of addresses and names."""
        facts = ListFacts("North", "Tells people of their bin days", sensitivity)
        sam = self.people["sam"]
        key = lists.create(facts, team=self.team.pk, owner=sam.pk, by="test", now=now())
        lists.import_rows(
            key,
            ("Email", "Name"),
            map(_row, enumerate(people, 1)),
            by="t",
            now=now(),
            shared_domains=frozenset(shared_domains),
        )
        return RecipientList.objects.get(pk=key)

    def drafted(self, chosen: RecipientList | None = None, text: str = TEXT) -> str:
        """A campaign with a text and a list of three people outside."""
        chosen = chosen or self.list_of(*THREE)
        sam = self.people["sam"].pk
        made = campaigns.create(
            "Bin days", team=self.team.pk, kind=MailKind.SERVICE, by=sam, now=now()
        )
        written = to_json(draft(text))
        campaigns.change(made, by=sam, now=now(), text=written, list_id=chosen.pk)
        return made

    def checked(self, chosen: RecipientList | None = None) -> str:
        """One that was checked, without anything found."""
        made = self.drafted(chosen)
        content = approval.content_of(campaigns.get(made))
        approval.record_checks(made, content, (), by=self.people["sam"].pk, now=now())
        return made

    def submitted(self, chosen: RecipientList | None = None) -> str:
        """One that waits for its approvers."""
        made = self.checked(chosen)
        approval.submit(
            made,
            wiring.approval_policy(),
            wiring.sides(),
            wiring.asking(),
            by=self.people["sam"].pk,
            now=now(),
        )
        return made

    def approve(self, made: str, *names: str) -> Campaign:
        """Let these people approve it; the campaign after that."""
        for name in names or tuple(APPROVERS):
            digest = campaigns.get(made).digest
            assert digest is not None
            campaigns.approve(
                made,
                digest,
                APPROVERS[name].value,
                by=self.people[name].pk,
                now=now(),
            )
        return campaigns.get(made)

    def sending(self, chosen: RecipientList | None = None) -> str:
        """One that is being sent."""
        made = self.submitted(chosen)
        self.approve(made)
        campaigns.start(made, by=self.people["sam"].pk, now=now())
        return made


THREE = (("ann@a.example", "Ann"), ("bob@b.example", "Bob"), ("eve@c.example", "Eve"))


def _row(one: tuple[int, tuple[str, str]]) -> Row:
    number, (text, name) = one
    return Row(number, address(text), {"Email": text, "Name": name})


def page(client: Client, made: str, part: str = "") -> str:
    """A page of the campaign as text."""
    return client.get(f"/campaigns/{made}/{part}").content.decode()


def act(client: Client, made: str, step: str, **form: object) -> Any:
    """Post a step; the answer."""
    return client.post(f"/campaigns/{made}/{step}/", form)


def state(made: str) -> CampaignState:
    """Where the campaign is."""
    return campaigns.get(made).state
