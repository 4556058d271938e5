# SPDX-License-Identifier: Apache-2.0
"""The pages of teams, log-in and sessions in a real browser, at both widths."""

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import Browser

from tests.browser.site import WIDTHS, tab
from tests.browser.test_pages import OVERFLOW
from tests.console.world import World, now
from undisclosed.store import teams
from undisclosed.store.bootstrap import first_account, login_link
from undisclosed.store.models import Role


def paths(world: World) -> tuple[str, dict[str, str]]:
    """A session's cookie, and the pages."""
    first = first_account()
    assert first is not None
    link = login_link(first)
    account = world.account(*Role)
    team = teams.create("Waste and recycling", by=account, now=now())
    sam = world.account(login="sam@council.example", name="Sam Holt")
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
