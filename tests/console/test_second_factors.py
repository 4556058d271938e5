# SPDX-License-Identifier: Apache-2.0
"""Second factors, being asked again, sessions: without a browser."""

import re
import time

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.test import Client

from tests.console.test_accounts import LOGIN, PASSWORD, with_password
from tests.console.test_mailings import words
from tests.console.world import World
from undisclosed.store import retention
from undisclosed.store.database import database as stored
from undisclosed.store.models import Account, JournalEntry
from undisclosed.store.settings_values import Settings


def code_of(secret: str, *, ahead: int = 0) -> str:
    """What the app shows now, or so many half minutes later."""
    value = hotp_value(secret, int(time.time()) // 30 + ahead)
    return str(format_hotp_value(value))


def wrong_code(secret: str) -> str:
    """A code that the app shows at no time near."""
    near = {code_of(secret, ahead=step) for step in range(-3, 4)}
    return next(f"{n:06}" for n in range(100) if f"{n:06}" not in near)


def logged_in(world: World) -> Client:
    """Olive's browser, after her password."""
    with_password(world)
    browser = Client()
    assert browser.post("/log-in/", LOGIN).status_code == 302
    return browser


def left_alone(browser: Client) -> None:
    """Let every log-in and every answer of this browser lie an hour back."""
    session = browser.session
    records = session.get(AUTHENTICATION_METHODS_SESSION_KEY, [])
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [
        one | {"at": one["at"] - 3600} for one in records
    ]
    session.save()


def asked_again(browser: Client, path: str) -> None:
    """Follow a page that asks whether it is still her, and answer."""
    left_alone(browser)
    asked = browser.get(path)
    assert asked.status_code == 302
    assert asked["Location"].startswith("/security/again/")
    answered = browser.post(asked["Location"], {"password": PASSWORD})
    assert answered["Location"] == path


def with_app(browser: Client) -> str:
    """Set up an app; its secret."""
    asked_again(browser, "/security/totp/activate/")
    page = browser.get("/security/totp/activate/").content.decode()
    found = re.search(r"<code>(\w+)</code>", page)
    assert found is not None
    done = browser.post("/security/totp/activate/", {"code": code_of(found[1])})
    assert done["Location"] == "/security/recovery-codes/"
    return found[1]


def codes_of(browser: Client) -> list[str]:
    """The recovery codes on their page."""
    page = browser.get("/security/recovery-codes/").content.decode()
    return re.findall(r"<code>(\d+)</code>", page)


def test_an_app_is_set_up_and_asked_for_at_the_next_log_in(world: World) -> None:
    secret = with_app(logged_in(world))
    browser = Client()

    first = browser.post("/log-in/", LOGIN | {"next": "/absence/"})
    before = browser.get("/").status_code
    wrong = browser.post("/security/authenticate/", {"code": wrong_code(secret)})
    right = browser.post("/security/authenticate/", {"code": code_of(secret, ahead=1)})

    assert first["Location"] == "/security/authenticate/"
    assert before == 302
    assert "Incorrect code" in words(wrong.content)
    assert right["Location"] == "/absence/"
    assert browser.get("/").status_code == 200
    assert "second factor added" in world.events()
    last = JournalEntry.objects.filter(event="logged in").order_by("id").last()
    assert last is not None
    assert last.facts["how"] == ["password", "totp"]


def test_a_code_of_the_app_works_once(world: World) -> None:
    secret = with_app(logged_in(world))
    code = code_of(secret, ahead=1)

    answers = []
    for _ in range(2):
        browser = Client()
        browser.post("/log-in/", LOGIN)
        answers.append(
            browser.post("/security/authenticate/", {"code": code}).status_code
        )

    assert answers == [302, 200]


def test_a_recovery_code_works_once(world: World) -> None:
    browser = logged_in(world)
    with_app(browser)
    code = codes_of(browser)[0]

    answers = []
    for _ in range(2):
        lost = Client()
        lost.post("/log-in/", LOGIN)
        answers.append(lost.post("/security/authenticate/", {"code": code}).status_code)

    assert answers == [302, 200]
    assert len(codes_of(browser)) == 9


def test_guessing_codes_is_slowed_down_for_every_process(world: World) -> None:
    secret = with_app(logged_in(world))
    browser = Client()
    browser.post("/log-in/", LOGIN)

    for _ in range(5):
        browser.post("/security/authenticate/", {"code": wrong_code(secret)})
    right = browser.post("/security/authenticate/", {"code": code_of(secret, ahead=1)})

    assert right.status_code == 200
    assert "Too many failed" in words(right.content)


def test_secrets_and_recovery_codes_are_sealed(world: World) -> None:
    browser = logged_in(world)
    secret = with_app(browser)
    codes = codes_of(browser)

    kept = str(list(Authenticator.objects.values_list("data", flat=True)))

    assert secret not in kept
    assert not any(code in kept for code in codes)


def test_no_address_is_in_the_tables_of_allauth(world: World) -> None:
    with_app(logged_in(world))

    with stored() as connection:
        rows = [
            str(connection.all(f"SELECT * FROM {table}"))  # noqa: S608
            for table in (
                "account_emailaddress",
                "mfa_authenticator",
                "usersessions_usersession",
                "django_session",
                "store_shorttime",
            )
        ]

    assert not EmailAddress.objects.exists()
    assert "council.example" not in "".join(rows)


def test_removing_the_app_asks_again_and_stands_in_the_journal(world: World) -> None:
    browser = logged_in(world)
    with_app(browser)

    assert browser.get("/security/totp/deactivate/").status_code == 200
    browser.post("/security/totp/deactivate/")

    assert not Authenticator.objects.exists()
    assert "second factor removed" in world.events()


def test_a_log_in_link_does_not_go_around_the_second_factor(world: World) -> None:
    from undisclosed.store.bootstrap import login_link

    with_app(logged_in(world))
    browser = Client()

    answer = browser.post(
        f"/log-in/{login_link(Account.objects.get())}/",
        {"name": "Olive", "password": PASSWORD, "again": PASSWORD},
    )

    assert answer["Location"] == "/security/authenticate/"
    assert browser.get("/").status_code == 302


def test_being_asked_again_wants_the_right_password(world: World) -> None:
    browser = logged_in(world)

    left_alone(browser)
    wrong = browser.post("/security/again/?next=/security/", {"password": "wrong"})

    assert wrong.status_code == 200
    assert browser.get("/security/totp/activate/").status_code == 302


def test_other_sessions_are_listed_and_ended(world: World) -> None:
    here = logged_in(world)
    there = Client(HTTP_USER_AGENT="Another browser")
    there.post("/log-in/", LOGIN)

    page = words(here.get("/security/sessions/").content)
    here.post("/security/sessions/")

    assert "Another browser" in page
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200
    assert "sessions ended" in world.events()


def test_a_session_that_is_over_is_not_remembered(
    world: World, settings_of_the_tests: Settings
) -> None:
    from datetime import UTC, datetime

    browser = logged_in(world)
    assert UserSession.objects.count() == 1
    browser.post("/log-out/")

    retention.purge(settings_of_the_tests, datetime.now(UTC))

    assert not UserSession.objects.exists()


@pytest.fixture
def settings_of_the_tests(world: World) -> Settings:
    """The settings that the tests run with."""
    from undisclosed.console import wiring

    return wiring.settings()


def test_nobody_signs_up(world: World) -> None:
    assert Client().get("/security/webauthn/signup/").status_code == 404
    assert Client().get("/signup/").status_code == 404
