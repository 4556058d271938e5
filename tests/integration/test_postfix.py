# SPDX-License-Identifier: Apache-2.0
"""The guard as content filter of a real Postfix, and Postfix as its next hop."""

import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.installation import Installation, free_port, until
from tests.acceptance.letters import SENDER, hand_in, letter, people
from tests.integration.postfix import Postfix, missing

pytestmark = [
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A guard whose next hop is Postfix, which sends to the sink."""
    back = free_port()
    installation = Installation(
        tmp_path_factory.mktemp("postfix"), guard={"next_hop": f"127.0.0.1:{back}"}
    )
    installation.back = back
    installation.prepare()
    with installation:
        yield installation


@pytest.fixture(scope="module")
def postfix(installation: Installation) -> Iterator[Postfix]:
    ports = installation.guard_port, installation.hop_port, installation.back
    with Postfix(*ports) as postfix:
        yield postfix


def _taken(installation: Installation, test_id: str) -> list[dict[str, Any]]:
    mark = f"X-Test-Id: {test_id}\r\n"
    return [taken for taken in installation.taken() if mark in taken["content"]]


def test_ordinary_mail_goes_through_the_guard_and_arrives_once(
    installation: Installation, postfix: Postfix
) -> None:
    content = letter(people(1), "ordinary")

    answers = hand_in(postfix.front, people(1), content)

    assert answers.code == 250
    until(lambda: _taken(installation, "ordinary"), "it arrives")
    until(postfix.is_empty, "nothing waits")
    (taken,) = _taken(installation, "ordinary")
    assert taken["rcpts"] == list(people(1))
    assert taken["sender"] == SENDER
    assert taken["content"].endswith(content.partition(b"\r\n\r\n")[2].decode())
    assert "by guard.authority.example" in taken["content"]


def test_250_people_in_cc_are_held_and_get_250_private_copies(
    installation: Installation, postfix: Postfix
) -> None:
    everybody = people(250, "r")
    content = letter(everybody, "survey", field="Cc")

    assert hand_in(postfix.front, everybody, content).code == 250

    until(lambda: _held(installation, 250), "it is held")
    until(postfix.is_empty, "nothing waits")
    assert _taken(installation, "survey") == []
    installation.clerk("singly", "survey")
    until(lambda: len(_taken(installation, "survey")) >= 250, "every copy arrives")
    until(postfix.is_empty, "nothing waits")
    copies = _taken(installation, "survey")
    assert sorted(copy["rcpts"] for copy in copies) == sorted([p] for p in everybody)
    for copy in copies:
        shown = set(re.findall(r"r\d+@r-home\d+\.example", copy["content"]))
        assert shown <= set(copy["rcpts"])


def _held(installation: Installation, people: int) -> list[tuple[Any, ...]]:
    return installation.rows(
        "SELECT id FROM store_heldmail WHERE people = %s AND state = 'held'", (people,)
    )


def test_the_senders_notice_comes_through_postfix(
    installation: Installation, postfix: Postfix
) -> None:
    held = hand_in(postfix.front, people(9), letter(people(9), "noticed"))

    assert held.code == 250
    until(lambda: _notices(installation), "the notice arrives")
    (notice,) = _notices(installation)
    assert notice["sender"] == ""
    encoded = notice["content"].partition("base64\r\n\r\n")[2].partition("\r\n\r\n")[0]
    assert "9 people would have seen 8 others" in b64decode(encoded).decode()


def _notices(installation: Installation) -> list[dict[str, Any]]:
    subject = "Subject: Held: noticed"
    return [
        taken
        for taken in installation.taken()
        if taken["rcpts"] == [SENDER] and subject in taken["content"]
    ]


def test_a_recipient_that_postfix_refuses_hears_it_and_the_others_get_their_mail(
    installation: Installation, postfix: Postfix
) -> None:
    to = (people(1)[0], "gone@refused.example")

    answers = hand_in(installation.guard_port, to, letter(people(1), "partly"))

    assert answers.rcpts == (250, 550)
    assert answers.is_passed
    until(lambda: _taken(installation, "partly"), "the other one gets it")
    (taken,) = _taken(installation, "partly")
    assert taken["rcpts"] == [people(1)[0]]


def test_while_the_guard_is_away_mail_waits_at_postfix_and_nothing_passes(
    installation: Installation, postfix: Postfix
) -> None:
    installation.stop("guard")
    try:
        assert hand_in(postfix.front, people(9), letter(people(9), "late")).code == 250
        assert hand_in(postfix.front, people(1), letter(people(1), "early")).code == 250
        until(lambda: postfix.log().count("status=deferred") >= 2, "both are tried")
        assert not postfix.is_empty()
        assert _taken(installation, "late") == _taken(installation, "early") == []
    finally:
        installation.start("guard")
        installation.wait_for(installation.guard_port)

    postfix.command("postqueue", "-f")

    until(lambda: _taken(installation, "early"), "what shows nobody arrives")
    until(postfix.is_empty, "nothing waits")
    assert _taken(installation, "late") == []


def test_the_doctor_tells_a_guarded_door_from_a_forgotten_one(
    installation: Installation, postfix: Postfix
) -> None:
    def doctor(port: int, wait: int) -> tuple[int, str]:
        through = ("--through", f"127.0.0.1:{port}", "--wait", str(wait))
        done = installation.command("doctor", *through)
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout

    def says_guarded() -> bool:
        return doctor(postfix.front, 30)[0] == 0

    until(says_guarded, "the guarded door is found guarded")
    code, said = doctor(postfix.bypass, 3)

    assert code == 3
    assert f"Mail handed to 127.0.0.1:{postfix.bypass} DOES NOT pass the guard" in said
