# SPDX-License-Identifier: Apache-2.0
"""Changing roles, removing lost factors, letting people log in no more."""

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from tests.console.test_accounts import LOGIN, PASSWORD, with_password
from tests.console.test_again import answered
from tests.console.test_mailings import words
from tests.console.test_second_factors import left_alone, with_app
from tests.console.world import World
from undisclosed.store import accounts, desk
from undisclosed.store.models import Account, JournalEntry, Role

ADA = "ada@council.example"


def administrator(world: World) -> Client:
    """Ada's browser, who administers."""
    return world.client(Role.ADMINISTRATOR, login=ADA, name="Ada")


def page_of(account: Account) -> str:
    """The page of an account."""
    return f"/accounts/{account.pk}/"


def test_roles_are_changed_and_that_is_journalled(world: World) -> None:
    sam = world.account(Role.SENDER, login="sam@council.example", name="Sam")
    admin = administrator(world)

    answer = admin.post(page_of(sam), {"roles": ["manager", "sender"]})

    sam.refresh_from_db()
    entry = JournalEntry.objects.get(event="account's roles set")
    assert answer["Location"] == page_of(sam)
    assert sam.roles == ["manager", "sender"]
    assert entry.facts["roles"] == ["manager", "sender"]
    assert entry.facts["account"].startswith("person:")


def test_whoever_works_in_teams_only_has_no_role_outside(world: World) -> None:
    sam = world.account(Role.SENDER, login="sam@council.example", name="Sam")

    administrator(world).post(page_of(sam), {})

    sam.refresh_from_db()
    assert sam.roles == []


def test_nobody_gives_themselves_a_role(world: World) -> None:
    admin = administrator(world)
    world.account(Role.ADMINISTRATOR, name="Eve")
    ada = Account.objects.get(name="Ada")

    answer = admin.post(page_of(ada), {"roles": ["administrator", "manager"]})

    ada.refresh_from_db()
    assert answer.status_code == 400
    assert "ask another administrator" in words(answer.content)
    assert ada.roles == ["administrator"]


def test_the_only_administrator_may_and_the_journal_says_so(world: World) -> None:
    admin = administrator(world)
    ada = Account.objects.get(name="Ada")

    admin.post(page_of(ada), {"roles": ["administrator", "manager"]})

    entry = JournalEntry.objects.get(event="account's roles set")
    assert entry.facts["only_administrator"] is True


@pytest.mark.parametrize("act", ["", "deactivate/"], ids=["role", "account"])
def test_an_installation_keeps_an_administrator(world: World, act: str) -> None:
    ada = world.account(Role.ADMINISTRATOR, login=ADA, name="Ada")
    eve = world.account(Role.ADMINISTRATOR, name="Eve")
    browser = world.client_of(ada)
    accounts.set_active(eve, False, by=ada)

    answer = browser.post(f"{page_of(ada)}{act}", {"roles": ["sender"]})

    ada.refresh_from_db()
    assert answer.status_code in (400, 409)
    assert ada.is_active and ada.roles == ["administrator"]


def test_whoever_left_is_out_at_once_and_can_come_back(world: World) -> None:
    sam = with_password(world)
    browser = Client()
    browser.post("/log-in/", LOGIN)
    admin = administrator(world)

    admin.post(f"{page_of(sam)}deactivate/")
    out = browser.get("/").status_code, Client().post("/log-in/", LOGIN).status_code
    shown = words(admin.get(page_of(sam)).content)
    admin.post(f"{page_of(sam)}activate/")

    assert out == (302, 403)
    assert "not active" in shown
    assert Client().post("/log-in/", LOGIN).status_code == 302
    assert browser.get("/").status_code == 302
    assert [event for event in world.events() if event.startswith("account ")] == [
        "account deactivated",
        "account activated",
    ]


def test_lost_factors_are_removed_and_their_owner_is_told(world: World) -> None:
    account = with_password(world)
    browser = Client()
    browser.post("/log-in/", LOGIN)
    with_app(browser)
    admin = administrator(world)

    before = words(admin.get(page_of(account)).content)
    answer = admin.post(f"{page_of(account)}remove-factors/", follow=True)
    world.deliver()

    entry = JournalEntry.objects.get(event="second factors removed for another")
    [mail] = desk.caught().items
    assert "Apps: 1." in before
    assert "is told by mail" in words(answer.content)
    assert not Authenticator.objects.exists()
    assert entry.facts["kinds"] == ["recovery_codes", "totp"]
    assert browser.get("/").status_code == 302
    assert Client().post("/log-in/", LOGIN)["Location"] == "/"
    assert mail.mail_from is None
    assert "@" not in str(entry.facts)


def test_nobody_removes_their_own_that_way(world: World) -> None:
    account = with_password(world)
    Account.objects.update(roles=["administrator"])
    browser = Client()
    browser.post("/log-in/", LOGIN)
    with_app(browser)

    answer = browser.post(f"{page_of(account)}remove-factors/")

    assert answer.status_code == 409
    assert "Nobody does this to their own account." in words(answer.content)
    assert Authenticator.objects.exists()


def test_where_there_is_no_factor_that_is_said(world: World) -> None:
    sam = world.account(Role.SENDER, name="Sam")

    answer = administrator(world).post(f"{page_of(sam)}remove-factors/")

    assert answer.status_code == 409
    assert "no second factor" in words(answer.content)


def test_whoever_cannot_be_written_to_is_not(world: World) -> None:
    sam = world.account(Role.SENDER, login="admin@localhost.invalid", name="Sam")
    Authenticator.objects.create(user=sam, type="totp", data={})

    answer = administrator(world).post(f"{page_of(sam)}remove-factors/", follow=True)
    world.deliver()

    assert "no address to tell it to" in words(answer.content)
    assert not desk.caught().items


def test_removing_factors_is_asked_again(world: World) -> None:
    sam = world.account(Role.SENDER, login="sam@council.example", name="Sam")
    Authenticator.objects.create(user=sam, type="totp", data={})
    admin = with_password(world)
    Account.objects.filter(pk=admin.pk).update(roles=["administrator"])
    browser = Client()
    browser.post("/log-in/", LOGIN)
    left_alone(browser)

    asked = browser.post(f"{page_of(sam)}remove-factors/")["Location"]
    between = Authenticator.objects.count()
    answered(browser, asked, {"password": PASSWORD})

    assert (between, Authenticator.objects.count()) == (1, 0)


def test_a_new_link_for_somebody_who_logged_in_before_is_told_to_them(
    world: World,
) -> None:
    account = with_password(world)
    Client().post("/log-in/", LOGIN)

    administrator(world).post(f"{page_of(account)}link/")
    world.deliver()

    assert len(desk.caught().items) == 1


def test_the_first_link_of_an_account_is_told_to_nobody(world: World) -> None:
    sam = world.account(Role.SENDER, login="sam@council.example", name="Sam")

    administrator(world).post(f"{page_of(sam)}link/")
    world.deliver()

    assert not desk.caught().items
