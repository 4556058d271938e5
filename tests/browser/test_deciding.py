# SPDX-License-Identifier: Apache-2.0
"""Deciding in a real browser: with the mouse, with keys alone, without JavaScript."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.site import WIDTHS, tab
from tests.console.world import World, message, outsiders
from undisclosed.store import desk
from undisclosed.store.models import Role


def state_of(mailing: str) -> str:
    """Where the mailing is."""
    view = desk.mailing(mailing)
    assert view is not None
    return view.state.value


def cookie_of(world: World) -> str:
    """The session of a supervisor."""
    return world.client(Role.SUPERVISOR).cookies["sessionid"].value


def press_until(page: Page, name: str, *, presses: int = 40) -> None:
    """Press Tab until the thing of this name has the focus."""
    for _ in range(presses):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.textContent.trim()")
        if focused == name:
            return
    raise AssertionError(f"{name} is not reached by the Tab key")


def test_the_copies_are_followed_while_they_leave(
    world: World, browser: Browser, url: str
) -> None:
    mailing = world.hold(message(outsiders(60)))
    with tab(browser, url, cookie_of(world)) as context:
        page = context.new_page()
        page.goto(f"/mailings/{mailing}/")
        page.get_by_role("button", name="Send singly").click()

        expect(page.get_by_text("60 copies: 60 queued.")).to_be_visible()
        world.deliver()
        expect(page.get_by_text("60 copies: 60 sent.")).to_be_visible(timeout=15_000)
        expect(page.locator("#progress")).not_to_have_attribute(
            "hx-trigger", re.compile(".*")
        )


def test_everything_is_done_with_keys_alone(
    world: World, browser: Browser, url: str
) -> None:
    mailing = world.hold(message(outsiders(9)))
    with tab(browser, url, cookie_of(world)) as context:
        page = context.new_page()
        page.goto("/mailings/")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        expect(page.locator(".skip")).to_be_in_viewport()
        press_until(page, "Direct payments: your new rates")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/mailings/{mailing}/")
        press_until(page, "Release it unchanged")
        page.keyboard.press("Enter")
        expect(page.get_by_label("Why may these people")).to_be_visible()
        page.keyboard.press("Enter")
        page.keyboard.press("Shift+Tab")
        expect(page.get_by_role("button", name="Send singly")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_text("9 copies")).to_be_visible()

    assert state_of(mailing) == "split"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_sender_decides_by_link_without_javascript(
    world: World, browser: Browser, url: str, width: int
) -> None:
    mailing = world.hold(message(outsiders(9)))
    path = f"/links/{world.link(mailing)}/"
    with tab(browser, url, width=width, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(path)
        assert state_of(mailing) == "held"
        page.get_by_role("button", name="Send singly").click()

        expect(page.get_by_text("9 copies: 9 queued.")).to_be_visible()
        world.deliver()
        page.get_by_role("link", name="Show the newest state").click()
        expect(page.get_by_text("9 copies: 9 sent.")).to_be_visible()

    assert state_of(mailing) == "split"


def test_withdrawing_by_link_without_javascript_takes_two_steps(
    world: World, browser: Browser, url: str
) -> None:
    mailing = world.hold(message(outsiders(9)))
    with tab(browser, url, width=390, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"/links/{world.link(mailing)}/")
        expect(page.get_by_role("button", name="Withdraw")).to_be_hidden()
        page.get_by_text("Withdraw it").click()
        page.get_by_role("button", name="Withdraw").click()

        expect(page.get_by_text("Nobody received it.")).to_be_visible()

    assert state_of(mailing) == "withdrawn"


def test_a_release_without_javascript_asks_for_its_reason(
    world: World, browser: Browser, url: str
) -> None:
    mailing = world.hold(message(outsiders(9)))
    world.account(Role.MANAGER, login="mary@council.example")
    with tab(browser, url, cookie_of(world), java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"/mailings/{mailing}/")
        page.get_by_text("Release it unchanged").click()
        page.get_by_role("button", name="Release unchanged").click()
        expect(page.get_by_text("This field is required.")).to_be_visible()
        page.get_by_label("Why may these people").fill("A working group.")
        page.get_by_role("button", name="Release unchanged").click()
        expect(page.get_by_text("A working group.")).to_be_visible()

    assert state_of(mailing) == "released"


def test_searching_changes_the_list_in_place(
    world: World, browser: Browser, url: str
) -> None:
    world.hold(message(outsiders(9), subject="The first"))
    other = [f"p@p{number}.example" for number in range(9)]
    world.hold(message(other, subject="Another", body="Wholly different words.\n"))
    with tab(browser, url, cookie_of(world)) as context:
        page = context.new_page()
        page.goto("/mailings/")
        page.get_by_label("Search by a whole address").fill(other[3])
        page.keyboard.press("Enter")

        expect(page.get_by_text("The first")).to_have_count(0)
        expect(page.get_by_text("Another")).to_be_visible()
        assert "search=" in page.url
        page.reload()
        expect(page.get_by_text("The first")).to_have_count(0)
        page.get_by_label("State").select_option("Withdrawn")
        expect(page.get_by_text("Nothing matches.")).to_be_visible()


def test_addresses_are_read_in_full_only_after_asking(
    world: World, browser: Browser, url: str
) -> None:
    everybody = outsiders(9)
    mailing = world.hold(message(everybody))
    with tab(browser, url, cookie_of(world)) as context:
        page = context.new_page()
        page.goto(f"/mailings/{mailing}/people/")
        expect(page.get_by_text(everybody[0])).to_have_count(0)
        page.get_by_role("button", name="Show these addresses in full").click()
        expect(page.get_by_text(everybody[0])).to_be_visible()
        page.get_by_role("link", name="Shorten them again").click()
        expect(page.get_by_text(everybody[0])).to_have_count(0)

    assert world.events().count("addresses asked") == 1
