# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect against a server of its own, over HTTP."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client, override_settings

from tests.console.test_mailings import words
from tests.console.world import World
from undisclosed.console import wiring
from undisclosed.console.site import site_settings
from undisclosed.store.database import database as stored
from undisclosed.store.models import Account, JournalEntry, Role
from undisclosed.store.settings_values import OpenIdSettings

CLIENT = "undisclosed"
SECRET = "a secret of the tests that is long enough"


@dataclass
class Server:
    """An OpenID Connect server: what it says of whoever comes."""

    url: str = ""
    person: dict[str, object] = field(default_factory=dict)
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def answer(self, path: str) -> dict[str, object]:
        """The answer of one page."""
        match path:
            case "/.well-known/openid-configuration":
                return {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.url}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "userinfo_endpoint": f"{self.url}/userinfo",
                    "jwks_uri": f"{self.url}/keys",
                }
            case "/token":
                said = {"iss": self.url, "aud": CLIENT, "exp": time.time() + 60}
                token = jwt.encode(said | self.person, SECRET, "HS256")
                return {"access_token": "t", "token_type": "Bearer", "id_token": token}
            case _:
                return self.person


@pytest.fixture
def server() -> Iterator[Server]:
    """The server, on a free port of this machine."""
    said = Server(person={"sub": "7", "email": "olive@council.example"})

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            said.asked.append(parse_qs(body))
            self._answer()

        def _answer(self) -> None:
            body = json.dumps(said.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    said.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    yield said
    listening.shutdown()
    listening.server_close()
    thread.join()


@contextmanager
def using(server: Server) -> Iterator[None]:
    """The settings with this server."""
    given = wiring.settings()
    openid = OpenIdSettings(server.url, CLIENT, "the council", SECRET)
    site = site_settings("http://testserver", openid)
    with override_settings(
        UNDISCLOSED=replace(given, console=replace(given.console, openid=openid)),
        SOCIALACCOUNT_PROVIDERS=site["SOCIALACCOUNT_PROVIDERS"],
    ):
        yield


def come(server: Server, browser: Client) -> object:
    """Go to the server and come back; the answer."""
    with using(server):
        page = browser.get("/log-in/").content.decode()
        assert "Log in with the council" in page
        there = browser.get("/oidc/organisation/login/")
        asked = parse_qs(urlsplit(there["Location"]).query)
        assert there["Location"].startswith(f"{server.url}/authorize?")
        assert asked["code_challenge_method"] == ["S256"]
        return browser.get(
            "/oidc/organisation/login/callback/",
            {"code": "c", "state": asked["state"][0]},
        )


def test_a_verified_address_opens_the_account_that_has_it(
    world: World, server: Server
) -> None:
    account = world.account(Role.SENDER)
    server.person["email_verified"] = True
    first, again = Client(), Client()

    answer = come(server, first)
    server.person["email"] = "renamed@council.example"
    come(server, again)

    assert answer.status_code == 302  # type: ignore[attr-defined]
    assert first.get("/").status_code == again.get("/").status_code == 200
    assert SocialAccount.objects.get().user_id == account.pk
    last = JournalEntry.objects.filter(event="logged in").order_by("id").last()
    assert last is not None
    assert last.facts["how"] == ["socialaccount"]
    assert server.asked[0]["code_verifier"]


@pytest.mark.parametrize(
    "person",
    [
        {"email_verified": False},
        {},
        {"email": "nobody@council.example", "email_verified": True},
        {"email": "", "email_verified": True},
    ],
    ids=["not verified", "not said", "no account", "no address"],
)
def test_nobody_else_comes_in(
    world: World, server: Server, person: dict[str, object]
) -> None:
    world.account(Role.SENDER)
    server.person.update(person)
    browser = Client()

    answer = come(server, browser)

    assert answer.status_code == 403  # type: ignore[attr-defined]
    assert browser.get("/").status_code == 302
    assert Account.objects.count() == 1
    assert not SocialAccount.objects.exists()


def test_an_account_that_is_not_active_does_not_come_in(
    world: World, server: Server
) -> None:
    world.account(Role.SENDER)
    server.person["email_verified"] = True
    come(server, Client())
    Account.objects.update(is_active=False)
    browser = Client()

    answer = come(server, browser)

    assert "not active" in words(answer.content)  # type: ignore[attr-defined]
    assert browser.get("/").status_code == 302


def test_nothing_that_the_server_tells_is_kept(world: World, server: Server) -> None:
    world.account(Role.SENDER)
    server.person |= {"email_verified": True, "sub": "subject-7", "name": "Olive Grey"}
    come(server, Client())

    with stored() as connection:
        kept = str(connection.all("SELECT * FROM socialaccount_socialaccount"))

    assert "subject-7" not in kept and "council.example" not in kept
    assert "Grey" not in kept
    assert not EmailAddress.objects.exists()
    assert not SocialToken.objects.exists()


def test_an_answer_that_nobody_asked_for_is_refused(
    world: World, server: Server
) -> None:
    world.account(Role.SENDER)
    server.person["email_verified"] = True
    browser = Client()

    with using(server):
        answer = browser.get(
            "/oidc/organisation/login/callback/", {"code": "c", "state": "x"}
        )

    assert answer.status_code == 403
    assert browser.get("/").status_code == 302


def test_without_a_server_there_is_no_such_page(world: World) -> None:
    assert Client().get("/oidc/organisation/login/").status_code == 404
    assert "Log in with your" not in Client().get("/log-in/").content.decode()
