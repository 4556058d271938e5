# SPDX-License-Identifier: Apache-2.0
"""The public page to unsubscribe: it shows without acting, and tells about nobody."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.test import Client, override_settings

from tests.console.world import World
from tests.store.campaigns import NOW, address_of, sending
from undisclosed.console import wiring
from undisclosed.console.logged_paths import shortened
from undisclosed.core.campaign import MailKind
from undisclosed.send.tokens import Purpose
from undisclosed.store import campaigns, suppressions
from undisclosed.store.database import database
from undisclosed.store.models import Account, Role
from undisclosed.store.settings_values import UnsubscribeSettings


@pytest.fixture
def campaign(world: World) -> str:
    """A newsletter that is being sent to three people."""
    made = sending(3)
    with database() as connection:
        connection.run("UPDATE store_campaign SET kind = 'marketing'")
    return made


def path_of(campaign: str, number: int, purpose: Purpose = Purpose.UNSUBSCRIBE) -> str:
    """Where one person's message leads to."""
    serial = campaigns.get(campaign).serial
    token = wiring.send_tokens().make(purpose, serial, number)
    return f"/unsubscribe/{token}/"


def reason_of(campaign: str, number: int) -> str:
    """Why a person gets no newsletter."""
    team = campaigns.get(campaign).team
    return suppressions.why(address_of(number), team=team, kind=MailKind.MARKETING)


def test_looking_acts_on_nothing(campaign: str) -> None:
    browser = Client()

    answers = [browser.get(path_of(campaign, 1)), browser.head(path_of(campaign, 1))]

    assert [each.status_code for each in answers] == [200, 200]
    assert reason_of(campaign, 1) == ""


def test_the_page_tells_nothing_about_anybody(campaign: str) -> None:
    pages = [Client().get(path_of(campaign, number)).content for number in (1, 2)]

    assert pages[0] == pages[1]
    assert b"a.example" not in pages[0]
    assert b"Bin days" not in pages[0]


def test_one_click_needs_no_cookie_and_leads_nowhere_else(campaign: str) -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post(path_of(campaign, 2), {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert not answer.cookies
    assert reason_of(campaign, 2) == "unsubscribed"
    assert reason_of(campaign, 1) == ""


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        ("", "application/x-www-form-urlencoded"),
        ("\xff nonsense", "multipart/form-data; boundary="),
        ("{", "application/json"),
    ],
)
def test_whatever_the_provider_posts_it_is_done(
    campaign: str, body: str, content_type: str
) -> None:
    path = path_of(campaign, 3)

    answer = Client().post(path, body, content_type=content_type)

    assert answer.status_code == 200
    assert reason_of(campaign, 3) == "unsubscribed"


def test_the_button_of_the_page_is_enough(campaign: str) -> None:
    browser = Client(enforce_csrf_checks=True)
    page = browser.get(path_of(campaign, 1))

    answer = browser.post(path_of(campaign, 1))

    assert b'<form method="post">' in page.content
    assert not page.cookies
    assert b"You are unsubscribed" in answer.content


def test_twice_is_once(campaign: str) -> None:
    for _ in range(2):
        answer = Client().post(path_of(campaign, 1))

        assert answer.status_code == 200
    assert len(suppressions.page(None).items) == 1


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_token_that_is_none_of_ours_says_the_same_whatever_it_is(
    campaign: str, method: str
) -> None:
    wrong = [
        "/unsubscribe/x/",
        f"/unsubscribe/{26 * 'a'}/",
        path_of(campaign, 1, Purpose.RETURN_PATH),
        path_of(campaign, 1)[:-3] + "77/",
        path_of(campaign, 99),
    ]

    answers = [getattr(Client(), method)(path) for path in wrong]

    assert {each.status_code for each in answers} == {404}
    assert len({each.content for each in answers}) == 1
    assert not suppressions.page(None).items


def test_other_methods_are_refused(campaign: str) -> None:
    assert Client().put(path_of(campaign, 1)).status_code == 405


def test_no_search_engine_lists_it(campaign: str) -> None:
    answer = Client().get(path_of(campaign, 1))

    assert "noindex" in answer["X-Robots-Tag"]
    assert answer["Cache-Control"] == "no-store"


def test_what_waits_for_the_person_does_not_leave(campaign: str) -> None:
    Client().post(path_of(campaign, 1))

    with database() as connection:
        states = dict(connection.all("SELECT number, state FROM store_delivery"))

    assert states == {1: "suppressed", 2: "queued", 3: "queued"}


def test_no_token_stands_in_a_log(campaign: str) -> None:
    path = path_of(campaign, 1)

    assert shortened(f"Not Found: {path}") == "Not Found: /unsubscribe/…"


def test_the_moment_of_the_campaign_does_not_matter(campaign: str) -> None:
    campaigns.cancel(campaign, by="test", now=NOW)

    assert Client().post(path_of(campaign, 1)).status_code == 200
    assert reason_of(campaign, 1) == "unsubscribed"


DUTCH = UnsubscribeSettings(
    organisation="Gemeente Nordby",
    language="nl",
    ask_heading="Wilt u dit niet meer?",
    ask_text="U krijgt dan geen nieuwsbrief meer.\n\nBrieven over uzelf wel.",
    button="Afmelden",
    done_heading="U bent afgemeld",
    done_text="U krijgt geen nieuwsbrief meer.",
    wrong_heading="Deze link klopt niet",
    wrong_text="Kopieer hem helemaal.",
)


@pytest.fixture
def in_dutch() -> Iterator[None]:
    """The page in the words of an organisation."""
    given = wiring.settings()
    send = replace(given.send, unsubscribe=DUTCH)
    with override_settings(UNDISCLOSED=replace(given, send=send)):
        yield


@pytest.mark.usefixtures("in_dutch")
def test_the_page_speaks_in_the_words_of_the_organisation(campaign: str) -> None:
    browser, path = Client(), path_of(campaign, 1)

    answers = {
        "ask": browser.get(path),
        "done": browser.post(path),
        "wrong": browser.get("/unsubscribe/x/"),
    }

    pages = {name: each.content.decode() for name, each in answers.items()}
    assert '<p class="text">Brieven over uzelf wel.</p>' in pages["ask"]
    assert ">Afmelden</button>" in pages["ask"]
    assert "<h1>U bent afgemeld</h1>" in pages["done"]
    assert "<h1>Deze link klopt niet</h1>" in pages["wrong"]
    for name, page in pages.items():
        assert '<html lang="nl" dir="ltr">' in page, name
        assert "Gemeente Nordby</title>" in page
        assert "Undisclosed" not in page
        assert answers[name]["Content-Language"] == "nl"


@pytest.mark.parametrize(
    ("language", "direction"), [("ar", "rtl"), ("he-IL", "rtl"), ("fr-CA", "ltr")]
)
def test_a_language_is_written_in_its_own_direction(
    campaign: str, language: str, direction: str
) -> None:
    given = wiring.settings()
    send = replace(given.send, unsubscribe=replace(DUTCH, language=language))

    with override_settings(UNDISCLOSED=replace(given, send=send)):
        page = Client().get(path_of(campaign, 1)).content.decode()

    assert f'<html lang="{language}" dir="{direction}">' in page


def test_our_own_words_are_english_whatever_the_browser_asks_for(campaign: str) -> None:
    page = Client(headers={"Accept-Language": "nl"}).get(path_of(campaign, 1))

    assert b'<html lang="en" dir="ltr">' in page.content
    assert b"Do you want no more of this?" in page.content


def test_words_of_the_organisation_are_text_and_no_markup(campaign: str) -> None:
    given = wiring.settings()
    words = replace(DUTCH, ask_text="<script>x</script>", organisation='"><b>')

    send = replace(given.send, unsubscribe=words)
    with override_settings(UNDISCLOSED=replace(given, send=send)):
        page = Client().get(path_of(campaign, 1)).content

    assert b"<script>" not in page
    assert b"<b>" not in page


def test_nothing_of_who_is_logged_in_stands_on_it(world: World, campaign: str) -> None:
    client = world.client(Role.SENDER)
    account = Account.objects.get(name="Olive")

    inside = client.get(path_of(campaign, 1)).content

    assert inside == Client().get(path_of(campaign, 1)).content
    assert account.name.encode() not in inside


def test_head_says_what_get_does_and_has_no_body(campaign: str) -> None:
    right, wrong = path_of(campaign, 1), "/unsubscribe/x/"

    codes = [Client().head(path).status_code for path in (right, wrong)]

    assert codes == [200, 404]
    assert Client().head(right).content == b""
    assert reason_of(campaign, 1) == ""
