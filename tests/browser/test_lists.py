# SPDX-License-Identifier: Apache-2.0
"""The pages of lists in a real browser: readable by all, usable without scripts."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import Browser, Page

from tests.browser.site import WIDTHS, tab
from tests.console.world import SAM, World, now
from undisclosed.console.lists.hiding import hide
from undisclosed.core.campaign import Way
from undisclosed.send import importing
from undisclosed.store import lists, uploads
from undisclosed.store.models import Membership, RecipientList, Role, Team

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
GOOD = "Email,Name,Way\nann@a.example,Ann,\nbob@b.example,Bob,\n,Pat,phone\n,Ida,post\n"
BAD = "Email;Name\n" + "".join(f"nobody{at};{'long ' * 20}\n" for at in range(30))


@dataclass
class Site:
    """A team with a filled list, one with a bad file, one whose file waits."""

    url: str
    cookie: str
    filled: str
    paths: dict[str, str]


@pytest.fixture
def site(world: World, url: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    account = world.account(Role.SENDER, login=SAM.spelled_out(), name="Sam Holt")
    team = Team.objects.create(name="Bins", created_at=now())
    Membership.objects.create(
        team=team, account=account, roles=["sender", "manager"], may_see_rows=True
    )
    client = world.client_of(account)

    def made(name: str, text: str) -> str:
        facts = lists.ListFacts(
            name, "The bin days change. " * 8, lists.Sensitivity.SPECIAL
        )
        list_id = lists.create(
            facts, team=team.pk, owner=account.pk, by="test", now=now()
        )
        client.post(f"/lists/{list_id}/upload/", {"pasted": text})
        return list_id

    def file_of(list_id: str) -> str:
        found = uploads.latest(list_id)
        assert found is not None
        return f"/lists/files/{found.id}/"

    filled, bad = made("North " * 20, GOOD), made("South", BAD)
    client.post(f"{file_of(filled)}import/")
    refused = made("West", "Private,Work\na@a.example,b@b.example\n")
    asked = made("Centre", GOOD)
    monkeypatch.setattr(importing, "SMALL", 0)
    waiting = made("East", GOOD)
    people = "ann@a.example\nbob@b.example"
    form = {"addresses": people, "reason": "asked", "team": str(team.pk), "only": ""}
    client.post("/lists/suppressions/", form)
    return Site(
        url,
        client.cookies["sessionid"].value,
        filled,
        {
            "lists": "/lists/",
            "new": "/lists/new/",
            "filled": f"/lists/{filled}/",
            "empty": f"/lists/{bad}/",
            "rows": f"/lists/{filled}/rows/",
            "destroy": f"/lists/{filled}/destroy/",
            "imported": file_of(filled),
            "problems": file_of(bad),
            "refused": file_of(refused),
            "to be confirmed": file_of(asked),
            "at work": file_of(waiting),
            "suppressions": "/lists/suppressions/",
        },
    )


def pages(
    browser: Browser, site: Site, width: int, *, dark: bool = False
) -> Iterator[tuple[str, Page]]:
    """Every page, and the rows in full, which are asked for."""
    with tab(browser, site.url, site.cookie, width=width) as context:
        page = context.new_page()
        if dark:
            page.emulate_media(color_scheme="dark")
        for name, path in site.paths.items():
            page.goto(path)
            yield name, page
        page.goto(site.paths["rows"])
        page.get_by_role("button", name="Show these rows in full").click()
        assert page.get_by_text("ann@a.example").is_visible()
        yield "rows in full", page
        page.goto(site.paths["new"])
        page.get_by_role("button", name="Make it").click()
        yield "a form with errors", page


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_of_lists_has_a_fault_that_axe_finds_or_scrolls_sideways(
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


def test_the_dark_pages_of_lists_have_enough_contrast(
    browser: Browser, site: Site
) -> None:
    faults = []
    for name, page in pages(browser, site, 1280, dark=True):
        found = Axe().run(page).response["violations"]
        faults += [(name, each["id"], each["nodes"][0]["html"]) for each in found]

    assert faults == []


def test_a_list_is_made_and_filled_without_scripts_and_by_keyboard_alone(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(GOOD, encoding="utf-8")
    with tab(browser, site.url, site.cookie, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("/lists/new/")
        page.get_by_label("Name", exact=True).fill("By keyboard")
        page.get_by_label("What is it for?").fill("A test of the keys.")
        page.get_by_label("Keep until").fill("2099-01-01")
        page.get_by_role("button", name="Make it").press("Enter")
        page.get_by_label("File").set_input_files(file)
        page.get_by_role("button", name="Check", exact=True).press("Enter")
        made = RecipientList.objects.get(name="By keyboard").pk
        # A worker's work, since no file is small here.
        importing.take_all(own_domains=(), now=now, hide=hide)
        page.get_by_role("link", name="Show the newest state").press("Enter")
        page.get_by_role("button", name="Import 4 people").press("Enter")
        importing.take_all(own_domains=(), now=now, hide=hide)
        page.get_by_role("link", name="Show the newest state").press("Enter")

        assert page.get_by_text("4 people stand on the list now").is_visible()

    assert lists.ways(made) == {Way.MAIL: 2, Way.PHONE: 1, Way.POST: 1}


def test_a_file_at_work_shows_by_itself_when_it_is_done(
    browser: Browser, site: Site
) -> None:
    with tab(browser, site.url, site.cookie) as context:
        page = context.new_page()
        page.goto(site.paths["at work"])
        importing.take_all(own_domains=(), now=now, hide=hide)

        page.get_by_role("button", name="Import 4 people").wait_for(timeout=20_000)
