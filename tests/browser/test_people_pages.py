# SPDX-License-Identifier: Apache-2.0
"""The pages of teams, log-in and sessions in a real browser, at both widths."""

from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from django.test import Client
from playwright.sync_api import Browser

from tests.browser.site import WIDTHS, tab
from tests.browser.test_pages import OVERFLOW
from tests.console.test_accounts import LOGIN, PASSWORD, with_password
from tests.console.test_again import FORM, WHY
from tests.console.test_second_factors import left_alone
from tests.console.world import World, now
from undisclosed.store import sealing, teams
from undisclosed.store.bootstrap import first_account, login_link
from undisclosed.store.models import Circle, Role


def paths(world: World) -> tuple[str, dict[str, str]]:
    """A session's cookie, and the pages."""
    first = first_account()
    assert first is not None
    link = login_link(first)
    account = world.account(*Role)
    team = teams.create("Waste and recycling", by=account, now=now())
    sam = world.account(login="sam@council.example", name="Sam Holt")
    Authenticator.objects.create(user=sam, type="totp", data={})
    sealing.seal(now() - timedelta(days=2))
    teams.put(team, sam, (Role.SENDER,), may_see_rows=True, by=account)
    client = world.client_of(account)
    return client.cookies["sessionid"].value, {
        "first account": f"/log-in/{link}/",
        "teams": "/teams/",
        "team": f"/teams/{team.pk}/",
        "member": f"/teams/{team.pk}/members/{sam.pk}/",
        "logging in": "/security/",
        "an app": "/security/totp/activate/",
        "a key": "/security/webauthn/add/",
        "keys": "/security/webauthn/",
        "new codes": "/security/recovery-codes/generate/",
        "sessions": "/security/sessions/",
        "accounts": "/accounts/",
        "account": f"/accounts/{sam.pk}/",
        "journal": "/journal/",
        "journal of one": f"/journal/?who={sam.pk}",
        "days": "/journal/days/",
    }


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_of_people_has_a_fault_or_asks_another_host(
    world: World, browser: Browser, url: str, width: int
) -> None:
    cookie, pages = paths(world)
    faults: list[tuple[str, ...]] = []
    with tab(browser, url, cookie, width=width) as context:
        page = context.new_page()
        page.on("console", lambda said: faults.append((page.url, said.text)))
        page.on("pageerror", lambda error: faults.append((page.url, str(error))))
        for name, path in pages.items():
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, name
            found = Axe().run(page).response["violations"]
            faults += [(name, one["id"], one["nodes"][0]["html"]) for one in found]
            if page.evaluate(OVERFLOW) > 0:
                faults.append((name, "scrolls sideways"))

    assert faults == []


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_filled_in_is_done_after_the_question(
    world: World, browser: Browser, url: str, width: int
) -> None:
    with_password(world)
    client = Client()
    client.post("/log-in/", LOGIN)
    left_alone(client)
    faults: list[tuple[str, ...]] = []
    with tab(browser, url, client.cookies["sessionid"].value, width=width) as context:
        page = context.new_page()
        page.on("console", lambda said: faults.append((page.url, said.text)))
        page.goto("/circles/")
        page.get_by_label("Their addresses").fill(str(FORM["people"]))
        page.get_by_label("Why do they know one another?").fill(WHY)
        page.locator("main button[type=submit]").last.click()
        page.get_by_role("heading", name="Is it still you?").wait_for()
        between = Circle.objects.count()
        found = Axe().run(page).response["violations"]
        faults += [("again", one["id"], one["nodes"][0]["html"]) for one in found]
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Go on").click()
        page.get_by_text(WHY).first.wait_for()
        where = page.url

    # The browser's advice to add a name beside the password is no fault.
    faults = [one for one in faults if not one[1].startswith("[DOM] Password forms")]
    assert (between, Circle.objects.count()) == (0, 1)
    assert where.endswith("/circles/")
    assert faults == []
