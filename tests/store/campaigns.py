# SPDX-License-Identifier: Apache-2.0
"""A team, a list and a campaign in the tables, for tests of what sends it."""

from collections.abc import Iterable
from datetime import UTC, datetime

from undisclosed.core.address import Address
from undisclosed.core.campaign import CampaignState, MailKind, Row, Sensitivity
from undisclosed.send.draft import digest_of, from_json
from undisclosed.store import campaigns, ledger, lists
from undisclosed.store.database import database, transaction
from undisclosed.store.lists import ListFacts
from undisclosed.store.models import Account, RecipientList, Team
from undisclosed.store.roles import Role

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
COLUMNS = ("Email", "Name")


def account(name: str = "sam") -> Account:
    """An account with the sender's role."""
    login = Address(name, "council.example")
    return Account.objects.create_account(login, name=name, roles=(Role.SENDER,))


def recipient_list(people: int) -> RecipientList:
    """A list of so many people, who have numbers for names."""
    owner = account()
    team = Team.objects.create(name="Bins", is_trial=False, created_at=NOW)
    facts = ListFacts("North", "bin days", Sensitivity.ORDINARY)
    key = lists.create(facts, team=team.pk, owner=owner.pk, by="test", now=NOW)
    shared = frozenset(("a.example",))
    rows = map(row, range(1, people + 1))
    lists.import_rows(key, COLUMNS, rows, by="test", now=NOW, shared_domains=shared)
    return RecipientList.objects.get(pk=key)


def row(number: int) -> Row:
    """One person of the list."""
    address = address_of(number)
    values = {"Email": address.spelled_out(), "Name": f"P{number}"}
    return Row(number, address, values)


def address_of(number: int) -> Address:
    """The address of one person of the list."""
    return Address(f"p{number}", "a.example")


def drafted(people: int, text: bytes | None = None) -> str:
    """A draft for so many people, with a text where one is given."""
    made = recipient_list(people)
    by = made.owner.pk
    campaign = campaigns.create(
        "Bin days", team=made.team.pk, kind=MailKind.SERVICE, by=by, now=NOW
    )
    campaigns.change(campaign, by=by, now=NOW, text=text, list_id=made.pk)
    return campaign


def sending(people: int, text: bytes | None = None, *, step: int = 0) -> str:
    """A campaign that is being sent to so many people, its ledger written."""
    campaign = drafted(people, text)
    if text is not None:
        approve_as_it_is(campaign)
    set_state(campaign, CampaignState.SENDING)
    with transaction() as connection:
        ledger.expand(connection, campaign, NOW)
        connection.run(
            "UPDATE store_campaign SET step = %s, started_at = %s", (step, NOW)
        )
    return campaign


def approve_as_it_is(campaign_id: str) -> None:
    """Give a campaign the digest of what it is, as if all had approved."""
    found, text = campaigns.get(campaign_id), campaigns.text_of(campaign_id)
    digest = digest_of(
        from_json(text or b"", campaigns.files_of(campaign_id)),
        list_id=found.list_id or "",
        list_version=found.list_version,
        recipients=found.recipients,
    )
    with database() as connection:
        connection.run(
            "UPDATE store_campaign SET digest = %b WHERE id = %s",
            (digest, campaign_id),
        )


def set_state(campaign_id: str, state: CampaignState) -> None:
    """Put a campaign into a state, whatever its life cycle says."""
    with database() as connection:
        connection.run(
            "UPDATE store_campaign SET state = %s WHERE id = %s",
            (state.value, campaign_id),
        )


def numbers(claimed: Iterable[ledger.Claimed]) -> list[int]:
    """The numbers of claimed rows."""
    return [one.number for one in claimed]
