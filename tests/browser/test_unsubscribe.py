# SPDX-License-Identifier: Apache-2.0
"""The page to unsubscribe in a real browser, and by what providers really post."""

import http.client
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]
    Axe,
)
from django.test import override_settings
from playwright.sync_api import Browser

from tests.browser.site import WIDTHS, tab
from tests.console.world import World
from tests.store.campaigns import address_of, sending
from undisclosed.console import wiring
from undisclosed.core.campaign import MailKind
from undisclosed.send.tokens import Purpose
from undisclosed.store import campaigns, suppressions
from undisclosed.store.database import database as connected

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FIELD = b"List-Unsubscribe=One-Click"
BOUNDARY = "0000000000005f5b1c0616e8f1a2"
MULTIPART = (
    f"--{BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
    f"One-Click\r\n--{BOUNDARY}--\r\n"
).encode()


@pytest.fixture
def campaign(world: World) -> Iterator[str]:
    """A newsletter to three people, of an organisation with a long name."""
    made = sending(3)
    with connected() as connection:
        connection.run("UPDATE store_campaign SET kind = 'marketing'")
    given = wiring.settings()
    words = replace(given.send.unsubscribe, organisation="Nordby District Council " * 3)
    send = replace(given.send, unsubscribe=words)
    with override_settings(UNDISCLOSED=replace(given, send=send)):
        yield made


def path_of(campaign: str, number: int) -> str:
    serial = campaigns.get(campaign).serial
    token = wiring.send_tokens().make(Purpose.UNSUBSCRIBE, serial, number)
    return f"/unsubscribe/{token}/"


def reason_of(campaign: str, number: int) -> str:
    team = campaigns.get(campaign).team
    return suppressions.why(address_of(number), team=team, kind=MailKind.MARKETING)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_no_state_of_the_page_has_a_fault_that_axe_finds_or_scrolls_sideways(
    browser: Browser, url: str, campaign: str, width: int, dark: bool
) -> None:
    faults = []
    with tab(browser, url, width=width) as context:
        page = context.new_page()
        if dark:
            page.emulate_media(color_scheme="dark")
        for state in ("ask", "done", "wrong"):
            page.goto("/unsubscribe/x/" if state == "wrong" else path_of(campaign, 1))
            if state == "done":
                page.get_by_role("button", name="Unsubscribe").click()
            found = Axe().run(page).response["violations"]
            faults += [(state, each["id"], each["nodes"][0]["html"]) for each in found]
            if page.evaluate(OVERFLOW) > 0:
                faults.append((state, "scrolls sideways", str(width)))

        assert context.cookies() == []
    assert faults == []


def test_it_is_done_by_keyboard_alone_and_without_scripts(
    browser: Browser, url: str, campaign: str
) -> None:
    with tab(browser, url, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(path_of(campaign, 1))
        before = reason_of(campaign, 1)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")

        page.get_by_role("heading", name="You are unsubscribed").wait_for()
        assert page.locator("html").get_attribute("lang") == "en"
    assert before == ""
    assert reason_of(campaign, 1) == "unsubscribed"
    assert reason_of(campaign, 2) == ""


def asked(
    url: str, method: str, path: str, body: bytes = b"", kind: str = ""
) -> http.client.HTTPResponse:
    """What a program without cookies is answered; redirects are not followed."""
    where = urlsplit(url)
    connection = http.client.HTTPConnection(
        where.hostname or "", where.port, timeout=30
    )
    headers = {"Content-Type": kind} if kind else {}
    try:
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        answer.read()
    finally:
        connection.close()
    return answer


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (FIELD, "application/x-www-form-urlencoded"),
        (MULTIPART, f"multipart/form-data; boundary={BOUNDARY}"),
    ],
    ids=["urlencoded", "multipart"],
)
def test_one_click_is_done_in_both_forms_that_rfc_8058_has(
    url: str, campaign: str, body: bytes, kind: str
) -> None:
    answer = asked(url, "POST", path_of(campaign, 2), body, kind)

    assert answer.status == 200
    assert answer.getheader("Set-Cookie") is None
    assert answer.getheader("Location") is None
    assert reason_of(campaign, 2) == "unsubscribed"


def test_what_only_looks_changes_nothing(url: str, campaign: str) -> None:
    path = path_of(campaign, 3)

    codes = [asked(url, method, path).status for method in ("GET", "HEAD", "OPTIONS")]
    question = f"{path}?List-Unsubscribe=One-Click"
    codes.append(asked(url, "GET", question).status)

    assert codes == [200, 200, 405, 200]
    assert reason_of(campaign, 3) == ""


def test_one_click_with_a_wrong_token_is_told_and_does_nothing(
    url: str, campaign: str
) -> None:
    kind = "application/x-www-form-urlencoded"
    path = path_of(campaign, 1)[:-3] + "aa/"

    answer = asked(url, "POST", path, FIELD, kind)

    assert answer.status == 404
    assert not suppressions.page(None).items
