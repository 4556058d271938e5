# SPDX-License-Identifier: Apache-2.0
"""Bad input ends in a clear sentence and the right code, and costs nobody's mail."""

import os
import random
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.installation import run_command
from tests.acceptance.letters import SENDER, hand_in, letter, people
from tests.acceptance.running_guard import RunningGuard
from undisclosed.guard import checkpoint
from undisclosed.store.models import HeldMail

SEED = 20261121
COMMANDS = (
    b"EHLO there\r\n",
    b"MAIL FROM:<survey@authority.example>\r\n",
    b"RCPT TO:<p@home.example>\r\n",
    b"DATA\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b".\r\n",
    b"VRFY p\r\n",
    b"BDAT 10 LAST\r\n",
)


@pytest.fixture
def guard(database: object) -> Iterator[RunningGuard]:
    with RunningGuard() as guard:
        yield guard


def _random_bytes(chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(1, 60_000))


def _random_lines(chance: random.Random) -> bytes:
    ends = (b"\r\n", b"\n", b"\r", b"\0\r\n")
    return b"".join(
        chance.randbytes(chance.randrange(0, 300)) + chance.choice(ends)
        for _ in range(100)
    )


def _broken_commands(chance: random.Random) -> bytes:
    sent = bytearray(b"".join(chance.choices(COMMANDS, k=80)))
    for _ in range(chance.randrange(1, 12)):
        sent[chance.randrange(len(sent))] = chance.randrange(256)
    return bytes(sent)


def _endless_line(chance: random.Random) -> bytes:
    return b"EHLO " + bytes([chance.randrange(1, 9)]) * 2_000_000


def _another_protocol(chance: random.Random) -> bytes:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + chance.randbytes(500)
    return chance.choice((hello, b"GET / HTTP/1.1\r\nHost: guard\r\n\r\n", b"\xff" * 9))


@pytest.mark.parametrize(
    "speech",
    [
        _random_bytes,
        _random_lines,
        _broken_commands,
        _endless_line,
        _another_protocol,
    ],
    ids=lambda speech: speech.__name__.strip("_").replace("_", " "),
)
def test_whatever_comes_on_the_socket_the_guard_goes_on_serving(
    guard: RunningGuard, speech: object
) -> None:
    chance = random.Random(SEED)
    for _ in range(25):
        _say(guard.port, speech(chance))

    answer = guard.send(SENDER, people(1), letter(people(1)))

    assert answer == (250, "2.0.0 Taken by hop.test")
    assert all(taken.content for taken in guard.hop.taken)


def _say(port: int, words: bytes) -> None:
    """Say it all, and read until the guard says no more; it may hang up earlier."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        try:
            client.sendall(words)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65_536):
                pass
        except ConnectionError:
            return


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("policy", "check", "undisclosed.toml"), 65),
        (("guard",), 78),
        (("worker",), 78),
        (("console",), 78),
        (("postoffice",), 78),
        (("doctor",), 78),
        (("run",), 78),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_policy_with_an_unknown_key_is_refused_with_file_and_line(
    tmp_path: Path, command: tuple[str, ...], code: int
) -> None:
    (tmp_path / "undisclosed.toml").write_text("[policy]\n\nown_domian = []\n")

    done = run_command(*command, environment=os.environ, folder=tmp_path)

    assert done.returncode == code
    (sentence,) = done.stderr.splitlines()
    assert "undisclosed.toml:3: There is no setting" in sentence
    assert 'Did you mean "own_domains"?' in sentence
    assert list(tmp_path.iterdir()) == [tmp_path / "undisclosed.toml"]


@pytest.mark.parametrize("command", ["check", "scan"])
@pytest.mark.parametrize("kind", ["folder", "binary", "missing"])
def test_a_mailbox_that_is_none_is_said_without_a_traceback(
    tmp_path: Path, command: str, kind: str
) -> None:
    mailbox = tmp_path / "archive"
    if kind == "folder":
        mailbox.mkdir()
    if kind == "binary":
        mailbox.write_bytes(b"\x7fELF\0" + random.Random(SEED).randbytes(200_000))

    done = run_command(command, str(mailbox), environment=os.environ, folder=tmp_path)

    assert "Traceback" not in done.stderr
    assert str(mailbox) in done.stdout + done.stderr
    assert done.returncode == 65, done.stderr


@pytest.mark.parametrize("is_announced", [True, False], ids=["SIZE=", "by its bytes"])
def test_a_message_over_the_size_limit_is_552_and_the_guard_goes_on(
    database: object, is_announced: bool
) -> None:
    large = letter(people(1), text="x" * 70 + "\r\n" * 40_000)
    with RunningGuard(max_size=65_536) as guard:
        with smtplib.SMTP("127.0.0.1", guard.port, timeout=60) as client:
            client.ehlo()
            size = [f"SIZE={len(large)}"] if is_announced else []
            code, _ = client.mail(SENDER, size)
            if not is_announced:
                client.rcpt(people(1)[0])
                code, _ = client.data(large)

            assert code == 552
            client.rset()
            client.mail(SENDER)
            client.rcpt(people(1)[0])
            assert client.data(letter(people(1)))[0] == 250
        assert len(guard.hop.taken) == 1


def test_recipients_above_the_limit_are_452_each_and_the_others_get_their_mail(
    database: object,
) -> None:
    with RunningGuard(max_recipients=3) as guard:
        answers = hand_in(guard.port, people(5), letter(people(1)))

        assert answers.rcpts == (250, 250, 250, 452, 452)
        assert answers.is_passed
        (taken,) = guard.hop.taken
        assert len(taken.rcpts) == 3


@pytest.mark.parametrize("viewers", [2, 120])
def test_200_000_addresses_in_one_field_are_held(
    guard: RunningGuard, viewers: int
) -> None:
    content = letter(people(200_000))

    code, text = guard.send(SENDER, people(viewers), content)

    assert (code, "Held" in text) == (250, True), text
    assert guard.hop.taken == []
    (held,) = HeldMail.objects.all()
    assert {f["rule"] for f in held.findings} & {"shown-outsiders", "unreadable"}


def test_mail_that_broke_the_judge_twice_is_held_as_unreadable(
    guard: RunningGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RecursionError("p0@p-home0.example")

    monkeypatch.setattr(checkpoint, "judge", breaks)
    content = letter(people(2))

    codes = [guard.send(SENDER, people(2), content)[0] for _ in range(2)]

    assert codes == [451, 250]
    assert guard.hop.taken == []
    (held,) = HeldMail.objects.all()
    assert [finding["rule"] for finding in held.findings] == ["unreadable"]


def test_mail_that_broke_the_judge_once_passes_when_it_works_again(
    guard: RunningGuard, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "judge", None)
        assert guard.send(SENDER, people(2), letter(people(2)))[0] == 451

    assert guard.send(SENDER, people(2), letter(people(2)))[0] == 250

    assert len(guard.hop.taken) == 1
