# SPDX-License-Identifier: Apache-2.0
"""Every page in a real browser: readable by all, at both widths, in light and dark."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from django.test import Client, override_settings
from playwright.sync_api import Browser, Page

from tests.browser.site import WIDTHS, tab
from tests.console.world import SAM, World, message, observing, outsiders
from undisclosed.console import wiring
from undisclosed.store import desk
from undisclosed.store.bootstrap import login_link
from undisclosed.store.models import Role

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


OUTSIDE = {"log-in", "log-in link", "link", "link in its undo window", "wrong link"}
"""Pages that are seen without logging in."""


@dataclass
class Site:
    """An installation with something on every page."""

    url: str
    cookie: str
    paths: dict[str, str]


@pytest.fixture
def site(world: World, url: str) -> Site:
    """A held mailing, one that was sent, one that cannot be; caught mail; a link."""
    account = world.account(*Role, login=SAM.spelled_out(), name="Sam Holt")
    client = world.client_of(account)
    sent = world.hold(message(outsiders(60), subject="Already sent singly"))
    client.post(f"/mailings/{sent}/send-singly/")
    world.deliver(rounds=1)
    people = outsiders(40)
    body = "These people take part:\n" + "\n".join(people) + "\n"
    hard = world.hold(message(people[:2], subject="Who takes part", body=body))
    held = world.hold(message(outsiders(9), subject="x" * 120))
    link = world.link(held)
    waiting = _in_its_undo_window(world, client)
    _circle_and_control(client)
    world.observe(message(outsiders(30), subject="Seen and let pass"))
    return Site(
        url,
        client.cookies["sessionid"].value,
        {
            "start": "/",
            "mailings": "/mailings/",
            "nothing found": "/mailings/?search=nobody@nowhere.example",
            "held": f"/mailings/{held}/",
            "sent": f"/mailings/{sent}/",
            "not singly": f"/mailings/{hard}/",
            "in its undo window": f"/mailings/{waiting}/",
            "link in its undo window": f"/links/{world.link(waiting)}/",
            "circles": "/circles/",
            "control": "/control/",
            "control of a sender": f"/control/?mailing={held}",
            "absence": "/absence/",
            "people": f"/mailings/{held}/people/",
            "copies": f"/mailings/{sent}/copies/",
            "observed": "/observed/",
            "post office": "/post-office/",
            "message": f"/post-office/{desk.caught().items[0].caught_id}/",
            "accounts": "/accounts/",
            "link": f"/links/{link}/",
            "wrong link": "/links/wrong/",
            "no page": "/nowhere/",
            "log-in": "/log-in/",
            "log-in link": f"/log-in/{login_link(world.account(login='a@b.example'))}/",
        },
    )


def _in_its_undo_window(world: World, client: Client) -> str:
    """A mailing whose private copies leave in two minutes."""
    people = [f"window{number}@w{number}.example" for number in range(12)]
    mailing = world.hold(message(people, subject="Leaves soon", body="Soon.\n"))
    given = wiring.settings()
    holds = replace(given.holds, undo_split=timedelta(minutes=2))
    with override_settings(UNDISCLOSED=replace(given, holds=holds)):
        client.post(f"/mailings/{mailing}/send-singly/")
    return mailing


def _circle_and_control(client: Client) -> None:
    """One of each, so that their pages have something to show."""
    people = "ann@a.example\nbob@b.example"
    why = "The committee of the allotments."
    client.post("/circles/", {"people": people, "reason": why, "months": 3})
    person = "eve@council.example"
    client.post("/control/", {"addresses": person, "reason": "After May.", "days": 7})


def pages(browser: Browser, site: Site, width: int) -> Iterator[tuple[str, Page]]:
    """Every page, opened by whoever may see it."""
    for name, path in site.paths.items():
        cookie = "" if name in OUTSIDE else site.cookie
        with tab(browser, site.url, cookie, width=width) as context:
            page = context.new_page()
            page.goto(path)
            yield name, page


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_has_a_fault_that_axe_finds_or_scrolls_sideways(
    browser: Browser, site: Site, width: int
) -> None:
    faults = []
    for name, page in pages(browser, site, width):
        for details in page.locator("details").all():
            details.evaluate("element => element.open = true")
        found = Axe().run(page).response["violations"]
        faults += [(name, each["id"], each["nodes"][0]["html"]) for each in found]
        if page.evaluate(OVERFLOW) > 0:
            faults.append((name, "scrolls sideways", str(width)))

    assert faults == []


def test_the_dark_pages_have_enough_contrast(browser: Browser, site: Site) -> None:
    faults = []
    for name, page in pages(browser, site, 1280):
        page.emulate_media(color_scheme="dark")
        found = Axe().run(page).response["violations"]
        faults += [(name, each["id"], each["nodes"][0]["html"]) for each in found]

    assert faults == []


def test_no_page_asks_another_host_or_breaks_its_own_policy(
    browser: Browser, site: Site
) -> None:
    hosts, complaints = set[str](), list[str]()
    with tab(browser, site.url, site.cookie) as context:
        page = context.new_page()
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for name, path in site.paths.items():
            if name not in {"no page", "wrong link"}:
                page.goto(path)

    assert hosts == {site.url.split("/")[2]}
    assert complaints == []


@pytest.mark.parametrize("width", WIDTHS)
def test_while_the_guard_observes_a_page_says_so_without_a_fault(
    browser: Browser, site: Site, width: int
) -> None:
    faults, silent = [], set[str]()
    few = {name: site.paths[name] for name in ("start", "held", "observed", "link")}
    site = replace(site, paths=few)
    with observing():
        for name, page in pages(browser, site, width):
            if not page.get_by_text("Observing: nothing is changed").is_visible():
                silent.add(name)
            found = Axe().run(page).response["violations"]
            faults += [(name, each["id"], each["nodes"][0]["html"]) for each in found]
            if page.evaluate(OVERFLOW) > 0:
                faults.append((name, "scrolls sideways", str(width)))

    assert faults == []
    assert silent == {"link"}


@pytest.mark.parametrize("width", WIDTHS)
def test_a_button_does_not_touch_the_words_above_it(
    browser: Browser, site: Site, width: int
) -> None:
    with tab(browser, site.url, site.cookie, width=width) as context:
        page = context.new_page()
        page.goto(site.paths["people"])
        words = page.get_by_text("Addresses are shortened. Asking").bounding_box()
        button = page.get_by_role("button", name="Show these").bounding_box()

    assert words and button
    assert button["y"] - (words["y"] + words["height"]) >= 12


def test_a_page_is_complete_in_print(browser: Browser, site: Site) -> None:
    with tab(browser, site.url, site.cookie) as context:
        page = context.new_page()
        page.goto(site.paths["held"])
        page.emulate_media(media="print")

        assert not page.get_by_role("button", name="Send singly").is_visible()
        assert page.get_by_role("heading", level=1).is_visible()
        assert page.locator(".batches").is_visible()
