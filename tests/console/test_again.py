# SPDX-License-Identifier: Apache-2.0
"""Being asked again before an act that counts: nothing is lost, nobody locked out."""

import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.test import Client, override_settings

from tests.console.test_accounts import LOGIN, PASSWORD, with_password
from tests.console.test_mailings import words
from tests.console.test_openid import Server, come, server, using
from tests.console.test_second_factors import code_of, left_alone, with_app
from tests.console.world import World, message, outsiders
from undisclosed.console import wiring
from undisclosed.console.accounts import again
from undisclosed.store import desk
from undisclosed.store.models import Account, Circle, Role

__all__ = ["server"]

FOUND = 302
PEOPLE = "ann@a.example\nbob@b.example"
WHY = "Both sit in the committee of the allotments, since 2019."
FORM = {"people": PEOPLE, "reason": WHY, "months": "6"}


def approver(world: World) -> Client:
    """Olive, a supervisor, whose last answer is an hour old."""
    with_password(world)
    browser = Client()
    assert browser.post("/log-in/", LOGIN).status_code == 302
    left_alone(browser)
    return browser


def answered(browser: Client, asked: str, answer: dict[str, str]) -> object:
    """Answer the question as a browser does: what follows 307 is posted again."""
    wanted = parse_qs(urlsplit(asked).query)["next"][0]
    return browser.post(asked, answer | {"next": wanted}, follow=True)


def test_a_log_in_of_just_now_is_an_answer(world: World) -> None:
    with_password(world)
    browser = Client()
    browser.post("/log-in/", LOGIN)

    assert browser.post("/circles/", FORM)["Location"] == "/circles/"
    assert Circle.objects.count() == 1


def test_what_was_filled_in_is_done_after_the_answer(world: World) -> None:
    browser = approver(world)

    asked = browser.post("/circles/", FORM)
    before = Circle.objects.count()
    page = answered(browser, asked["Location"], {"password": PASSWORD})

    assert asked["Location"] == "/security/again/?next=%2Fcircles%2F"
    assert before == 0
    assert page.redirect_chain == [("/circles/", 307), ("/circles/", 302)]  # type: ignore[attr-defined]
    assert Circle.objects.count() == 1
    assert WHY in words(page.content)  # type: ignore[attr-defined]


def test_what_was_filled_in_wrongly_is_shown_with_its_values(world: World) -> None:
    browser = approver(world)

    asked = browser.post("/circles/", FORM | {"people": "ann@a.example"})
    page = answered(browser, asked["Location"], {"password": PASSWORD})

    said = words(page.content)  # type: ignore[attr-defined]
    assert page.status_code == 400  # type: ignore[attr-defined]
    assert "A circle needs two people outside." in said
    assert WHY in said and "ann@a.example" in said
    assert PASSWORD not in said


def test_a_release_keeps_its_reason(world: World) -> None:
    browser, mailing = approver(world), world.hold(message(outsiders(8)))

    asked = browser.post(f"/mailings/{mailing}/release/", {"reason": WHY, "months": 3})
    answered(browser, asked["Location"], {"password": PASSWORD})

    found = desk.mailing(mailing)
    assert found is not None and found.state.value != "held"
    assert Circle.objects.count() == 1


def test_what_waits_is_sealed(world: World) -> None:
    browser = approver(world)

    browser.post("/circles/", FORM)

    kept = [one.get_decoded() for one in Session.objects.all()]
    assert "a.example" not in json.dumps(kept) and "allotments" not in json.dumps(kept)


def test_a_wrong_answer_does_nothing_and_a_right_one_still_does(world: World) -> None:
    browser = approver(world)
    asked = browser.post("/circles/", FORM)["Location"]

    wrong = answered(browser, asked, {"password": "wrong"})
    between = Circle.objects.count()
    answered(browser, asked, {"password": PASSWORD})

    assert wrong.status_code == 200  # type: ignore[attr-defined]
    assert (between, Circle.objects.count()) == (0, 1)


def test_an_answer_to_another_question_does_not_do_what_waits(world: World) -> None:
    browser = approver(world)
    browser.post("/circles/", FORM)

    page = browser.post(
        "/security/again/?next=/security/sessions/",
        {"password": PASSWORD, "next": "/security/sessions/"},
        follow=True,
    )

    assert page.status_code == 200
    assert not Circle.objects.exists()
    assert browser.post("/circles/", {"next": "/circles/"}).status_code != FOUND
    assert not Circle.objects.exists()


def test_a_page_that_is_loaded_again_does_nothing_twice(world: World) -> None:
    browser = approver(world)
    asked = browser.post("/circles/", FORM)["Location"]
    answered(browser, asked, {"password": PASSWORD})

    again_ = browser.post("/circles/", {"password": PASSWORD, "next": "/circles/"})

    assert again_.status_code == 409
    assert "Nothing waits here any more" in words(again_.content)
    assert Circle.objects.count() == 1


def test_what_is_filled_in_anew_counts_and_not_what_waited(world: World) -> None:
    browser = approver(world)
    asked = browser.post("/circles/", FORM)["Location"]
    browser.post(asked, {"password": PASSWORD, "next": "/circles/"})

    browser.post("/circles/", FORM | {"reason": "The choir of the parish."})

    page = words(browser.get("/circles/").content)
    assert "The choir of the parish." in page and WHY not in page


def test_what_waited_too_long_is_not_done(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = approver(world)
    asked = browser.post("/circles/", FORM)["Location"]
    monkeypatch.setattr(again, "_LONGEST", -1)

    page = answered(browser, asked, {"password": PASSWORD})

    assert page.status_code == 409  # type: ignore[attr-defined]
    assert not Circle.objects.exists()


def test_what_waits_for_one_is_not_done_by_another(world: World) -> None:
    browser = approver(world)
    browser.post("/circles/", FORM)
    waits = browser.session["waits for an answer"]
    other = world.client(Role.MANAGER, login="mary@council.example", name="Mary")
    session = other.session
    session["waits for an answer"] = waits
    session.save()

    assert other.post("/circles/", {"next": "/circles/"}).status_code == 409
    assert not Circle.objects.exists()


def test_how_long_an_answer_counts_is_a_setting(world: World) -> None:
    browser = approver(world)
    given = wiring.settings()
    console = replace(given.console, ask_again_after=timedelta(hours=2))

    with override_settings(UNDISCLOSED=replace(given, console=console)):
        done = browser.post("/circles/", FORM)

    assert done["Location"] == "/circles/"
    assert browser.post("/circles/", FORM)["Location"].startswith("/security/again/")


def test_whoever_makes_accounts_is_asked_again(world: World) -> None:
    account = world.account(Role.ADMINISTRATOR)
    account.set_password(PASSWORD)
    account.save()
    browser = Client()
    browser.post("/log-in/", LOGIN)
    left_alone(browser)
    new = {"name": "Sam", "login": "sam@council.example", "roles": ["sender"]}

    asked = browser.post("/accounts/", new)
    before = Account.objects.count()
    page = answered(browser, asked["Location"], {"password": PASSWORD})

    assert before == 1
    assert "/log-in/" in page.content.decode()  # type: ignore[attr-defined]
    assert Account.objects.filter(name="Sam", roles=["sender"]).exists()


def test_the_code_of_an_app_is_an_answer_too(world: World) -> None:
    with_password(world)
    browser = Client()
    browser.post("/log-in/", LOGIN)
    secret = with_app(browser)
    left_alone(browser)

    asked = browser.post("/circles/", FORM)["Location"]
    page = browser.get(asked).content.decode()
    way = asked.replace("/again/", "/reauthenticate/")
    answered(browser, way, {"code": code_of(secret, ahead=1)})

    assert 'href="/security/reauthenticate/?next=%2Fcircles%2F"' in page
    assert Circle.objects.count() == 1


def test_an_account_without_a_password_is_asked_for_its_key(world: World) -> None:
    account = world.account(Role.SUPERVISOR)
    Authenticator.objects.create(user=account, type="webauthn", data={"name": "Key"})
    browser = world.client_of(account)

    asked = browser.post("/circles/", FORM)["Location"]

    assert asked == "/security/webauthn/reauthenticate/?next=%2Fcircles%2F"
    assert not Circle.objects.exists()


def only_openid(world: World, server: Server) -> Client:
    """Olive, who logs in at her organisation's server and nowhere else."""
    world.account(Role.SUPERVISOR)
    server.person["email_verified"] = True
    browser = Client()
    come(server, browser)
    return browser


def ask_there(browser: Client, server: Server) -> str:
    """Declare a circle, and go where the question leads; the page to come back to."""
    asked = browser.post("/circles/", FORM)["Location"]
    assert asked == "/security/again/organisation/?next=%2Fcircles%2F"
    assert "Ask the council" in words(browser.get(asked).content)
    way = (
        "/oidc/organisation/login/?process=redirect"
        "&next=%2Fsecurity%2Fagain%2Forganisation%2F%3Fnext%3D%252Fcircles%252F"
    )
    assert way.replace("&", "&amp;") in browser.get(asked).content.decode()
    there = parse_qs(urlsplit(browser.get(way)["Location"]).query)
    assert (there["prompt"], there["max_age"]) == (["login"], ["0"])
    back = browser.get(
        "/oidc/organisation/login/callback/", {"code": "c", "state": there["state"][0]}
    )
    assert back["Location"] == asked
    return asked


def test_whoever_has_no_password_here_is_asked_there(
    world: World, server: Server
) -> None:
    browser = only_openid(world, server)

    with using(server):
        page = ask_there(browser, server)
        shown = browser.get(page)
        between = Circle.objects.count()
        done = browser.post("/circles/", {"next": "/circles/"})

    assert "Go on" in words(shown.content)
    assert '<form method="post" action="/circles/">' in shown.content.decode()
    assert (between, Circle.objects.count()) == (0, 1)
    assert done["Location"] == "/circles/"
    assert WHY in words(browser.get("/circles/").content)


def test_who_was_let_pass_there_for_an_old_answer_is_not_believed(
    world: World, server: Server
) -> None:
    browser = only_openid(world, server)
    server.person["auth_time"] = 1_700_000_000

    with using(server):
        page = ask_there(browser, server)
        shown = browser.get(page)
        browser.post("/circles/", {"next": "/circles/"})

    assert "Ask the council" in words(shown.content)
    assert not Circle.objects.exists()


def test_another_person_of_the_organisation_does_not_answer(
    world: World, server: Server
) -> None:
    browser = only_openid(world, server)
    world.account(Role.SENDER, login="sam@council.example", name="Sam")
    server.person |= {"sub": "8", "email": "sam@council.example"}
    come(server, Client())

    with using(server):
        ask_there(browser, server)
        browser.post("/circles/", {"next": "/circles/"})

    assert not Circle.objects.exists()


def test_whoever_has_a_password_is_not_sent_to_another_server(
    world: World, server: Server
) -> None:
    browser = approver(world)

    with using(server):
        assert browser.get("/security/again/organisation/").status_code == 404
