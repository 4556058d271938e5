# SPDX-License-Identifier: Apache-2.0
"""The guard as milter of a real Postfix: what passes, what is held, what is refused."""

import getpass
import pwd
import re
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.acceptance.installation import Installation, free_port, until
from tests.acceptance.letters import SENDER, hand_in, letter, people
from tests.integration.milter_postfix import (
    SOCKETS,
    MilterPostfix,
    commands,
    make_folder,
)
from tests.integration.postfix import missing

pytestmark = [
    pytest.mark.skipif(missing() is not None, reason=str(missing())),
    pytest.mark.timeout(240),
]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A guard whose milter's socket lies in Postfix' folder."""
    postfix, back, inbound = make_folder(), free_port(), free_port()
    installation = Installation(
        tmp_path_factory.mktemp("milter"),
        guard={
            "next_hop": f"127.0.0.1:{back}",
            "milter": {
                "listen": str(postfix / SOCKETS / "milter.sock"),
                "group": "postfix",
                "inbound_listen": f"127.0.0.1:{inbound}",
            },
            "feed": {"authserv_ids": ["mx.authority.example"]},
        },
    )
    installation.back, installation.inbound = back, inbound
    installation.postfix = postfix
    installation.prepare()
    with installation:
        yield installation


@pytest.fixture(scope="module")
def postfix(installation: Installation) -> Iterator[MilterPostfix]:
    ports = installation.hop_port, installation.back, installation.inbound
    with MilterPostfix(installation.postfix, *ports) as postfix:
        yield postfix


def _taken(installation: Installation, test_id: str) -> list[dict[str, Any]]:
    mark = f"X-Test-Id: {test_id}\r\n"
    return [taken for taken in installation.taken() if mark in taken["content"]]


def _held(installation: Installation, people: int) -> list[tuple[Any, ...]]:
    return installation.rows(
        "SELECT id FROM store_heldmail WHERE people = %s", (people,)
    )


def test_ordinary_mail_is_accepted_and_arrives_once(
    installation: Installation, postfix: MilterPostfix
) -> None:
    content = letter(people(1), "ordinary")

    answers = hand_in(postfix.front, people(1), content)

    assert answers.is_passed, answers.text
    until(lambda: _taken(installation, "ordinary"), "it arrives")
    until(postfix.is_empty, "nothing waits")
    (taken,) = _taken(installation, "ordinary")
    assert taken["rcpts"] == list(people(1))
    assert taken["sender"] == SENDER
    assert "guard.authority.example" not in taken["content"]


def test_250_people_in_cc_are_captured_and_get_250_private_copies(
    installation: Installation, postfix: MilterPostfix
) -> None:
    everybody = people(250, "r")
    content = letter(everybody, "survey", field="Cc")

    assert hand_in(postfix.front, everybody, content).code == 250

    assert len(_held(installation, 250)) == 1
    until(postfix.is_empty, "Postfix has discarded its own copy")
    assert _taken(installation, "survey") == []
    installation.clerk("singly", "survey")
    until(lambda: len(_taken(installation, "survey")) >= 250, "every copy arrives")
    until(postfix.is_empty, "nothing waits")
    copies = _taken(installation, "survey")
    assert sorted(copy["rcpts"] for copy in copies) == sorted([p] for p in everybody)
    for copy in copies:
        shown = set(re.findall(r"r\d+@r-home\d+\.example", copy["content"]))
        assert shown <= set(copy["rcpts"])


# sendmail(1): non_smtpd_milters.


def test_a_local_program_s_ordinary_mail_is_accepted(
    installation: Installation, postfix: MilterPostfix
) -> None:
    content = letter(people(1), "cron")

    done = postfix.sendmail("-i", "-f", SENDER, people(1)[0], content=content)

    assert done.returncode == 0, done.stderr
    until(lambda: _taken(installation, "cron"), "it arrives")


def test_a_local_program_s_mail_to_many_is_captured(
    installation: Installation, postfix: MilterPostfix
) -> None:
    everybody = people(11, "s")
    content = letter(everybody, "script")

    done = postfix.sendmail("-t", "-i", "-f", SENDER, content=content)

    assert done.returncode == 0, done.stderr
    until(lambda: _held(installation, 11), "it is held")
    until(postfix.is_empty, "Postfix has discarded its own copy")
    assert _taken(installation, "script") == []


def test_a_local_program_s_mail_with_bcc_loses_it_before_the_guard_sees_it(
    installation: Installation, postfix: MilterPostfix
) -> None:
    shown, hidden = people(1, "t"), people(2, "u")
    content = letter(shown, "hidden").replace(
        b"Subject:", b"Bcc: %s\r\nSubject:" % ", ".join(hidden).encode()
    )

    done = postfix.sendmail("-t", "-i", "-f", SENDER, content=content)

    assert done.returncode == 0, done.stderr
    until(lambda: _taken(installation, "hidden"), "it arrives")
    until(postfix.is_empty, "nothing waits")
    reached = {one for copy in _taken(installation, "hidden") for one in copy["rcpts"]}
    assert reached == {*shown, *hidden}
    for copy in _taken(installation, "hidden"):
        assert "Bcc" not in copy["content"]
        assert not any(one in copy["content"] for one in hidden)


# Refused.


def test_a_refusal_reaches_the_client_in_several_lines(
    installation: Installation, postfix: MilterPostfix
) -> None:
    everybody = people(7, "w")
    first = letter(everybody, "rates")
    assert hand_in(postfix.front, everybody, first).code == 250
    recall = letter(everybody, "again").replace(
        b"Subject: again", b"Subject: Recall: rates"
    )

    answers = hand_in(postfix.front, everybody, recall)

    assert answers.code == 550
    assert answers.text.startswith("5.7.1 Refused, nobody has received it\n5.7.1 ")
    until(postfix.is_empty, "nothing waits")
    assert _taken(installation, "again") == []


# Fields that must not travel.


def test_fields_that_must_not_travel_are_gone_and_all_the_others_are_there(
    installation: Installation, postfix: MilterPostfix
) -> None:
    hidden = people(3, "x")
    lines = [f"Apparently-To: {one}".encode() for one in hidden]
    content = letter(people(1), "apparently").replace(
        b"X-Test-Id:",
        b"\r\n".join([lines[0], b"X-One: 1", lines[1], b"X-Two: 2", lines[2]])
        + b"\r\nX-Test-Id:",
    )

    assert hand_in(postfix.front, people(1), content).is_passed

    until(lambda: _taken(installation, "apparently"), "it arrives")
    (taken,) = _taken(installation, "apparently")
    assert "X-One: 1\r\n" in taken["content"]
    assert "X-Two: 2\r\n" in taken["content"]
    assert "Apparently-To" not in taken["content"]
    assert not any(one in taken["content"] for one in hidden)


def test_a_forged_stamp_does_not_travel(
    installation: Installation, postfix: MilterPostfix
) -> None:
    content = b"X-Undisclosed-Stamp: v1.forged\r\n" + letter(people(1), "forged")

    assert hand_in(postfix.front, people(1), content).is_passed

    until(lambda: _taken(installation, "forged"), "it arrives")
    (taken,) = _taken(installation, "forged")
    assert "Stamp" not in taken["content"]


# Long fields.


def test_what_postfix_cuts_is_counted_from_the_envelope_too(
    installation: Installation, postfix: MilterPostfix
) -> None:
    everybody = people(2000, "long")
    content = letter(everybody, "long")
    names = ",\r\n ".join(f'"Person {n}" <{one}>' for n, one in enumerate(everybody))
    content = content.replace(", ".join(everybody).encode(), names.encode())

    answers = hand_in(postfix.front, everybody, content)

    assert answers.code == 250
    ((shown, viewers),) = installation.rows(
        "SELECT people, viewers FROM store_heldmail ORDER BY received_at DESC LIMIT 1"
    )
    assert viewers == 2000
    assert 1000 < shown < 2000
    until(postfix.is_empty, "nothing waits")
    assert _taken(installation, "long") == []


# Our fault, and a retry.


def test_while_the_guard_is_away_the_client_keeps_its_mail(
    installation: Installation, postfix: MilterPostfix
) -> None:
    installation.stop("guard")
    try:
        answers = hand_in(postfix.front, people(9), letter(people(9), "away"))
        before = _refused(postfix)
        local = letter(people(9, "y"), "local")
        postfix.sendmail("-t", "-i", "-f", SENDER, content=local)
        until(lambda: _refused(postfix) > before, "pickup is refused, too")
        assert 400 <= answers.code < 500
        assert _taken(installation, "away") == _taken(installation, "local") == []
    finally:
        installation.start("guard")
        installation.wait_for(installation.guard_port)

    again = hand_in(postfix.front, people(9), letter(people(9), "away"))

    assert again.code == 250
    until(lambda: len(_held(installation, 9)) == 2, "both are held")
    until(postfix.is_empty, "nothing waits")
    assert _taken(installation, "away") == _taken(installation, "local") == []


def test_what_was_committed_although_postfix_gave_up_is_not_held_twice(
    installation: Installation, postfix: MilterPostfix
) -> None:
    content = letter(people(13, "z"), "twice")

    with psycopg.connect(installation.database.url) as blocking:
        # Whoever writes held mail waits; Postfix does not wait for as long.
        blocking.execute("LOCK TABLE store_heldmail IN SHARE MODE")
        first = hand_in(postfix.front, people(13, "z"), content)
        blocking.commit()
    until(lambda: _held(installation, 13), "the first try is committed")
    second = hand_in(postfix.front, people(13, "z"), content)

    assert 400 <= first.code < 500
    assert second.code == 250
    assert len(_held(installation, 13)) == 1
    until(postfix.is_empty, "nothing waits")
    assert _taken(installation, "twice") == []


def test_a_local_program_s_retry_is_not_held_twice_without_a_message_id(
    installation: Installation, postfix: MilterPostfix
) -> None:
    content = letter(people(14, "q"), "local-twice")
    content = re.sub(rb"Message-ID:[^\r]*\r\n", b"", content)
    before = _refused(postfix)

    with psycopg.connect(installation.database.url) as blocking:
        blocking.execute("LOCK TABLE store_heldmail IN SHARE MODE")
        postfix.sendmail("-t", "-i", "-f", SENDER, content=content)
        until(lambda: _refused(postfix) > before, "pickup's first try is given up")
        blocking.commit()
    until(lambda: _held(installation, 14), "the first try is committed")
    until(postfix.is_empty, "pickup has tried again")

    assert len(_held(installation, 14)) == 1
    assert _taken(installation, "local-twice") == []


def _refused(postfix: MilterPostfix) -> int:
    return postfix.log().count("milter-reject: ")


def test_postfix_logs_a_capture_as_it_is_documented(
    installation: Installation, postfix: MilterPostfix
) -> None:
    everybody = people(8, "logged")

    assert hand_in(postfix.front, everybody, letter(everybody, "logged")).code == 250

    assert "milter triggers DISCARD action" in postfix.log()


def test_the_socket_is_postfix_s_to_use_and_nobody_else_s(
    installation: Installation, postfix: MilterPostfix
) -> None:
    found = (installation.postfix / SOCKETS / "milter.sock").stat()

    assert found.st_mode & 0o777 == 0o660
    assert found.st_gid == pwd.getpwnam("postfix").pw_gid


# Incoming mail, over TCP.


def _conversation(name: str, results: bytes) -> tuple[tuple[str, ...], bytes]:
    """Eight outsiders, and a mail in which one of them shows us to all the others."""
    everybody = people(8, name)
    content = letter(everybody, f"{name}-in", sender=everybody[0], field="Cc")
    return everybody, results + content


def test_a_reply_to_all_of_an_outsider_s_mail_is_no_news(
    installation: Installation, postfix: MilterPostfix
) -> None:
    passed = b"Authentication-Results: mx.authority.example; dmarc=pass\r\n"
    everybody, content = _conversation("known", passed)

    inbound = hand_in(postfix.outside, (SENDER,), content, sender=everybody[0])
    reply = hand_in(postfix.front, everybody, letter(everybody, "known-reply"))

    assert (inbound.code, reply.code) == (250, 250)
    until(lambda: _taken(installation, "known-in"), "what came in is delivered")
    until(lambda: _taken(installation, "known-reply"), "the reply is not held")
    (taken,) = _taken(installation, "known-in")
    assert set(content.decode().splitlines()) <= set(taken["content"].splitlines())


def test_incoming_mail_that_nobody_authenticated_makes_nobody_known(
    installation: Installation, postfix: MilterPostfix
) -> None:
    everybody, content = _conversation("forged", b"")
    before = len(_held(installation, 8))

    inbound = hand_in(postfix.outside, (SENDER,), content, sender=everybody[0])
    reply = hand_in(postfix.front, everybody, letter(everybody, "forged-reply"))

    assert (inbound.code, reply.code) == (250, 250)
    assert len(_held(installation, 8)) == before + 1
    until(postfix.is_empty, "nothing waits")
    assert len(_taken(installation, "forged-in")) == 1
    assert _taken(installation, "forged-reply") == []


def test_incoming_mail_passes_while_the_guard_is_away(
    installation: Installation, postfix: MilterPostfix
) -> None:
    everybody, content = _conversation("alone", b"")

    installation.stop("guard")
    try:
        inbound = hand_in(postfix.outside, (SENDER,), content, sender=everybody[0])
        until(lambda: _taken(installation, "alone-in"), "it is delivered")
    finally:
        installation.start("guard")
        installation.wait_for(installation.guard_port)

    assert inbound.code == 250


# What the how-to says to type.


def test_the_how_to_s_commands_work(
    installation: Installation, postfix: MilterPostfix
) -> None:
    made, told, looked = commands()
    folder = installation.folder / "sockets"
    made = made.replace("/var/spool/postfix/undisclosed", str(folder))
    made = made.replace("--owner=undisclosed", f"--owner={getpass.getuser()}")

    install = shlex.split(made.splitlines()[1])
    assert subprocess.run(install, check=False).returncode == 0
    assert (folder.stat().st_mode & 0o777, folder.group()) == (0o750, "postfix")

    for command in told.split("&&"):
        name, word = command.split()
        assert postfix.command(name, word).returncode == 0, command

    port = re.sub(r":25\b", f":{postfix.front}", looked)
    words = shlex.split(port)[1:]
    until(lambda: installation.command(*words).returncode == 0, "it is found guarded")
