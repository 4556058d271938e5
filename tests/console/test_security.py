# SPDX-License-Identifier: Apache-2.0
"""What every answer carries, and what no page may hold."""

import re
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError
from django.test import Client, RequestFactory

from tests.console.test_mailings import words
from tests.console.world import World, message, outsiders
from undisclosed import console
from undisclosed.console.middleware import StoreAway
from undisclosed.console.site import GROUPS, site_settings
from undisclosed.errors import TransientError
from undisclosed.store import desk
from undisclosed.store.bootstrap import login_link
from undisclosed.store.database import Connection, Row
from undisclosed.store.models import Role

FOLDER = Path(console.__file__).parent
TEMPLATES = sorted(FOLDER.rglob("templates/**/*.html"))
OUTER = re.compile(r"(?:src|href|action)=[\"']?(?:https?:)?//")
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon[a-z]+=|javascript:")


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_of_pages_has_one_shape(group: str) -> None:
    for name in ("__init__.py", "urls.py", "views.py", "forms.py", "templates"):
        assert (FOLDER / group / name).exists(), name


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_asks_no_other_host_and_holds_no_inline_code(
    template: Path,
) -> None:
    text = template.read_text(encoding="utf-8")

    assert not OUTER.search(text)
    assert not INLINE.search(text)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_every_word_of_a_template_goes_through_gettext(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    for block in ("blocktranslate", "comment"):
        text = re.sub(rf"{{% {block}.*?{{% end{block} %}}", "", text, flags=re.S)
    text = re.sub(r"{[%{].*?[%}]}", "", text, flags=re.S)
    text = re.sub(r"<[^>]*>", "", text)

    left = re.findall(r"[A-Za-z]{2,}", text)
    assert set(left) <= {"Undisclosed"}


def test_the_stylesheet_asks_for_nothing() -> None:
    sheet = (FOLDER / "static/console/console.css").read_text(encoding="utf-8")

    assert "url(" not in sheet
    assert "@import" not in sheet


def test_every_answer_carries_the_headers(world: World) -> None:
    mailing = world.hold(message(outsiders(9)))
    client = world.client(*Role)

    for path in ("/", f"/mailings/{mailing}/", "/nowhere", "/healthz", "/log-in/x/"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Cache-Control"] == "no-store"


def test_cookies_are_for_this_site_only(world: World) -> None:
    link = f"/log-in/{login_link(world.account())}/"
    password = "a long and plain password"
    browser = Client()

    browser.get(link)
    browser.post(link, {"name": "Olive", "password": password, "again": password})

    for name in ("csrftoken", "sessionid"):
        assert browser.cookies[name]["samesite"] == "Lax"
        assert browser.cookies[name]["httponly"]


def test_by_https_cookies_are_secure() -> None:
    secure = site_settings("https://guard.council.example:8443/")
    plain = site_settings("http://127.0.0.1:8025")

    assert secure["SESSION_COOKIE_SECURE"] and secure["CSRF_COOKIE_SECURE"]
    assert secure["CSRF_TRUSTED_ORIGINS"] == ["https://guard.council.example:8443"]
    assert "guard.council.example" in secure["ALLOWED_HOSTS"]
    assert not plain["SESSION_COOKIE_SECURE"]


@pytest.mark.parametrize(
    "path",
    [
        "/mailings/x/send-singly/",
        "/mailings/x/withdraw/",
        "/mailings/x/release/",
        "/links/x/send-singly/",
        "/links/x/withdraw/",
        "/replay/",
        "/log-out/",
    ],
)
def test_a_get_never_acts(world: World, path: str) -> None:
    assert world.client(*Role).get(path).status_code == 405


def test_a_form_without_its_token_does_nothing(world: World) -> None:
    browser = Client(enforce_csrf_checks=True)

    answer = browser.post("/log-in/", {"login": "a@a.example", "password": "x"})

    assert answer.status_code == 403
    assert "Nothing was done." in words(answer.content)


@pytest.mark.parametrize(
    "error", [TransientError("The database is away."), OperationalError("gone")]
)
def test_a_store_that_is_away_is_said_in_a_sentence(error: Exception) -> None:
    middleware = StoreAway(lambda request: None)  # type: ignore[arg-type, return-value]

    answer = middleware.process_exception(RequestFactory().get("/"), error)

    assert answer is not None
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "Held mail is safe" in words(answer.content)


def test_what_is_no_trouble_of_the_store_is_left_to_django() -> None:
    middleware = StoreAway(lambda request: None)  # type: ignore[arg-type, return-value]

    request = RequestFactory().get("/")
    assert middleware.process_exception(request, ValueError("ours")) is None


def test_the_number_of_queries_does_not_grow_with_the_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, asked = world.client(Role.AUDITOR), list[str]()
    run = Connection.run

    def counted(
        self: Connection, query: str, values: Sequence[object] = ()
    ) -> "psycopg.Cursor[Row]":
        asked.append(query)
        return run(self, query, values)

    def queries() -> int:
        asked.clear()
        client.get("/mailings/")
        return len(asked)

    monkeypatch.setattr(Connection, "run", counted)
    none = queries()
    for number in range(4):
        subject = f"Number {number} {'abc'[: number % 3] * 9}"
        body = f"Something about {number}: {'wholly different ' * number}\n"
        world.hold(message(outsiders(9), subject=subject, body=body))

    assert queries() == none > 0
    assert len(desk.mailings().items) == 4
