# SPDX-License-Identifier: Apache-2.0
"""POST /v1/check: advice for whoever has an access token, and nothing about others."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.console.world import SAM, World, address, message, now, outsiders
from undisclosed.console import wiring
from undisclosed.console.api import bearer, openapi, views
from undisclosed.console.api.schema import ADVICE, CHECK, OBJECTS, Kind, Property
from undisclosed.core.mail import Mail
from undisclosed.core.own_fields import CLEARANCE_FIELD
from undisclosed.core.verdict import Action
from undisclosed.guard.clearance import Clearances
from undisclosed.store import pseudonyms, tokens
from undisclosed.store.models import JournalEntry, Role
from undisclosed.store.tokens import Purpose

URL = "/v1/check"
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "http-api.md"
ALICE = "alice@council.example"


class Asker:
    """A program with an access token."""

    def __init__(self, name: str = "outlook", **made: Any) -> None:
        self.client = Client(enforce_csrf_checks=True)
        self.token = tokens.make(name, Purpose.CHECK, now=now(), **made)

    def ask(self, question: object, **headers: str) -> Any:
        """The whole response to a question."""
        body = question if isinstance(question, bytes) else json.dumps(question)
        given_headers = {"Authorization": f"Bearer {self.token}", **headers}
        return self.client.post(
            URL, body, content_type="application/json", headers=given_headers
        )

    def advice(self, **question: object) -> dict[str, Any]:
        """The answer to a question that can be understood."""
        response = self.ask({"sender": SAM.spelled_out(), **question})
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        return answer


@pytest.fixture
def asker(world: World) -> Asker:
    return Asker()


@contextmanager
def api(**changed: object) -> Iterator[None]:
    """The settings of the API, changed."""
    given = wiring.settings()
    changed_api = replace(given.api, **changed)  # type: ignore[arg-type]
    with override_settings(UNDISCLOSED=replace(given, api=changed_api)):
        yield


def question_of(mail: Mail) -> dict[str, object]:
    return {
        "recipients": [one.spelled_out() for one in mail.envelope.rcpt_tos],
        "message": base64.b64encode(mail.content).decode(),
    }


class TestAdvice:
    """What is answered."""

    def test_values_and_the_whole_message_have_the_same_answer(self, asker) -> None:
        to = outsiders(12)
        mail = message(to)

        by_values = asker.advice(to=to, subject="Direct payments", text="Dear all")
        by_message = asker.advice(**question_of(mail))

        assert by_values == by_message
        assert by_values["action"] == "hold"
        assert by_values["viewers"] == by_values["people"] == 12
        assert by_values["new_disclosures"] == 132
        assert [one["address"] for one in by_values["shown"]] == to
        assert by_values["shown"][0]["channels"] == ["To"]
        assert by_values["findings"][0]["rule"] == "shown-outsiders"
        assert by_values["clearance"] is None

    def test_recipients_in_bcc_see_and_are_not_seen(self, asker) -> None:
        to, bcc = outsiders(12)[:6], outsiders(12)[6:]

        answer = asker.advice(to=to, bcc=bcc, subject="x", text="y")

        assert answer["viewers"] == 12
        assert [one["address"] for one in answer["shown"]] == to

    def test_mail_that_would_pass_is_said_to_pass(self, asker) -> None:
        answer = asker.advice(to=outsiders(2), cc=[ALICE], text="Hello")

        assert (answer["action"], answer["findings"]) == ("accept", [])

    def test_a_table_that_is_attached_is_read(self, asker) -> None:
        table = "\n".join(outsiders(30)).encode()
        files = [{"name": "all.csv", "content": base64.b64encode(table).decode()}]

        answer = asker.advice(to=outsiders(2), files=files)

        assert answer["action"] == "hold"
        assert answer["people"] == 30

    def test_what_could_not_be_read_is_said(self, asker) -> None:
        broken = b"Content-Type: multipart/mixed; boundary=x\r\n" + b"y" * 100_000

        answer = asker.advice(
            recipients=outsiders(3), message=base64.b64encode(broken).decode()
        )

        assert answer["action"] in {action.value for action in Action}
        assert isinstance(answer["uncertain"], list)

    def test_without_recipients_the_destination_fields_say_who(self, asker) -> None:
        mail = message(outsiders(7))

        answer = asker.advice(message=base64.b64encode(mail.content).decode())

        assert answer["viewers"] == 7


class TestClearance:
    """A choice, and the gateway that honours it."""

    def test_the_gateway_sends_singly_what_was_cleared(self, world, asker) -> None:
        mail = message(outsiders(12))
        answer = asker.advice(**question_of(mail), choice="send singly")
        clearance = answer["clearance"]
        assert clearance["field"] == CLEARANCE_FIELD
        sent = replace(
            mail,
            content=f"{CLEARANCE_FIELD}: {clearance['token']}\r\n".encode()
            + mail.content,
        )

        decision = _gateway(world).decide(sent)

        assert decision.action is Action.SPLIT
        assert _gateway(world).decide(mail).action is Action.HOLD

    def test_values_that_were_asked_about_clear_the_mail_that_is_sent(
        self, world, asker
    ) -> None:
        to = outsiders(12)
        mail = message(to, subject="New rates", body="Dear all,\n\nhello.\n")

        answer = asker.advice(
            to=[f"Name <{one}>" for one in to],
            subject="New  rates",
            text="Dear all, hello.",
            choice="send singly",
        )
        field = f"{CLEARANCE_FIELD}: {answer['clearance']['token']}\r\n".encode()

        sent = replace(mail, content=field + mail.content)
        assert _gateway(world).decide(sent).action is Action.SPLIT

    def test_an_approver_releases_beforehand(self, world) -> None:
        world.account(Role.MANAGER, login="max@council.example")
        approver = world.account(Role.SUPERVISOR)
        asker = Asker(owner=approver.login)
        mail = message(outsiders(12))

        answer = asker.advice(
            **question_of(mail), choice="release", reason="All agreed, ann@a.example."
        )
        field = f"{CLEARANCE_FIELD}: {answer['clearance']['token']}\r\n".encode()

        sent = replace(mail, content=field + mail.content)
        assert _gateway(world).decide(sent).action is Action.ACCEPT
        entry = JournalEntry.objects.get(event="checked")
        assert pseudonyms.account_of(entry.actor) == str(approver.pk)
        assert entry.facts["kind"] == "release"
        reason = pseudonyms.words_of(entry.facts["reason"])
        assert reason.startswith("All agreed")
        assert "@" not in str(entry.facts)
        used = JournalEntry.objects.get(event="clearance used")
        assert used.facts["clearance"] == entry.facts["clearance"]

    @pytest.mark.parametrize(
        ("role", "login", "status"),
        [
            (Role.SENDER, "olive@council.example", 403),
            (Role.AUDITOR, "olive@council.example", 403),
            (Role.SUPERVISOR, SAM.spelled_out(), 403),
        ],
        ids=["sender", "auditor", "their-own-mail"],
    )
    def test_nobody_else_releases(self, world, role, login, status) -> None:
        account = world.account(role, login=login)
        asker = Asker(owner=account.login)
        body = {
            "sender": SAM.spelled_out(),
            **question_of(message(outsiders(12))),
            "choice": "release",
            "reason": "Because.",
        }

        response = asker.ask(body)

        assert response.status_code == status
        assert set(response.json()) == {"error"}

    def test_a_choice_that_would_not_help_is_refused_with_the_reason(
        self, asker
    ) -> None:
        text = " ".join(outsiders(40))
        body = {"sender": SAM.spelled_out(), "to": outsiders(12), "text": text}

        response = asker.ask({**body, "choice": "send singly"})

        assert response.status_code == 422
        assert response.json()["error"] == asker.advice(**body)["singly_refused"]


def _gateway(world: World) -> Any:
    checkpoint = world.checkpoint()
    checkpoint._passes = (wiring.clearances(),)
    return checkpoint


class TestAccess:
    """Who may ask, how often, from where."""

    @pytest.mark.parametrize(
        "header",
        ["", "Bearer", "Bearer ", "Bearer wrong", "Basic {}", "{}", "Bearer\t{}"],
    )
    def test_without_a_good_token_there_is_no_answer(self, asker, header) -> None:
        response = asker.ask(
            {"sender": ALICE}, Authorization=header.format(asker.token)
        )

        assert response.status_code == 401
        assert response["WWW-Authenticate"] == "Bearer"

    def test_a_revoked_token_opens_nothing(self, asker) -> None:
        tokens.revoke("outlook", now())

        assert asker.ask({}).status_code == 401

    def test_a_token_for_submission_opens_nothing(self, world, asker) -> None:
        asker.token = tokens.make("scanner", Purpose.SUBMISSION, now=now())

        assert asker.ask({}).status_code == 401

    def test_being_logged_in_opens_nothing(self, world, asker) -> None:
        client = world.client(Role.SUPERVISOR, Role.ADMINISTRATOR)

        assert client.post(URL, "{}", "application/json").status_code == 401

    @pytest.mark.parametrize("method", ["get", "put", "delete", "head"])
    def test_only_post_is_answered(self, asker, method) -> None:
        response = getattr(asker.client, method)(URL)

        assert response.status_code == 405
        assert response["Allow"] == "POST, OPTIONS"

    def test_too_many_questions_are_not_answered(self, asker) -> None:
        with api(checks_per_hour=3):
            codes = [asker.ask({}).status_code for _ in range(5)]
            last = asker.ask({})

        assert codes == [422, 422, 422, 429, 429]
        assert 1 <= int(last["Retry-After"]) <= 3600
        assert JournalEntry.objects.filter(event="asked too often").count() == 1, (
            "the journal says it once"
        )

    def test_another_token_is_not_slowed_down_by_it(self, asker) -> None:
        other = Asker("thunderbird")
        with api(checks_per_hour=1):
            asker.ask({})
            asker.ask({})

            assert asker.ask({}).status_code == 429
            assert other.ask({}).status_code == 422

    def test_every_question_is_journalled_without_anybody_in_it(self, asker) -> None:
        asker.advice(to=outsiders(12), subject="Direct payments", text="Dear all")

        entry = JournalEntry.objects.get(event="checked")

        assert entry.facts == {
            "token": "outlook",
            "action": "hold",
            "viewers": 12,
            "people": 12,
        }

    def test_a_web_page_of_a_known_origin_may_ask(self, asker) -> None:
        origin = "https://addins.council.example"
        with api(origins=(origin,)):
            before = asker.client.options(URL, headers={"Origin": origin})
            answer = asker.ask({}, Origin=origin)
            other = asker.ask({}, Origin="https://evil.example")

        assert before.status_code == 204
        assert before["Access-Control-Allow-Headers"] == "Authorization, Content-Type"
        assert before["Access-Control-Allow-Methods"] == "POST, OPTIONS"
        assert answer["Access-Control-Allow-Origin"] == origin
        assert "Access-Control-Allow-Origin" not in other
        assert "Access-Control-Allow-Credentials" not in answer

    def test_while_the_store_is_away_the_answer_is_503(
        self, asker, monkeypatch
    ) -> None:
        def away(*_: object) -> None:
            raise OperationalError("no connection")

        monkeypatch.setattr(
            "undisclosed.store.database.django_connection.ensure_connection", away
        )

        response = asker.ask({"sender": ALICE})

        assert response.status_code == 503
        assert response["Retry-After"] == "60"
        assert set(response.json()) == {"error"}


class TestProbing:
    """A caller cannot learn who stands on a list, or what was sent to whom."""

    def test_who_was_hidden_before_changes_no_answer(self, world, asker) -> None:
        people = outsiders(30)
        asked = {"to": people[:3], "subject": "x", "text": "y"}
        before = asker.advice(**asked)
        world.hold(message(people), message(people[:7], subject="Another"))
        everybody = frozenset(map(address, people))
        wiring.memory().hide(everybody, is_sensitive=True, now=now())
        assert _gateway(world).decide(message(people[:3])).action is Action.HOLD

        assert asker.advice(**asked) == before

    def test_who_was_shown_together_before_changes_no_answer(
        self, world, asker
    ) -> None:
        people = outsiders(8)
        asked = {"to": people, "subject": "x", "text": "y"}
        before = asker.advice(**asked)

        wiring.memory().learn(map(address, people), now=now())

        assert asker.advice(**asked) == before

    def test_no_answer_names_anybody_who_was_not_in_the_question(self, asker) -> None:
        people = outsiders(12)

        answer = asker.advice(to=people[:6], bcc=people[6:8], text=f"See {people[9]}")

        assert {one["address"] for one in answer["shown"]} == {
            *people[:6],
            people[9],
        }


WRONG = {
    "no JSON": b"sender=ann",
    "no UTF-8": b'{"sender": "\xff"}',
    "a list": [],
    "nothing": {},
    "nested too deep": b"[" * 100_000,
    "no address": {"sender": "Ann"},
    "no recipient": {"sender": ALICE},
    "an unknown property": {"sender": ALICE, "to": [ALICE], "priority": 1},
    "a text for a list": {"sender": ALICE, "to": ALICE},
    "a number in a list": {"sender": ALICE, "to": [1]},
    "no Base64": {"sender": ALICE, "to": [ALICE], "message": "%"},
    "message and values": {"sender": ALICE, "to": [ALICE], "message": "QQ=="},
    "an unknown choice": {"sender": ALICE, "to": [ALICE], "choice": "yes"},
    "a file without content": {
        "sender": ALICE,
        "to": [ALICE],
        "files": [{"name": "a"}],
    },
    "a file that is none": {"sender": ALICE, "to": [ALICE], "files": ["a"]},
    "recipients that are none": {"sender": ALICE, "recipients": ["Ann"]},
}


class TestQuestions:
    """What cannot be understood is refused in one sentence."""

    @pytest.mark.parametrize("question", WRONG.values(), ids=WRONG)
    def test_a_wrong_question_is_refused(self, asker, question) -> None:
        response = asker.ask(question)

        assert response.status_code == 422
        error = response.json()["error"]
        assert error.endswith(".")
        assert "ann" not in error.lower().split()
        assert "@" not in error

    def test_what_is_too_large_is_refused(self, asker, monkeypatch) -> None:
        monkeypatch.setattr(views, "LARGEST", 1000)

        response = asker.ask({"sender": ALICE, "to": [ALICE], "text": "x" * 1000})

        assert response.status_code == 413

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from([one.name for one in CHECK]) | st.text(),
                    inner,
                    max_size=4,
                )
            ),
            max_leaves=12,
        )
    )
    def test_no_json_breaks_it(self, asker, question) -> None:
        with api(checks_per_hour=10**9):
            assert asker.ask(question).status_code in {200, 422}

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        to=st.lists(st.text(), max_size=4),
        subject=st.text(),
        text=st.text(),
        html=st.text(),
    )
    def test_no_text_breaks_it(self, asker, to, subject, text, html) -> None:
        body = {"sender": ALICE, "recipients": [ALICE], "to": to, "subject": subject}
        with api(checks_per_hour=10**9):
            response = asker.ask({**body, "text": text, "html": html})

        assert response.status_code == 200


class TestReference:
    """The page of the reference shows what happens."""

    def test_the_answer_to_its_question_is_the_one_that_it_shows(self, asker) -> None:
        blocks = re.findall(r"^```json\n(.*?)^```", PAGE.read_text(), re.M | re.S)
        question, shown = map(json.loads, blocks)

        answer = asker.ask(question).json()

        for one in (answer, shown):
            assert one["clearance"].pop("token")
            assert one["clearance"].pop("expires_at")
        assert answer == shown


class TestOpenApi:
    """The document says what is true."""

    def test_it_is_served_without_a_token(self, world) -> None:
        response = Client().get("/v1/openapi.json")

        assert response.status_code == 200
        assert response.json() == json.loads(json.dumps(openapi.document()))

    def test_every_reference_leads_to_an_object(self) -> None:
        text = json.dumps(openapi.document())

        named = {
            part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]
        }
        assert named == set(OBJECTS)

    def test_an_answer_has_every_property_and_no_other(self, asker) -> None:
        answer = asker.advice(to=outsiders(12), choice="send singly")

        _fits(answer, ADVICE)

    def test_every_status_that_is_answered_stands_in_it(self) -> None:
        documented = {status for status, _, _ in openapi.ANSWERS}

        assert documented == {200, 401, 403, 413, 422, 429, 503}


def _fits(value: dict[str, Any], table: tuple[Property, ...]) -> None:
    """Whether an object of an answer is as its table says, those below it, too."""
    assert set(value) == {one.name for one in table}
    inner = {
        Kind.SHOWN: OBJECTS["Shown"],
        Kind.FINDINGS: OBJECTS["Finding"],
    }
    for one in table:
        if one.words:
            assert value[one.name] in one.words
        for item in value[one.name] if one.kind in inner else ():
            _fits(item, inner[one.kind])
        if one.kind is Kind.CLEARANCE and value[one.name] is not None:
            _fits(value[one.name], OBJECTS["Clearance"])


def test_a_token_is_in_no_log_line(world, caplog) -> None:
    asker = Asker()

    asker.ask(b"\xff")
    asker.ask({}, Authorization=f"Bearer x{asker.token}")

    assert asker.token not in caplog.text


def test_the_api_knows_the_clearances_of_the_guard(world) -> None:
    assert isinstance(wiring.clearances(), Clearances)
    assert wiring.settings().api.clearance == timedelta(hours=1)
    assert bearer.with_token.__doc__
