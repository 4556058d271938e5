# SPDX-License-Identifier: Apache-2.0
"""Rights by role in each team, teams, and that nobody approves their own."""

import psycopg
import pytest

from tests.postgres import TestDatabase
from tests.store.campaigns import NOW, account, drafted, recipient_list
from undisclosed.console.teams.forms import ROLES_IN_A_TEAM
from undisclosed.core.address import Address
from undisclosed.core.campaign import MailKind
from undisclosed.store import campaigns, rights, teams
from undisclosed.store.database import database as stored
from undisclosed.store.models import Account, JournalEntry, Team
from undisclosed.store.rights import RIGHTS, TEAM_RIGHTS, Right, may
from undisclosed.store.roles import Role

APPROVES = {Role.SUPERVISOR, Role.MANAGER, Role.COMMUNICATIONS, Role.DPO}
READS_LISTS = set(Role) - {Role.COMMUNICATIONS, Role.ADMINISTRATOR}
HOLDERS = {
    Right.SEE_LISTS: READS_LISTS,
    Right.CHANGE_LISTS: {Role.SENDER},
    Right.SEE_ROWS: set[Role](),
    Right.DESTROY_LISTS: {Role.SUPERVISOR, Role.MANAGER, Role.DPO},
    Right.SEE_CAMPAIGNS: set(Role) - {Role.ADMINISTRATOR},
    Right.WRITE_CAMPAIGNS: {Role.SENDER},
    Right.APPROVE_CAMPAIGNS: APPROVES,
    Right.STEER_CAMPAIGNS: {Role.SENDER, Role.SUPERVISOR, Role.MANAGER},
}


def person(name: str, *roles: Role) -> Account:
    """An account with roles of its own."""
    login = Address(name, "council.example")
    return Account.objects.create_account(login, name=name, roles=roles)


def team(name: str = "Bins") -> Team:
    """A team without anybody in it."""
    return Team.objects.create(name=name, is_trial=False, created_at=NOW)


def join(team: Team, who: Account, *roles: Role, rows: bool = False) -> None:
    """Bring somebody in, by an administrator."""
    by = Account.objects.filter(name="ada").first() or person("ada", Role.ADMINISTRATOR)
    teams.put(team, who, roles, may_see_rows=rows, by=by)


def test_every_role_has_its_rights() -> None:
    assert set(RIGHTS) == set(TEAM_RIGHTS) == set(Role)


def test_every_right_is_held_by_somebody() -> None:
    held = frozenset().union(*RIGHTS.values(), *TEAM_RIGHTS.values())

    assert set(Right) - held == {Right.SEE_ROWS}


@pytest.mark.parametrize("role", ROLES_IN_A_TEAM, ids=str)
def test_a_role_counts_in_its_team_only(database: TestDatabase, role: Role) -> None:
    here, elsewhere, who = team("Here"), team("Elsewhere"), person("sam")

    join(here, who, role)

    for right, holders in HOLDERS.items():
        assert may(who, right, here) is (role in holders), right
        assert not may(who, right, elsewhere), right
        assert not may(who, right), right


@pytest.mark.parametrize("role", [Role.DPO, Role.AUDITOR], ids=str)
def test_a_reader_of_everything_reads_in_every_team(
    database: TestDatabase, role: Role
) -> None:
    here, who = team(), person("dora", role)

    assert may(who, Right.SEE_LISTS, here)
    assert may(who, Right.APPROVE_CAMPAIGNS, here) is (role is Role.DPO)
    assert not may(who, Right.SEE_ROWS, here)
    assert rights.teams_with(who, Right.SEE_CAMPAIGNS) == [here]


@pytest.mark.parametrize("role", [Role.SENDER, Role.SUPERVISOR, Role.ADMINISTRATOR])
def test_another_role_of_the_account_gives_nothing_in_a_team(
    database: TestDatabase, role: Role
) -> None:
    here, who = team(), person("sam", role)

    assert not any(may(who, right, here) for right in HOLDERS)
    assert rights.teams_with(who, Right.SEE_LISTS) == []


def test_rows_are_seen_by_a_right_of_their_own(database: TestDatabase) -> None:
    here, who, other = team(), person("sam"), person("olive")

    join(here, who, Role.AUDITOR, rows=True)
    join(here, other, *ROLES_IN_A_TEAM)

    assert may(who, Right.SEE_ROWS, here)
    assert not may(other, Right.SEE_ROWS, here)
    assert rights.teams_with(who, Right.SEE_ROWS) == [here]


def test_whoever_is_not_active_may_nothing(database: TestDatabase) -> None:
    here, who = team(), person("sam", *Role)
    join(here, who, *ROLES_IN_A_TEAM, rows=True)

    who.is_active = False

    assert not any(may(who, right, here) for right in Right)
    assert rights.approving_roles(who, here) == frozenset()


def test_who_is_not_logged_in_may_nothing() -> None:
    assert not any(may(None, right, "x") for right in Right)
    assert rights.teams_with(None, Right.SEE_LISTS) == []


def test_roles_of_approval_are_those_of_the_team(database: TestDatabase) -> None:
    here, who = team(), person("olive", Role.DPO, Role.MANAGER)
    join(here, who, Role.SUPERVISOR, Role.SENDER)

    assert rights.approving_roles(who, here) == {Role.SUPERVISOR, Role.DPO}


def test_nobody_gives_themselves_a_role_or_a_right(database: TestDatabase) -> None:
    here, ada = team(), person("ada", Role.ADMINISTRATOR)
    person("eve", Role.ADMINISTRATOR)

    for roles, rows in (((Role.SUPERVISOR,), False), ((), True)):
        with pytest.raises(teams.OwnMembership):
            teams.put(here, ada, roles, may_see_rows=rows, by=ada)

    assert not here.members.exists()


def test_whoever_has_a_role_may_give_it_up_themselves(database: TestDatabase) -> None:
    here, ada, eve = team(), person("ada", *Role), person("eve", Role.ADMINISTRATOR)
    teams.put(here, ada, (Role.SENDER, Role.MANAGER), may_see_rows=True, by=eve)

    teams.put(here, ada, (Role.SENDER,), may_see_rows=False, by=ada)

    assert here.members.get().roles == ["sender"]


def test_the_only_administrator_may_and_the_journal_says_so(
    database: TestDatabase,
) -> None:
    here, ada = team(), person("ada", *Role)

    teams.put(here, ada, (Role.SENDER,), may_see_rows=True, by=ada)

    entry = JournalEntry.objects.get(event="team member set")
    assert entry.facts["only_administrator"] is True
    assert entry.facts["team"] == str(here.pk)


def test_every_change_of_a_team_stands_in_the_journal(database: TestDatabase) -> None:
    ada, sam = person("ada", Role.ADMINISTRATOR), person("sam")

    here = teams.create("Roads", by=ada, now=NOW)
    teams.put(here, sam, (Role.SENDER,), may_see_rows=False, by=ada)
    teams.end_trial(here, by=ada)
    teams.end_trial(here, by=ada)
    teams.remove(here, sam, by=ada)

    assert list(
        JournalEntry.objects.order_by("id").values_list("event", flat=True)
    ) == [
        "team made",
        "team member set",
        "team's trial ended",
        "team member removed",
    ]
    with pytest.raises(teams.NotAMember):
        teams.remove(here, sam, by=ada)
    with pytest.raises(teams.NameTaken):
        teams.create("Roads", by=ada, now=NOW)


def consent(campaign: str, account: Account) -> None:
    """An approval, past every page and every table of rights."""
    with stored() as connection:
        connection.run(
            "INSERT INTO store_approval"
            " (campaign_id, digest, role, account_id, is_consent, at)"
            " VALUES (%s, %b, 'manager', %s, true, %s)",
            (campaign, b"digest", account.pk, NOW),
        )


def test_the_database_refuses_the_approval_of_whoever_made_it(
    database: TestDatabase,
) -> None:
    campaign = drafted(1)

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        consent(campaign, Account.objects.get(name="sam"))


def test_the_database_refuses_the_approval_of_whoever_changed_it(
    database: TestDatabase,
) -> None:
    made = recipient_list(1)
    by = made.owner
    campaign = campaigns.create(
        "Bin days", team=made.team.pk, kind=MailKind.SERVICE, by=by.pk, now=NOW
    )
    olive, other = account("olive"), account("other")
    campaigns.change(campaign, by=olive.pk, now=NOW, text=b"{}")
    campaigns.change(campaign, by=by.pk, now=NOW, text=b'{"a": 1}')

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        consent(campaign, olive)
    consent(campaign, other)
