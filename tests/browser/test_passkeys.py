# SPDX-License-Identifier: Apache-2.0
"""Passkeys and security keys in a real browser, with an authenticator of its own."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.models import Authenticator
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Browser, Page

from tests.browser.site import tab
from tests.console.test_accounts import LOGIN, PASSWORD, with_password
from tests.console.test_again import FORM, WHY
from tests.console.world import World
from undisclosed.store.models import Circle, JournalEntry


@contextmanager
def page_with_key(browser: Browser, url: str, cookie: str = "") -> Iterator[Page]:
    """A page whose browser has a key that verifies its owner (W3C WebAuthn §11)."""
    # The name of a machine, since a key is bound to a name and not to a number.
    with tab(browser, url.replace("127.0.0.1", "localhost"), cookie) as context:
        page = context.new_page()
        tools = context.new_cdp_session(page)
        tools.send("WebAuthn.enable")
        tools.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )
        yield page


def log_in(page: Page) -> None:
    """With address and password."""
    page.goto("/log-in/")
    page.get_by_label("Your address").fill(LOGIN["login"])
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in", exact=True).click()


def add_key(page: Page, *, alone: bool) -> None:
    """Add a key, just after logging in."""
    page.goto("/security/webauthn/add/")
    page.get_by_label("Name").fill("My laptop")
    if alone:
        page.get_by_label("It opens the account alone").check()
    page.get_by_role("button", name="Add it").click()
    page.get_by_role("heading", name="Recovery codes").wait_for()


def test_a_passkey_opens_the_account_without_the_password(
    world: World, browser: Browser, url: str
) -> None:
    with_password(world)
    with page_with_key(browser, url) as page:
        log_in(page)
        add_key(page, alone=True)
        page.get_by_role("button", name="Log out").click()

        page.get_by_role("button", name="Log in with a passkey").click()
        page.get_by_role("button", name="Log out").wait_for()

        assert "/log-in/" not in page.url
    assert Authenticator.objects.filter(type="webauthn").count() == 1
    last = JournalEntry.objects.filter(event="logged in").order_by("id").last()
    assert last is not None
    assert last.facts["how"] == ["webauthn"]


def test_a_security_key_is_the_second_step_after_the_password(
    world: World, browser: Browser, url: str
) -> None:
    with_password(world)
    with page_with_key(browser, url) as page:
        log_in(page)
        add_key(page, alone=False)
        page.get_by_role("button", name="Log out").click()

        log_in(page)
        page.get_by_role("heading", name="Second step").wait_for()
        page.get_by_role("button", name="Use a passkey or security key").click()
        page.get_by_role("button", name="Log out").wait_for()

        assert "/security/" not in page.url


def test_another_browser_without_the_key_does_not_get_in(
    world: World, browser: Browser, url: str
) -> None:
    with_password(world)
    with page_with_key(browser, url) as page:
        log_in(page)
        add_key(page, alone=True)

    answer = Client().post("/log-in/", LOGIN)
    other = Client().post("/security/webauthn/login/", {"credential": "{}"})

    assert answer["Location"] == "/security/authenticate/"
    assert other["Location"] == "/log-in/"


def test_a_passkey_answers_whether_it_is_still_they(
    world: World, browser: Browser, url: str
) -> None:
    with_password(world)
    with page_with_key(browser, url) as page:
        log_in(page)
        add_key(page, alone=True)
        _let_an_hour_pass()
        page.goto("/circles/")
        page.get_by_label("Their addresses").fill(str(FORM["people"]))
        page.get_by_label("Why do they know one another?").fill(WHY)
        page.locator("main button[type=submit]").last.click()
        page.get_by_role("link", name="Use a security key").click()
        page.get_by_role("button", name="Use a passkey or security key").click()
        page.get_by_text(WHY).first.wait_for()

    assert Circle.objects.count() == 1


def _let_an_hour_pass() -> None:
    """Let every log-in of every session lie an hour back."""
    for row in Session.objects.all():
        session = SessionStore(row.session_key)
        for record in session.get(AUTHENTICATION_METHODS_SESSION_KEY, []):
            record["at"] -= 3600
        session.modified = True
        session.save()
