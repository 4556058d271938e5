# SPDX-License-Identifier: Apache-2.0
"""A second factor that everybody needs, or those who decide over others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from django.test import Client, override_settings

from tests.console.test_accounts import LOGIN, with_password
from tests.console.test_api import Asker
from tests.console.test_mailings import words
from tests.console.test_openid import Server, come, server, using
from tests.console.test_second_factors import with_app
from tests.console.world import World, message, outsiders
from undisclosed.console import wiring
from undisclosed.console.accounts.adapter import BACKEND
from undisclosed.store.models import Membership, Role, Team

__all__ = ["server"]

ALL = "all"
APPROVERS = "approvers"
DECIDE = set(Role) - {Role.SENDER, Role.COMMUNICATIONS}
TO_SET_UP = "/security/"


@contextmanager
def compulsory(who: str) -> Iterator[None]:
    """The settings that demand a second factor."""
    given = wiring.settings()
    console = replace(given.console, second_factor=who)
    with override_settings(UNDISCLOSED=replace(given, console=console)):
        yield


@pytest.fixture
def demanded() -> Iterator[None]:
    """Everybody needs one."""
    with compulsory(ALL):
        yield


@pytest.mark.parametrize("path", ["/", "/mailings/", "/accounts/", "/absence/"])
def test_whoever_lacks_one_is_led_to_set_it_up(
    world: World, demanded: None, path: str
) -> None:
    answer = world.client(*Role).get(path)

    assert (answer.status_code, answer["Location"]) == (302, TO_SET_UP)


def test_nothing_is_done_before_it_is_set_up(world: World, demanded: None) -> None:
    mailing = world.hold(message(outsiders(8)))

    answer = world.client(*Role).post(f"/mailings/{mailing}/send-singly/")

    assert answer.status_code == 403
    assert "Set up a second step first" in words(answer.content)
    assert "mailing sent singly" not in world.events()


def test_a_fragment_sends_the_whole_page_there(world: World, demanded: None) -> None:
    answer = world.client(*Role).get("/mailings/", headers={"HX-Request": "true"})

    assert (answer.status_code, answer["HX-Redirect"]) == (204, TO_SET_UP)


def test_the_page_says_why_one_is_there(world: World, demanded: None) -> None:
    page = words(world.client(*Role).get(TO_SET_UP).content)

    assert "Your organisation demands a second step" in page


def test_after_setting_it_up_everything_opens(world: World, demanded: None) -> None:
    with_password(world)
    browser = Client()
    browser.post("/log-in/", LOGIN)
    before = browser.get("/").status_code

    with_app(browser)

    assert before == 302
    assert browser.get("/").status_code == 200
    page = words(browser.get(TO_SET_UP).content)
    assert "demands a second step" not in page


def test_logging_out_is_open_and_so_are_links(world: World, demanded: None) -> None:
    browser = world.client(*Role)

    assert browser.get("/links/wrong/").status_code == 404
    assert browser.get("/healthz").status_code == 200
    assert browser.post("/log-out/")["Location"] == "/log-in/"


def test_removing_the_last_one_leads_back_to_set_one_up(
    world: World, demanded: None
) -> None:
    with_password(world)
    browser = Client()
    browser.post("/log-in/", LOGIN)
    with_app(browser)

    browser.post("/security/totp/deactivate/")

    assert browser.get("/")["Location"] == TO_SET_UP


@pytest.mark.parametrize("role", list(Role))
def test_of_approvers_only_those_need_one_who_decide_over_others(
    world: World, role: Role
) -> None:
    browser = world.client(role)

    with compulsory(APPROVERS):
        status = browser.get("/absence/").status_code

    assert status == (302 if role in DECIDE else 200)


@pytest.mark.parametrize(
    ("roles", "may_see_rows", "status"),
    [
        (["sender"], False, 200),
        (["sender"], True, 302),
        (["communications"], False, 302),
        (["manager"], False, 302),
        (["auditor"], False, 200),
    ],
    ids=["sender", "sender who reads rows", "communications", "manager", "auditor"],
)
def test_what_somebody_decides_in_a_team_counts(
    world: World, roles: list[str], may_see_rows: bool, status: int
) -> None:
    account = world.account()
    team = Team.objects.create(name="Bins", created_at=account.created_at)
    Membership.objects.create(
        team=team, account=account, roles=roles, may_see_rows=may_see_rows
    )

    with compulsory(APPROVERS):
        assert world.client_of(account).get("/absence/").status_code == status


def test_unless_it_is_demanded_nobody_needs_one(world: World) -> None:
    assert world.client(*Role).get("/").status_code == 200


def test_whoever_comes_from_the_organisations_server_is_asked_there(
    world: World, server: Server
) -> None:
    world.account(*Role)
    server.person["email_verified"] = True
    browser = Client()
    come(server, browser)

    with using(server), compulsory(ALL):
        assert browser.get("/").status_code == 200


def test_programs_with_a_token_are_not_affected(world: World, demanded: None) -> None:
    asker = Asker()
    asker.client.force_login(world.account(*Role), backend=BACKEND)

    assert asker.advice(to=["ann@a.example"])["action"] == "accept"
