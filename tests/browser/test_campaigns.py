# SPDX-License-Identifier: Apache-2.0
"""Campaigns in a real browser: for everybody, with keys alone, without JavaScript."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import Browser, Page, expect

from tests.browser.site import WIDTHS, tab
from tests.browser.test_deciding import press_until
from tests.console.campaigns import THREE, Office
from tests.console.world import World, message, now, outsiders
from undisclosed.core.campaign import Attached, CampaignState, CheckFinding, Weight
from undisclosed.send import approval
from undisclosed.store import campaigns

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def office(world: World) -> Office:
    return Office(world)


def cookie_of(office: Office, name: str) -> str:
    """The session of this person."""
    return office.client(name).cookies["sessionid"].value


def pages_of(office: Office) -> list[tuple[str, str]]:
    """Every page of campaigns in every state: who looks at it, and where it is."""
    chosen = office.list_of(*THREE)
    found = office.drafted(chosen)
    weights = (Weight.STOP, Weight.OVERRIDE, Weight.NOTE)
    findings = [
        CheckFinding(f"check-{one.value}", one, "Something was found.", "text", (1,), 1)
        for one in weights
    ]
    content, by = approval.content_of(campaigns.get(found)), office.people["sam"].pk
    approval.record_checks(found, content, findings, by=by, now=now())
    approved, sending, paused = (
        office.submitted(chosen),
        office.sending(chosen),
        office.sending(chosen),
    )
    office.approve(approved)
    campaigns.pause(paused, "Somebody has to look.", by="worker", now=now())
    changed = office.submitted(chosen)
    office.approve(changed, "mary")
    campaigns.change(changed, by=by, now=now(), text=campaigns.text_of(found))
    submitted = office.submitted(chosen)
    empty = campaigns.create(
        "Nothing yet",
        team=office.team.pk,
        kind=campaigns.get(found).kind,
        by=by,
        now=now(),
    )
    with_files = office.drafted(chosen)
    files = (Attached("dates.csv", "text/csv", b"Monday"),)
    campaigns.change(with_files, by=by, now=now(), files=files)
    every = [with_files, found, approved, sending, paused, changed, empty]
    return [
        ("sam", "/campaigns/"),
        ("sam", "/campaigns/new/"),
        ("mary", f"/campaigns/{submitted}/"),
        ("sam", f"/campaigns/{submitted}/"),
        ("sam", f"/campaigns/{with_files}/write/"),
        ("sam", f"/campaigns/{found}/preview/?row=2"),
        *(("sam", f"/campaigns/{one}/") for one in every),
    ]


def opened(
    office: Office, browser: Browser, url: str, width: int
) -> Iterator[tuple[str, Page]]:
    """Each page, opened by whoever may see it, with everything unfolded."""
    for name, path in pages_of(office):
        with tab(browser, url, cookie_of(office, name), width=width) as context:
            page = context.new_page()
            page.goto(path)
            for details in page.locator("details").all():
                details.evaluate("element => element.open = true")
            yield path, page


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_of_campaigns_has_a_fault_that_axe_finds(
    office: Office, browser: Browser, url: str, width: int
) -> None:
    faults = []
    for path, page in opened(office, browser, url, width):
        for scheme in ("light", "dark") if width == WIDTHS[0] else ("light",):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found = Axe().run(page).response["violations"]
            faults += [(path, one["id"], one["nodes"][0]["html"]) for one in found]
        if page.evaluate(OVERFLOW) > 0:
            faults.append((path, "scrolls sideways", str(width)))

    assert faults == []


def test_the_pages_break_no_policy_of_theirs(
    office: Office, browser: Browser, url: str
) -> None:
    complaints = list[str]()
    with tab(browser, url, cookie_of(office, "sam")) as context:
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for name, path in pages_of(office):
            if name == "sam":
                page.goto(path)

    assert complaints == []


def test_an_approver_decides_with_keys_alone(
    office: Office, browser: Browser, url: str
) -> None:
    made = office.submitted()
    with tab(browser, url, cookie_of(office, "mary")) as context:
        page = context.new_page()
        page.goto(f"/campaigns/{made}/")
        page.get_by_label("I have looked at").focus()
        page.keyboard.press("Space")
        press_until(page, "Approve")
        page.keyboard.press("Enter")

        expect(page.get_by_role("cell", name="Mary", exact=True)).to_be_visible()

    given = campaigns.consents(made, campaigns.get(made).digest or b"")
    assert [role for role, _, _ in given] == ["supervisor"]


def test_it_is_checked_submitted_and_refused_without_javascript(
    office: Office, browser: Browser, url: str
) -> None:
    made = office.checked()
    with tab(
        browser, url, cookie_of(office, "sam"), java_script_enabled=False
    ) as context:
        page = context.new_page()
        page.goto(f"/campaigns/{made}/")
        page.get_by_role("button", name="Submit").click()
        expect(page.get_by_text("Nobody approves their own.")).to_be_visible()
    with tab(
        browser, url, cookie_of(office, "max"), java_script_enabled=False
    ) as context:
        page = context.new_page()
        page.goto(f"/campaigns/{made}/")
        page.get_by_text("Refuse it as Manager").click()
        page.get_by_label("Why?").fill("The date is wrong.")
        page.get_by_role("button", name="Refuse").click()
        expect(page.get_by_text("The date is wrong.")).to_be_visible()

    assert campaigns.get(made).state is CampaignState.DRAFT


def test_what_is_written_is_seen_while_it_is_written(
    office: Office, browser: Browser, url: str
) -> None:
    made = office.drafted()
    with tab(browser, url, cookie_of(office, "sam")) as context:
        page = context.new_page()
        page.goto(f"/campaigns/{made}/write/")
        message = page.frame_locator("iframe.message")
        expect(message.get_by_text("Monday")).to_be_visible()
        page.get_by_label("Text", exact=True).fill("Dear {{ name }}, it is *Friday*.")
        expect(message.get_by_text("Friday")).to_be_visible(timeout=10_000)

    assert b"Monday" in (campaigns.text_of(made) or b"")


def test_the_live_page_follows_what_is_sent(
    office: Office, browser: Browser, url: str
) -> None:
    made = office.sending()
    with tab(browser, url, cookie_of(office, "sam")) as context:
        page = context.new_page()
        page.goto(f"/campaigns/{made}/")
        expect(page.get_by_text("0 of 3 messages sent.")).to_be_visible()
        campaigns.cancel(made, by=office.people["sam"].pk, now=now())
        expect(page.get_by_text("0 of 3 messages sent, 3 failed.")).to_be_visible(
            timeout=15_000
        )


def test_a_held_mail_becomes_a_campaign_by_its_page(
    office: Office, browser: Browser, url: str
) -> None:
    mailing = office.world.hold(message(outsiders(9), subject="New rates"))
    sam = office.people["sam"]
    sam.roles = ["supervisor"]
    sam.save()
    with tab(browser, url, cookie_of(office, "sam")) as context:
        page = context.new_page()
        page.goto(f"/mailings/{mailing}/")
        page.locator("summary", has_text="Make it a campaign").click()
        page.get_by_role("button", name="Make it a campaign").click()
        expect(page.get_by_text("The mail stays held.")).to_be_visible()
        expect(page.get_by_label("Subject")).to_have_value("New rates")
