# SPDX-License-Identifier: Apache-2.0
"""The whole way of a clerk: from pasted rows to the proof of what was sent.

With keys alone. Each page on it is looked at with axe, at both widths; and the same
way is gone without JavaScript, where axe cannot look.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from playwright.sync_api import Browser, Page, expect

from tests.browser.site import WIDTHS, tab
from tests.console.campaigns import Office
from tests.console.world import World, now
from tests.send.sending import sent
from undisclosed.core.campaign import CampaignState, DeliveryState
from undisclosed.guard.testing import FixedClock
from undisclosed.send import proof_verifier
from undisclosed.store import campaigns, ledger
from undisclosed.store.models import Campaign

OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true })"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ROWS = "\n".join(
    [
        "Email\tFirst name\tWard",
        "ann@a.example\tAnn\tNorth",
        "bob@b.example\tBob\tSouth",
        "eve@c.example\tEve\tNorth",
    ]
)
TEXT = (
    "Dear {{ first_name }},\n\n"
    '{% if ward == "North" %}your bin day is **Monday**.{% else %}it is **Friday**.'
    "{% endif %}\n"
)


class Walk:
    """A person's tab, in which every page is looked at before the next."""

    def __init__(self, page: Page, folder: Path, *, has_script: bool) -> None:
        self.page = page
        self.has_script = has_script
        self.faults: list[tuple[str, str]] = []
        self._folder = folder
        self._number = 0

    def look(self, name: str) -> None:
        """Take a picture of the page, and run axe over it."""
        self._number += 1
        if not self.has_script:
            return
        self.page.evaluate(OPEN_ALL)
        self.page.screenshot(
            path=self._folder / f"{self._number:02}-{name}.png", full_page=True
        )
        found = Axe().run(self.page).response["violations"]
        self.faults += [(name, one["id"]) for one in found]
        if self.page.evaluate(OVERFLOW) > 0:
            self.faults.append((name, "scrolls sideways"))

    def press(self, name: str) -> None:
        """Press a button, as a person with a keyboard does."""
        self.page.get_by_role("button", name=name).first.focus()
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def follow(self, name: str) -> None:
        """Follow a link, likewise."""
        self.page.get_by_role("link", name=name).first.focus()
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")


@dataclass
class Way:
    """How the way is gone: in which window, and whether scripts run."""

    office: Office
    browser: Browser
    url: str
    folder: Path
    width: int
    has_script: bool

    @contextmanager
    def as_(self, name: str, part: str = "") -> Iterator[Walk]:
        """A tab in which this person is logged in."""
        cookie = self.office.client(name).cookies["sessionid"].value
        folder = self.folder / f"{name}{part}"
        folder.mkdir(parents=True, exist_ok=True)
        script = {"java_script_enabled": self.has_script}
        with tab(self.browser, self.url, cookie, width=self.width, **script) as context:
            walk = Walk(context.new_page(), folder, has_script=self.has_script)
            yield walk
            assert walk.faults == []


def leave() -> None:
    """A worker sends what is due, in a thread: this one has the browser's loop."""
    with ThreadPoolExecutor(1) as worker:
        worker.submit(lambda: sent(clock=FixedClock(now()))).result()


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("width", "has_script"),
    [(WIDTHS[0], True), (WIDTHS[1], True), (WIDTHS[0], False)],
    ids=["wide", "narrow", "without JavaScript"],
)
def test_a_clerk_goes_the_whole_way(
    world: World,
    browser: Browser,
    url: str,
    tmp_path: Path,
    width: int,
    has_script: bool,
) -> None:
    way = Way(Office(world), browser, url, tmp_path, width, has_script)
    with way.as_("sam") as sam:
        _import(sam)
        _write(sam)
        _check_and_submit(sam)
    made = Campaign.objects.get().pk
    for name, role in (
        ("mary", "Supervisor"),
        ("max", "Manager"),
        ("cora", "Communications"),
    ):
        with way.as_(name) as approver:
            _approve(approver, made, role)
    with way.as_("sam", "-after") as sam:
        _send(sam, made)
        _prove(sam, tmp_path)

    assert campaigns.get(made).state is CampaignState.DONE
    assert ledger.counts(made) == {DeliveryState.SENT: 3}


def _import(sam: Walk) -> None:
    page = sam.page
    page.goto("/lists/")
    sam.look("no-lists")
    sam.follow("Make a list")
    sam.look("new-list")
    sam.press("Make it")
    sam.look("new-list-wrong")
    page.get_by_label("Name", exact=True).fill("North and South")
    page.get_by_label("What is it for?").fill("Tells people their bin day")
    page.get_by_label("Legal basis").select_option(index=1)
    sam.press("Make it")
    sam.look("list-empty")
    page.get_by_label("Or paste rows").fill(ROWS)
    sam.press("Check")
    sam.look("list-checked")
    sam.press("Import 3 people")
    sam.look("list-imported")
    sam.follow("To the list")
    sam.look("list")
    sam.follow("See the rows")
    sam.look("list-rows")


def _write(sam: Walk) -> None:
    page = sam.page
    page.goto("/campaigns/")
    sam.look("no-campaigns")
    sam.follow("New campaign")
    sam.look("new-campaign")
    sam.press("Write it")
    expect(page.get_by_text("This field is required.")).to_be_visible()
    sam.look("new-campaign-wrong")
    page.get_by_label("What is it called?").fill("Bin days")
    sam.press("Write it")
    sam.look("write-empty")
    sam.press("Keep it")
    sam.look("write-wrong")
    page.get_by_label("List of recipients").select_option(index=1)
    page.get_by_label("From: the name").fill("Bins")
    page.get_by_label("From: the address").fill("bins@council.example")
    page.get_by_label("Subject").fill("Your bin day, {{ first_name }}")
    page.get_by_label("Text", exact=True).fill("Dear {{ town }}")
    sam.press("Keep it")
    sam.look("write-unknown-field")
    page.get_by_label("Text", exact=True).fill(TEXT)
    sam.press("Keep it")
    sam.look("written")
    sam.follow("Look at any other person")
    sam.look("preview-1")
    sam.follow("Next person")
    expect(page.get_by_text("Row 3 of the list")).to_be_visible()
    expect(page.frame_locator("iframe.message").get_by_text("Friday")).to_be_visible()
    sam.look("preview-2")
    sam.follow("Previous person")
    expect(page.get_by_text("Row 2 of the list")).to_be_visible()
    sam.follow("Bin days")


def _check_and_submit(sam: Walk) -> None:
    page = sam.page
    sam.look("draft")
    sam.press("Run the checks")
    sam.look("checked")
    while page.locator("form[action*='/override/']").count():
        first = page.locator("details:has(form[action*='/override/'])").first
        if not first.get_by_role("button").is_visible():
            first.locator("summary").click()
        first.get_by_label("Why is it right?").fill("It is right.")
        first.get_by_role("button").click()
    sam.look("answered")
    sam.press("Submit")
    expect(page.get_by_text("Nobody approves their own.")).to_be_visible()
    sam.look("submitted")


def _approve(approver: Walk, made: str, role: str) -> None:
    page = approver.page
    page.goto(f"/campaigns/{made}/")
    approver.look(f"to-approve-{role}")
    page.get_by_label("I have looked at").focus()
    page.keyboard.press("Space")
    approver.press("Approve")
    expect(page.get_by_text("Your approval is recorded.")).to_be_visible()
    approver.look(f"approved-{role}")


def _send(sam: Walk, made: str) -> None:
    page = sam.page
    page.goto(f"/campaigns/{made}/")
    sam.look("approved")
    sam.press("Send now")
    expect(page.get_by_text("0 of 3 messages sent.")).to_be_visible()
    sam.look("sending")
    for _ in range(3):
        leave()
    page.goto(f"/campaigns/{made}/")
    expect(page.get_by_text("3 of 3 messages sent.")).to_be_visible()
    sam.look("done")


def _prove(sam: Walk, folder: Path) -> None:
    page, file = sam.page, folder / "proof.zip"
    button = page.get_by_role("button", name="Download the proof")
    if not button.is_visible():
        page.locator("summary", has_text="Proof").press("Enter")
    button.focus()
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    download.value.save_as(file)

    assert proof_verifier.main([str(file)]) == 0
