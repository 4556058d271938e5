# SPDX-License-Identifier: Apache-2.0
"""Logging in and out, one-time links, throttling, and making accounts."""

import re
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.console.test_mailings import words
from tests.console.world import World
from undisclosed.console.accounts import throttle
from undisclosed.store.bootstrap import first_account, login_link
from undisclosed.store.models import (
    Account,
    AccountAddress,
    LoginLink,
    Membership,
    Role,
    Team,
)

PASSWORD = "a long and plain password"
CHOICE = {"name": "Olive", "password": PASSWORD, "again": PASSWORD}
LOGIN = {"login": "olive@council.example", "password": PASSWORD}


def with_password(world: World) -> Account:
    """Olive, with a password."""
    account = world.account(Role.SUPERVISOR)
    account.set_password(PASSWORD)
    account.save()
    return account


def test_the_first_account_chooses_its_address_name_and_password(world: World) -> None:
    account = first_account()
    assert account is not None
    link = f"/log-in/{login_link(account)}/"
    browser = Client()

    shown = browser.get(link)
    entered = browser.post(link, CHOICE | {"login": "Olive@Council.example"})
    again = Client().post("/log-in/", LOGIN)

    assert shown.status_code == 200
    assert entered.status_code == 302
    assert browser.get("/").status_code == 200
    assert again.status_code == 302
    [address] = AccountAddress.objects.all()
    assert bytes(address.address_hash) == bytes(Account.objects.get().login_hash)


def test_the_first_account_makes_the_first_team_with_every_role(world: World) -> None:
    account = first_account()
    assert account is not None
    first = {"login": "olive@council.example", "team": "Bins"}
    browser = Client()

    browser.post(f"/log-in/{login_link(account)}/", CHOICE | first)

    member = Membership.objects.get()
    assert (member.team.name, member.team.is_trial) == ("Bins", True)
    assert set(member.roles) == set(Role) - {Role.ADMINISTRATOR}
    assert member.may_see_rows
    assert browser.get("/teams/").status_code == 200


def test_only_the_first_account_is_asked_for_a_team(world: World) -> None:
    link = f"/log-in/{login_link(world.account())}/"

    Client().post(link, CHOICE | {"team": "Bins"})

    assert 'name="team"' not in Client().get(link).content.decode()
    assert not Team.objects.exists()


def test_another_account_keeps_the_address_that_it_was_given(world: World) -> None:
    account = world.account(Role.SENDER)
    link = f"/log-in/{login_link(account)}/"
    choice = CHOICE | {"login": "somebody.else@council.example"}

    page = Client().get(link).content.decode()
    Client().post(link, choice)

    assert 'name="login"' not in page
    assert Account.objects.get().login == account.login


def test_a_log_in_link_works_once(world: World) -> None:
    link = f"/log-in/{login_link(world.account())}/"

    statuses = [
        Client().get(link).status_code,
        Client().get(link).status_code,
        Client().post(link, CHOICE).status_code,
        Client().get(link).status_code,
        Client().post(link, CHOICE).status_code,
    ]

    assert statuses == [200, 200, 302, 409, 409]


def test_a_log_in_link_expires(world: World) -> None:
    link = f"/log-in/{login_link(world.account())}/"
    LoginLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert Client().get(link).status_code == 410
    assert Client().post(link, CHOICE).status_code == 410


@pytest.mark.parametrize("token", ["x", "x" * 500, "%00", "%F0%9F%99%82"])
def test_a_wrong_log_in_link_is_a_clear_404(world: World, token: str) -> None:
    answer = Client().get(f"/log-in/{token}/")

    assert answer.status_code == 404
    assert "There is no such link" in words(answer.content)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"again": "another long password"}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"password": "1234567890123", "again": "1234567890123"}, "numeric"),
        ({"name": ""}, "This field is required."),
    ],
    ids=["two passwords", "short", "digits", "no name"],
)
def test_what_is_wrong_with_a_choice_is_said_at_its_field(
    world: World, change: dict[str, str], sentence: str
) -> None:
    link = f"/log-in/{login_link(world.account())}/"

    page = Client().post(link, CHOICE | change)

    assert sentence in words(page.content)
    assert 'aria-invalid="true"' in page.content.decode()
    assert Client().get(link).status_code == 200


def test_everything_that_is_wrong_with_a_choice_is_said_at_once(world: World) -> None:
    link = f"/log-in/{login_link(world.account())}/"
    wrong = {"name": "", "password": "short", "again": "other"}

    page = words(Client().post(link, CHOICE | wrong).content)

    assert "This field is required." in page
    assert "at least 12 characters" in page
    assert "The two passwords differ." in page


def test_logging_in_leads_to_the_page_that_was_asked_for(world: World) -> None:
    with_password(world)

    inside = Client().post("/log-in/", LOGIN | {"next": "/mailings/?state=held"})
    outside = Client().post("/log-in/", LOGIN | {"next": "https://other.example/"})

    assert inside["Location"] == "/mailings/?state=held"
    assert outside["Location"] == "/"


@pytest.mark.parametrize(
    "login",
    ["olive@council.example", "nobody@council.example", "no address", "@", "a@b@c"],
)
def test_a_wrong_log_in_does_not_tell_who_has_an_account(
    world: World, login: str
) -> None:
    with_password(world)

    answer = Client().post("/log-in/", {"login": login, "password": "wrong"})

    assert answer.status_code == 403
    assert "do not belong together" in words(answer.content)


def test_an_account_that_is_not_active_does_not_log_in(world: World) -> None:
    account = with_password(world)
    browser = world.client_of(account)
    Account.objects.update(is_active=False)

    assert Client().post("/log-in/", LOGIN).status_code == 403
    assert browser.get("/").status_code == 302


def test_guessing_is_slowed_down_for_every_process(world: World) -> None:
    with_password(world)
    wrong = LOGIN | {"password": "wrong"}

    statuses = [Client().post("/log-in/", wrong).status_code for _ in range(6)]
    right = Client().post("/log-in/", LOGIN)

    assert statuses == [403] * 5 + [429]
    assert right.status_code == 429
    assert "Wait fifteen minutes" in words(right.content)


def test_the_wait_is_over_after_a_quarter_of_an_hour(world: World) -> None:
    for _ in range(throttle.GUESSES_PER_LOGIN):
        throttle.record_failure("olive@council.example", "192.0.2.1")
    later = timezone.now() + throttle.WINDOW + timedelta(seconds=1)

    def is_throttled(login: str, client: str, at: datetime) -> bool:
        return throttle.is_throttled(login, client, at)

    assert is_throttled("Olive@council.example ", "192.0.2.9", timezone.now())
    assert not is_throttled("olive@council.example", "192.0.2.1", later)
    assert not is_throttled("sam@council.example", "192.0.2.1", timezone.now())


def test_one_client_that_guesses_everywhere_is_slowed_down(world: World) -> None:
    for number in range(throttle.GUESSES_PER_CLIENT):
        throttle.record_failure(f"p{number}@council.example", "192.0.2.1")

    now = timezone.now()
    assert throttle.is_throttled("other@council.example", "192.0.2.1", now)
    assert not throttle.is_throttled("other@council.example", "192.0.2.2", now)


def test_logging_out_ends_the_session_and_needs_a_post(world: World) -> None:
    browser = world.client(Role.SENDER)

    assert browser.get("/log-out/").status_code == 405
    assert browser.get("/").status_code == 200
    assert browser.post("/log-out/").status_code == 302
    assert browser.get("/").status_code == 302


def test_an_administrator_makes_an_account_and_hands_a_link_over(world: World) -> None:
    admin = world.client(Role.ADMINISTRATOR)
    new = {"name": "Sam", "login": "sam@council.example", "roles": ["sender", "dpo"]}

    made = admin.post("/accounts/", new).content.decode()
    found = re.search(r"http://testserver(/log-in/[\w-]+/)", made)
    assert found is not None
    entered = Client().post(found[1], CHOICE)

    assert entered.status_code == 302
    assert Account.objects.get(name="Olive", roles=["sender", "dpo"])
    assert found[1] not in admin.get("/accounts/").content.decode()


@pytest.mark.parametrize(
    "change",
    [{"login": "olive@council.example"}, {"login": "nobody"}, {"roles": []}],
    ids=["taken", "no address", "no role"],
)
def test_an_account_that_cannot_be_made_is_refused_with_a_sentence(
    world: World, change: dict[str, object]
) -> None:
    admin = world.client(Role.ADMINISTRATOR)
    new = {"name": "Sam", "login": "sam@council.example", "roles": ["sender"]}

    answer = admin.post("/accounts/", new | change)

    assert answer.status_code == 400
    assert 'class="error"' in answer.content.decode()
    assert Account.objects.count() == 1


def test_a_lost_password_is_helped_by_a_new_link(world: World) -> None:
    account = with_password(world)
    admin = world.client(Role.ADMINISTRATOR, login="ada@council.example")
    earlier = f"/log-in/{login_link(account)}/"

    page = admin.post(f"/accounts/{account.pk}/link/").content.decode()

    assert re.search(r"/log-in/[\w-]+/", page)
    assert Client().get(earlier).status_code == 404


def test_the_journal_holds_no_address_and_no_link(world: World) -> None:
    from undisclosed.store.models import JournalEntry

    Client().post("/log-in/", {"login": "sam@council.example", "password": "x"})
    world.client(Role.ADMINISTRATOR).post(
        "/accounts/",
        {"name": "Sam", "login": "sam@council.example", "roles": ["sender"]},
    )

    for entry in JournalEntry.objects.all():
        said = f"{entry.event} {entry.actor} {entry.facts}"
        assert "@" not in said and "council" not in said and "Sam" not in said


def test_the_log_in_page_names_the_command_that_makes_a_link(world: World) -> None:
    page = Client().get("/log-in/").content.decode()

    assert "<code>undisclosed account link ADDRESS</code>" in page
