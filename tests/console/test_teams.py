# SPDX-License-Identifier: Apache-2.0
"""The pages of teams."""

import pytest

from tests.console.test_mailings import words
from tests.console.world import World
from undisclosed.store.models import Membership, Role, Team


def test_a_team_is_made_filled_changed_and_emptied(world: World) -> None:
    admin = world.client(Role.ADMINISTRATOR)
    sam = world.account(login="sam@council.example", name="Sam")

    made = admin.post("/teams/", {"name": "Bins"})
    page = made["Location"]
    joined = admin.post(
        page, {"account": str(sam.pk), "roles": ["sender"], "may_see_rows": "on"}
    )
    changed = admin.post(f"{page}members/{sam.pk}/", {"roles": ["manager", "sender"]})
    member = Membership.objects.get()
    shown = words(admin.get(page).content)
    ended = admin.post(f"{page}end-trial/")
    gone = admin.post(f"{page}members/{sam.pk}/remove/")

    answers = [made, joined, changed, ended, gone]
    assert [one.status_code for one in answers] == [302] * 5
    assert (member.roles, member.may_see_rows) == (["manager", "sender"], False)
    assert "Sam" in shown and "Manager, Sender" in shown
    assert not Membership.objects.exists()
    assert not Team.objects.get().is_trial


def test_a_name_is_taken_once(world: World) -> None:
    admin = world.client(Role.ADMINISTRATOR)
    admin.post("/teams/", {"name": "Bins"})

    again = admin.post("/teams/", {"name": "Bins"})

    assert again.status_code == 400
    assert "There is a team of this name already." in words(again.content)


def test_nobody_brings_themselves_in(world: World) -> None:
    account = world.account(Role.ADMINISTRATOR)
    world.account(Role.ADMINISTRATOR, login="eve@council.example", name="Eve")
    admin = world.client_of(account)
    page = admin.post("/teams/", {"name": "Bins"})["Location"]

    answer = admin.post(page, {"account": str(account.pk), "roles": ["manager"]})

    assert answer.status_code == 400
    assert "ask another administrator" in words(answer.content)
    assert not Membership.objects.exists()


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}), ids=str)
def test_only_an_administrator_sees_teams(world: World, role: Role) -> None:
    assert world.client(role).get("/teams/").status_code == 403


def test_whoever_is_in_the_team_is_not_brought_in_again(
    world: World,
) -> None:
    admin = world.client(Role.ADMINISTRATOR)
    sam = world.account(login="sam@council.example", name="Sam")
    page = admin.post("/teams/", {"name": "Bins"})["Location"]
    admin.post(page, {"account": str(sam.pk), "roles": ["auditor"]})

    again = admin.post(page, {"account": str(sam.pk), "roles": ["sender"]})

    assert again.status_code == 400
    assert Membership.objects.get().roles == ["auditor"]
