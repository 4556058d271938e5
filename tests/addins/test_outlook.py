# SPDX-License-Identifier: Apache-2.0
"""The Outlook add-in, run by node in an Outlook of one mail, before the real API."""

import base64
import json
import re
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django.db
import pytest

from tests.console.world import SAM, World, message, now, outsiders
from tests.postgres import TestDatabase
from undisclosed.console import wiring
from undisclosed.console.site import application
from undisclosed.core.mail import Mail
from undisclosed.core.own_fields import CLEARANCE_FIELD
from undisclosed.core.verdict import Action
from undisclosed.store import tokens
from undisclosed.store.tokens import Purpose

ADD_IN = Path(__file__).parents[2] / "examples" / "outlook"
OFFICE = Path(__file__).with_name("office.js")
needs_node = pytest.mark.skipif(
    shutil.which("node") is None,
    reason="node is missing (Debian: apt-get install nodejs)",
)
MICROSOFT = "{http://schemas.microsoft.com/office/mailappversionoverrides/1.1}"


class Quiet(WSGIRequestHandler):
    """Says nothing of its requests."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def served() -> Iterator[str]:
    """The console on a free port; its URL."""
    with make_server("127.0.0.1", 0, application(), handler_class=Quiet) as server:

        def serve() -> None:
            server.serve_forever(poll_interval=0.05)
            django.db.connections.close_all()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def world(database: TestDatabase) -> World:
    """An empty installation."""
    return World(database)


@pytest.fixture
def settings(world: World) -> Iterator[dict[str, str]]:
    """What the add-in was told: where to ask, and with which token."""
    token = tokens.make("outlook", Purpose.CHECK, now=now())
    with served() as url:
        yield {"url": url, "token": token}


def mailbox(spelled: str) -> dict[str, str]:
    return {"displayName": 'An "odd" name', "emailAddress": spelled}


def written(mail: Mail, **more: object) -> dict[str, object]:
    """A mail as Office gives it to an add-in."""
    text = mail.content.decode().partition("\r\n\r\n")[2]
    return {
        "from": mailbox(SAM.spelled_out()),
        "to": [mailbox(one.spelled_out()) for one in mail.envelope.rcpt_tos],
        "cc": [],
        "bcc": [],
        "subject": "Direct payments: your new rates",
        "body": {"text": text, "html": f"<html><body><p>{text}</p></body></html>"},
        "attachments": [],
        "headers": {},
        **more,
    }


def outlook(settings: dict[str, str], mail: dict[str, object], deed: str) -> Any:
    """What the add-in does in this Outlook."""
    given = json.dumps({"settings": settings, "mail": mail, "deed": deed})
    done = subprocess.run(
        ["node", str(OFFICE), str(ADD_IN / "onsend.js")],
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@needs_node
class TestSending:
    """What happens when Send is pressed."""

    def test_mail_to_few_is_sent(self, settings) -> None:
        found = outlook(settings, written(message(outsiders(2))), "send")

        assert found["completed"] == {"allowEvent": True}

    def test_mail_that_would_be_held_is_stopped_with_the_reason(self, settings) -> None:
        found = outlook(settings, written(message(outsiders(8))), "send")["completed"]

        assert found["allowEvent"] is False
        assert "8 people would see each other" in found["errorMessage"]
        assert found["cancelLabel"] == "Send singly"
        assert found["commandId"] == "undisclosedPane"

    def test_where_it_would_not_help_it_is_not_offered(self, settings) -> None:
        named = " ".join(outsiders(40))
        mail = written(message(outsiders(8)), body={"text": named, "html": named})

        found = outlook(settings, mail, "send")["completed"]

        assert "Sending singly would not help" in found["errorMessage"]
        assert found["cancelLabel"] == "Show whom"

    @pytest.mark.parametrize(
        "changed",
        [{"token": "revoked"}, {"url": "http://127.0.0.1:9"}, {"token": ""}],
        ids=["token", "away", "not-set-up"],
    )
    def test_without_an_answer_the_guard_decides_alone(self, settings, changed) -> None:
        mail = written(message(outsiders(8)))

        found = outlook({**settings, **changed}, mail, "send")

        assert found["completed"] == {"allowEvent": True}

    def test_a_mail_with_a_clearance_is_not_asked_about_again(self, settings) -> None:
        mail = written(message(outsiders(8)), headers={CLEARANCE_FIELD: "any"})

        found = outlook(settings, mail, "send")

        assert found["completed"] == {"allowEvent": True}


@needs_node
class TestSendingSingly:
    """The choice of the task pane."""

    @pytest.mark.parametrize("kind", ["plain", "html"])
    def test_the_gateway_sends_singly_what_was_chosen(
        self, world, settings, kind
    ) -> None:
        mail = message(outsiders(8))
        content = b"day,hours\r\nMonday,9\r\n"
        file = {
            "id": "1",
            "name": "dates.csv",
            "contentType": "text/csv",
            "attachmentType": "file",
            "isInline": False,
            "size": len(content),
            "content": base64.b64encode(content).decode(),
        }
        found = outlook(settings, written(mail, attachments=[file]), "singly")

        sent = _sent(mail, found["headers"], kind, content)

        checkpoint = world.checkpoint()
        checkpoint._passes = (wiring.clearances(),)
        assert checkpoint.decide(sent).action is Action.SPLIT

    def test_why_it_did_not_work_is_said(self, settings) -> None:
        named = " ".join(outsiders(40))
        mail = written(message(outsiders(8)), body={"text": named, "html": named})

        found = outlook(settings, mail, "singly")

        assert "copy would still" in found["error"]
        assert found["headers"] == {}


def _sent(mail: Mail, headers: dict[str, str], kind: str, file: bytes) -> Mail:
    """The mail as a server sends it, with what the add-in put into it."""
    header, _, text = mail.content.decode().partition("\r\n\r\n")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    body = f"<html><body><p>{text}</p></body></html>" if kind == "html" else text
    parts = [
        f"Content-Type: text/{kind}; charset=utf-8\r\n\r\n{body}",
        'Content-Type: text/csv; name="dates.csv"\r\n'
        'Content-Disposition: attachment; filename="dates.csv"\r\n'
        f"Content-Transfer-Encoding: base64\r\n\r\n{base64.b64encode(file).decode()}",
    ]
    pieces = "".join(f"--edge\r\n{part}\r\n" for part in parts)
    whole = (
        f'{lines}{header}\r\nContent-Type: multipart/mixed; boundary="edge"\r\n\r\n'
        f"{pieces}--edge--\r\n"
    )
    return replace(mail, content=whole.encode())


class TestManifest:
    """The manifest names what is there."""

    def test_every_file_that_it_names_is_there(self) -> None:
        text = (ADD_IN / "manifest.xml").read_text()

        named = set(
            re.findall(r"https://addins.council.example/outlook/([\w.]+)", text)
        )
        assert named == {"commands.html", "icon.png", "onsend.js", "pane.html"}
        assert [name for name in named if not (ADD_IN / name).exists()] == []

    def test_it_names_the_handler_and_the_button_of_the_script(self) -> None:
        # The file is our own, of this checkout.
        manifest = ET.parse(ADD_IN / "manifest.xml")  # noqa: S314
        script = (ADD_IN / "onsend.js").read_text()

        (event,) = manifest.iter(f"{MICROSOFT}LaunchEvent")
        (button,) = manifest.iter(f"{MICROSOFT}Control")
        assert event.get("Type") == "OnMessageSend"
        assert event.get("SendMode") == "PromptUser"
        assert f'associate("{event.get("FunctionName")}"' in script
        assert f'PANE = "{button.get("id")}"' in script

    def test_every_resource_that_it_refers_to_is_defined(self) -> None:
        text = (ADD_IN / "manifest.xml").read_text()

        used = set(re.findall(r'resid="([^"]+)"', text))
        resources = text.partition("<Resources>")[2]
        assert used == set(re.findall(r'\bid="([^"]+)"', resources))
